import Concurrency
import Foundation
import Testing

/// Lets a few tests at a time load the processors. Those that measure time run when these are over: whenever they waited
/// for the last of a few, the processors would have little to do meanwhile.
final class LoadGate: Sendable {
    static let shared = LoadGate(capacity: ProcessInfo.processInfo.activeProcessorCount + 2)

    /// In the order in which they go.
    fileprivate enum Kind: CaseIterable {
        /// As `load`, two at a time: what takes long and begins last is waited for.
        case longLoad
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
            let (long, idle, alone) = (running[.longLoad] ?? 0, running[.idle] ?? 0, running[.alone] ?? 0)
            let load = long + (running[.load] ?? 0)
            return switch kind {
            case .longLoad: idle + alone == 0 && load < capacity && long < 2
            case .load: idle + alone == 0 && load < capacity
            case .idle: load + alone == 0
            case .alone: load + idle + alone == 0
            }
        }

        /// Who may go on now; of a kind, who came first.
        mutating func admit() -> [CheckedContinuation<Void, Never>] {
            var admitted: [CheckedContinuation<Void, Never>] = []
            for kind in Kind.allCases {
                while fits(kind), let first = waiting.firstIndex(where: { $0.kind == kind }) {
                    admitted.append(waiting.remove(at: first).turn)
                    running[kind, default: 0] += 1
                }
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

    fileprivate func run<Result>(_ kind: Kind, _ work: () async throws -> Result) async rethrows -> Result {
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
    fileprivate let kind: LoadGate.Kind

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await LoadGate.shared.run(kind, function)
    }
}

extension Trait where Self == LoadTrait {
    static var loadsProcessors: Self { LoadTrait(kind: .load) }
    /// For a test that takes about a minute or more.
    static var loadsProcessorsForLong: Self { LoadTrait(kind: .longLoad) }
}

extension Trait where Self == TimeLimitTrait {
    /// For a test that hangs, not for one that is slow: waiting for a place in the `LoadGate` counts.
    static var inTime: Self { .timeLimit(.minutes(60)) }
}
