import Concurrency
import Foundation
import Testing

/// Lets a few tests at a time load the processors, and those that measure time run without them.
final class LoadGate: Sendable {
    static let shared = LoadGate(capacity: ProcessInfo.processInfo.activeProcessorCount + 2)

    private enum Kind {
        /// So many at a time as the gate has places.
        case load
        /// Only beside others of this kind.
        case idle
        case alone
    }

    private struct State {
        let capacity: Int
        var running: [Kind: Int] = [:]
        var waiting: [(kind: Kind, turn: CheckedContinuation<Void, Never>)] = []

        private func fits(_ kind: Kind) -> Bool {
            let (load, idle, alone) = (running[.load] ?? 0, running[.idle] ?? 0, running[.alone] ?? 0)
            return switch kind {
            case .load: idle + alone == 0 && load < capacity
            case .idle: load + alone == 0
            case .alone: load + idle + alone == 0
            }
        }

        /// Who may go on now: in order, so that nobody is passed by for ever; all idle ones together.
        mutating func admit() -> [CheckedContinuation<Void, Never>] {
            var admitted: [CheckedContinuation<Void, Never>] = []
            while let first = waiting.first, fits(first.kind) {
                let chosen = first.kind == .idle ? waiting.indices.filter { waiting[$0].kind == .idle } : [0]
                admitted += chosen.map { waiting[$0].turn }
                running[first.kind, default: 0] += chosen.count
                for index in chosen.reversed() { waiting.remove(at: index) }
            }
            return admitted
        }
    }

    private let state: Lock<State>

    private init(capacity: Int) { state = Lock(State(capacity: capacity)) }

    /// Runs `work` while no other test does that stands at this gate.
    func alone<Result>(_ work: () async throws -> Result) async rethrows -> Result { try await run(.alone, work) }

    /// Runs `work`, which does little but wait and counts on being on time, beside others like it and no load.
    func idly<Result>(_ work: () async throws -> Result) async rethrows -> Result { try await run(.idle, work) }

    fileprivate func load(_ work: () async throws -> Void) async rethrows { try await run(.load, work) }

    private func run<Result>(_ kind: Kind, _ work: () async throws -> Result) async rethrows -> Result {
        await withCheckedContinuation { turn in
            let admitted = state.withLock { state in
                state.waiting.append((kind, turn))
                return state.admit()
            }
            for turn in admitted { turn.resume() }
        }
        defer {
            let admitted = state.withLock { state in
                state.running[kind, default: 0] -= 1
                return state.admit()
            }
            for turn in admitted { turn.resume() }
        }
        return try await work()
    }
}

/// Each case of the tests takes a place in the `LoadGate`.
struct LoadTrait: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await LoadGate.shared.load(function)
    }
}

extension Trait where Self == LoadTrait {
    static var loadsProcessors: Self { LoadTrait() }
}

extension Trait where Self == TimeLimitTrait {
    /// For a test that hangs, not for one that is slow: waiting for a place in the `LoadGate` counts.
    static var inTime: Self { .timeLimit(.minutes(25)) }
}
