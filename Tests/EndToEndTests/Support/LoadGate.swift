import Concurrency
import Foundation
import Testing

/// Lets a few tests at a time load the processors, and those that measure time run without them.
final class LoadGate: Sendable {
    static let shared = LoadGate(capacity: ProcessInfo.processInfo.activeProcessorCount + 2)

    private struct State {
        var free: Int
        var waiting: [(weight: Int, turn: CheckedContinuation<Void, Never>)] = []

        /// Who may go on now: in order, so that one who wants much is not passed by for ever.
        mutating func admit() -> [CheckedContinuation<Void, Never>] {
            var admitted: [CheckedContinuation<Void, Never>] = []
            while let first = waiting.first, first.weight <= free {
                free -= first.weight
                admitted.append(waiting.removeFirst().turn)
            }
            return admitted
        }
    }

    private let capacity: Int
    private let state: Lock<State>

    private init(capacity: Int) {
        self.capacity = capacity
        state = Lock(State(free: capacity))
    }

    /// Runs `work` while no test with `.loadsProcessors` does.
    func alone<Result>(_ work: () async throws -> Result) async rethrows -> Result {
        try await run(weight: capacity, work)
    }

    fileprivate func run<Result>(weight: Int, _ work: () async throws -> Result) async rethrows -> Result {
        await withCheckedContinuation { turn in
            let admitted = state.withLock { state in
                state.waiting.append((weight, turn))
                return state.admit()
            }
            for turn in admitted { turn.resume() }
        }
        defer {
            let admitted = state.withLock { state in
                state.free += weight
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
        try await LoadGate.shared.run(weight: 1, function)
    }
}

extension Trait where Self == LoadTrait {
    static var loadsProcessors: Self { LoadTrait() }
}
