internal import Concurrency
internal import TodoModel

/// Notices when the workers of a database have had nothing to do for a while, and have nothing soon.
final class Stillness: Sendable {
    struct Pace: Sendable {
        /// So long after the last thing that was done.
        var idle: Duration = .seconds(10)
    }

    private struct State {
        var last: Instant
        var next: Instant?
    }

    private let clock: any WorkerClock
    private let pace: Pace
    private let state: Lock<State>

    init(clock: any WorkerClock, pace: Pace) {
        self.clock = clock
        self.pace = pace
        state = Lock(State(last: clock.now))
    }

    /// Something was done, or went wrong and will be tried again.
    func disturb() { state.withLock { $0.last = clock.now } }

    /// When the next thing is due, as far as is known.
    func expect(_ next: Instant?) { state.withLock { $0.next = next } }

    /// Returns once it is still, or the task is cancelled.
    func wait() async {
        while !Task.isCancelled {
            let now = clock.now
            let (last, next) = state.withLock { ($0.last, $0.next) }
            let begin = last.advanced(by: pace.idle)
            let isSoon = next.map { $0 <= now.advanced(by: pace.idle) } ?? false
            if begin <= now, !isSoon { return }
            try? await clock.sleep(until: max(begin, now.advanced(by: isSoon ? pace.idle : .milliseconds(1))))
        }
    }
}
