internal import Concurrency
public import KubernetesClient

/// A clock that moves only when it is told to. For tests and simulations.
public final class ManualTime: TimeSource {
    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Instant
        var wallClock: KubernetesTime
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        /// Tasks that wait until somebody sleeps.
        var observers: [(deadline: Instant?, count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        func sleeping(until deadline: Instant?) -> Int {
            guard let deadline else { return sleepers.count }
            return sleepers.values.count { $0.deadline <= deadline }
        }

        mutating func takeSatisfiedObservers() -> [CheckedContinuation<Void, Never>] {
            let all = observers
            observers = all.filter { sleeping(until: $0.deadline) < $0.count }
            return all.filter { sleeping(until: $0.deadline) >= $0.count }.map(\.continuation)
        }
    }

    private let state: Lock<State>

    public init(wallClock: KubernetesTime = KubernetesTime(seconds: 1_767_225_600)) {
        state = Lock(State(now: ContinuousClock.now, wallClock: wallClock))
    }

    public var now: Instant { state.withLock { $0.now } }
    public var wallClock: KubernetesTime { state.withLock { $0.wallClock } }
    /// How many tasks sleep.
    public var sleepers: Int { state.withLock { $0.sleepers.count } }

    public func sleep(until deadline: Instant) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in enter(id, deadline, continuation) }
        } onCancel: {
            let sleeper = state.withLock { state in
                if let sleeper = state.sleepers.removeValue(forKey: id) { return Optional(sleeper) }
                state.cancelled.insert(id)
                return nil
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
        _ = state.withLock { $0.cancelled.remove(id) }
    }

    private func enter(_ id: Int, _ deadline: Instant, _ continuation: CheckedContinuation<Void, any Error>) {
        enum Outcome { case cancelled, passed, sleeping([CheckedContinuation<Void, Never>]) }
        let outcome: Outcome = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .cancelled }
            if deadline <= state.now { return .passed }
            state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
            return .sleeping(state.takeSatisfiedObservers())
        }
        switch outcome {
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .passed: continuation.resume()
        case .sleeping(let observers): for observer in observers { observer.resume() }
        }
    }

    /// Moves the clock on and wakes who slept until then, earliest first. Returns without waiting for them to run.
    public func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            state.wallClock = state.wallClock.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Returns once at least `count` tasks sleep, counting only those that would wake within `duration` when it is
    /// given: the moment at which a test may turn the clock without a race.
    public func whenSleeping(_ count: Int = 1, within duration: Duration? = nil) async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                let deadline = duration.map { state.now.advanced(by: $0) }
                if state.sleeping(until: deadline) >= count { return true }
                state.observers.append((deadline, count, continuation))
                return false
            }
            if ready { continuation.resume() }
        }
    }
}
