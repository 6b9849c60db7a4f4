internal import Concurrency

/// Sleeping that costs nothing once it is cancelled.
///
/// The language's own `sleep` keeps its timer until the deadline also when the task was cancelled long before. Deadlines
/// around every write and every pass would so pile up by the thousand; here they share one timer for the earliest.
final class TimerQueue: Sendable {
    static let shared = TimerQueue()

    private struct Entry: Comparable {
        let deadline: Instant
        let id: Int
        static func < (left: Entry, right: Entry) -> Bool { (left.deadline, left.id) < (right.deadline, right.id) }
    }

    private typealias Sleeper = CheckedContinuation<Void, any Error>

    private struct State {
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        /// Keeps the small entries of cancelled sleepers until they come to the top.
        var heap = Heap<Entry>()
        /// When the earliest alarm that was set goes off.
        var alarm: Instant?

        mutating func dropStaleEntries() {
            while let first = heap.first, sleepers[first.id] == nil { _ = heap.popFirst() }
        }
    }

    private static let longestSleep: Duration = .seconds(86_400)

    private let state = Lock(State())

    /// Sleepers that are waiting.
    var count: Int { state.withLock { $0.sleepers.count } }

    func sleep(until deadline: Instant) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { sleeper in enter(id, deadline, sleeper) }
        } onCancel: {
            let sleeper = state.withLock { state in
                if let sleeper = state.sleepers.removeValue(forKey: id) {
                    state.dropStaleEntries()
                    return Optional(sleeper)
                }
                state.cancelled.insert(id)
                return nil
            }
            sleeper?.resume(throwing: CancellationError())
        }
        _ = state.withLock { $0.cancelled.remove(id) }
    }

    private func enter(_ id: Int, _ deadline: Instant, _ sleeper: Sleeper) {
        let now = ContinuousClock.now
        enum Outcome { case cancelled, passed, sleeping(alarm: Instant?) }
        let outcome: Outcome = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .cancelled }
            if deadline <= now { return .passed }
            state.sleepers[id] = sleeper
            state.heap.insert(Entry(deadline: deadline, id: id))
            return .sleeping(alarm: Self.alarm(&state, now))
        }
        switch outcome {
        case .cancelled: sleeper.resume(throwing: CancellationError())
        case .passed: sleeper.resume()
        case .sleeping(let alarm): if let alarm { set(alarm) }
        }
    }

    /// The alarm to set so that the earliest sleeper wakes in time; nil when one that is set will do.
    private static func alarm(_ state: inout State, _ now: Instant) -> Instant? {
        guard let first = state.heap.first else { return nil }
        if let alarm = state.alarm, alarm > now, alarm <= first.deadline { return nil }
        // The runtime's own sleep ends the process when the deadline is too far away for it to count.
        let alarm = min(first.deadline, now.advanced(by: longestSleep))
        state.alarm = alarm
        return alarm
    }

    private func set(_ alarm: Instant) {
        Task {
            try? await ContinuousClock().sleep(until: alarm)
            wake()
        }
    }

    private func wake() {
        let now = ContinuousClock.now
        let (due, alarm) = state.withLock { state in
            var due: [Sleeper] = []
            while let first = state.heap.first, first.deadline <= now || state.sleepers[first.id] == nil {
                _ = state.heap.popFirst()
                if let sleeper = state.sleepers.removeValue(forKey: first.id) { due.append(sleeper) }
            }
            return (due, Self.alarm(&state, now))
        }
        for sleeper in due { sleeper.resume() }
        if let alarm { set(alarm) }
    }
}
