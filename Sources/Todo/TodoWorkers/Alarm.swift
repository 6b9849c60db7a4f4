internal import Concurrency
internal import TodoModel

/// Wakes up one sleeper: at the time that it has set, or earlier when somebody rings.
final class Alarm: Sendable {
    private struct State {
        /// The earliest instant that was rung for since the sleeper last woke up.
        var rung: Instant?
        var sleeper: Task<Void, Never>?
        var wakeUp: Instant?
    }

    private let clock: any WorkerClock
    private let state = Lock(State())

    init(clock: any WorkerClock) { self.clock = clock }

    /// Something is due at `instant`.
    func ring(for instant: Instant) {
        let sleeper = state.withLock { state -> Task<Void, Never>? in
            state.rung = min(state.rung ?? instant, instant)
            guard let wakeUp = state.wakeUp, instant < wakeUp else { return nil }
            return state.sleeper
        }
        sleeper?.cancel()
    }

    /// Returns at `instant`, when somebody rings for an earlier one, or when the task is cancelled; with the earliest one
    /// that was rung for.
    func wait(until instant: Instant) async -> Instant? {
        let sleeper = state.withLock { state -> Task<Void, Never>? in
            if let rung = state.rung, rung < instant { return nil }
            let sleeper = Task<Void, Never> { [clock] in
                // Ends early when somebody rings.
                do { try await clock.sleep(until: instant) } catch {}
            }
            state.sleeper = sleeper
            state.wakeUp = instant
            return sleeper
        }
        if let sleeper {
            await withTaskCancellationHandler {
                await sleeper.value
            } onCancel: {
                sleeper.cancel()
            }
        }
        return state.withLock { state in
            defer { state = State() }
            return state.rung
        }
    }
}
