internal import Concurrency
public import KubernetesClient

/// A clock that moves only when it is told to. For tests and simulations.
public final class ManualTime: TimeSource {
    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Observer {
        let deadline: Instant?
        let count: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Instant
        var wallClock: KubernetesTime
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        /// Tasks that wait until somebody sleeps.
        var observers: [Int: Observer] = [:]

        func sleeping(until deadline: Instant?) -> Int {
            guard let deadline else { return sleepers.count }
            return sleepers.values.count { $0.deadline <= deadline }
        }

        mutating func takeSatisfiedObservers() -> [Observer] {
            let satisfied = observers.filter { sleeping(until: $1.deadline) >= $1.count }
            for id in satisfied.keys { observers[id] = nil }
            return Array(satisfied.values)
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
        try await suspend { id, continuation in enter(id, deadline, continuation) }
    }

    /// Suspends until what `enter` was given is resumed, or the task is cancelled.
    private func suspend(_ enter: (Int, CheckedContinuation<Void, any Error>) -> Void) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in enter(id, continuation) }
        } onCancel: {
            let waiting = state.withLock { state in
                if let sleeper = state.sleepers.removeValue(forKey: id) { return Optional(sleeper.continuation) }
                if let observer = state.observers.removeValue(forKey: id) { return observer.continuation }
                state.cancelled.insert(id)
                return nil
            }
            waiting?.resume(throwing: CancellationError())
        }
        _ = state.withLock { $0.cancelled.remove(id) }
    }

    private func enter(_ id: Int, _ deadline: Instant, _ continuation: CheckedContinuation<Void, any Error>) {
        enum Outcome { case cancelled, passed, sleeping([Observer]) }
        let outcome: Outcome = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .cancelled }
            if deadline <= state.now { return .passed }
            state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
            return .sleeping(state.takeSatisfiedObservers())
        }
        switch outcome {
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .passed: continuation.resume()
        case .sleeping(let observers): for observer in observers { observer.continuation.resume() }
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
    /// given: the moment at which a test may turn the clock without a race. Throws when the task is cancelled.
    public func whenSleeping(_ count: Int = 1, within duration: Duration? = nil) async throws {
        try await suspend { id, continuation in
            let outcome: Result<Void, any Error>? = state.withLock { state in
                if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                let deadline = duration.map { state.now.advanced(by: $0) }
                if state.sleeping(until: deadline) >= count { return .success(()) }
                state.observers[id] = Observer(deadline: deadline, count: count, continuation: continuation)
                return nil
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }
}
