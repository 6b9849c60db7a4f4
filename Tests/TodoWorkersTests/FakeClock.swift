import Concurrency
import TodoModel
import TodoWorkers

/// A clock that stands still until a test moves it.
final class FakeClock: WorkerClock {
    private struct State {
        var now: Instant
        var sleepers: [Int: (until: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var nextSleeper = 0
    }

    private let state: Lock<State>

    init(_ now: Instant) { state = Lock(State(now: now)) }

    var now: Instant { state.withLock { $0.now } }
    /// How many tasks wait for a time to come.
    var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Whoever sleeps until then or earlier wakes up.
    func advance(by duration: Duration) {
        let awake = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let ids = state.sleepers.filter { $0.value.until <= state.now }.map(\.key)
            return ids.compactMap { state.sleepers.removeValue(forKey: $0) }
        }
        for sleeper in awake { sleeper.continuation.resume() }
    }

    func sleep(until instant: Instant) async throws {
        let id = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    if instant <= state.now || Task.isCancelled { return true }
                    state.sleepers[id] = (instant, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
            try Task.checkCancellation()
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }
}
