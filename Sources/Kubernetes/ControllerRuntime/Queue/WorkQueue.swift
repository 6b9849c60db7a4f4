internal import Concurrency
internal import Metrics

/// Keys to work on, for several workers: see `WorkQueueState` for what is promised about order, delays and duplicates.
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<WorkQueueState<Key>.Taken?, Never>

    private struct State {
        var queue: WorkQueueState<Key>
        var waiters: [Int: Waiter] = [:]
        var order = Fifo<Int>()
        var nextWaiter = 0
        var cancelled: Set<Int> = []
        var isShutDown = false
        var timer: (deadline: Instant, task: Task<Void, Never>)?
    }

    /// What is to be done once the lock is free.
    private struct Effects {
        var handouts: [(Waiter, WorkQueueState<Key>.Taken?)] = []
        var obsoleteTimer: Task<Void, Never>?

        func run() {
            obsoleteTimer?.cancel()
            for (waiter, taken) in handouts { waiter.resume(returning: taken) }
        }
    }

    private let time: any TimeSource
    private let state: Lock<State>
    private let metrics: WorkQueueMetrics

    /// `name` labels the metrics.
    public init(
        name: String, configuration: WorkQueueState<Key>.Configuration = .init(), time: any TimeSource = SystemTime()
    ) {
        self.time = time
        state = Lock(State(queue: WorkQueueState(configuration)))
        metrics = WorkQueueMetrics(name: name)
    }

    public func add(_ key: Key, priority: WorkPriority = .normal) {
        mutate { $0.add(key, priority: priority, now: $1) }
    }

    public func add(_ key: Key, after delay: Duration, priority: WorkPriority = .normal) {
        mutate { $0.add(key, at: $1.advanced(by: delay), priority: priority, now: $1) }
    }

    public func add(_ key: Key, at deadline: Instant, priority: WorkPriority = .normal) {
        mutate { $0.add(key, at: deadline, priority: priority, now: $1) }
    }

    /// Adds a key that failed, after its back-off. Returns the delay.
    @discardableResult
    public func addRateLimited(_ key: Key) -> Duration {
        metrics.retries.increment()
        return mutate { $0.addRateLimited(key, now: $1) }
    }

    public func forget(_ key: Key) { mutate { queue, _ in queue.forget(key) } }

    /// The worker that took `key` has finished with it.
    public func done(_ key: Key) {
        let worked = mutate { $0.done(key, now: $1) }
        metrics.workDuration.record(worked)
    }

    /// Keys ready to be taken.
    public var depth: Int { state.withLock { $0.queue.depth } }
    /// No key is ready or being worked on; delayed keys may remain.
    public var isIdle: Bool { state.withLock { $0.queue.depth == 0 && $0.queue.processingCount == 0 } }

    /// The next key, as soon as there is one. Nil when the queue was shut down or the task cancelled.
    public func next() async -> WorkQueueState<Key>.Taken? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let taken = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in enter(id, waiter) }
        } onCancel: {
            let waiter = state.withLock { state in
                if let waiter = state.waiters.removeValue(forKey: id) { return Optional(waiter) }
                state.cancelled.insert(id)
                return nil
            }
            waiter?.resume(returning: nil)
        }
        _ = state.withLock { $0.cancelled.remove(id) }
        if let taken { metrics.queueDuration.record(taken.waited) }
        return taken
    }

    /// Ends every `next`, now and later. Keys already taken may still be finished.
    public func shutDown() {
        let effects = state.withLock { state in
            state.isShutDown = true
            var effects = Effects(obsoleteTimer: state.timer?.task)
            state.timer = nil
            effects.handouts = state.waiters.values.map { ($0, nil) }
            state.waiters = [:]
            return effects
        }
        effects.run()
    }

    /// Sets the gauges that grow with time alone; called every few seconds while the queue is in use.
    public func refreshMetrics() {
        let now = time.now
        let unfinished = state.withLock { $0.queue.unfinished(now: now) }
        metrics.setUnfinished(total: unfinished.total, longest: unfinished.longest)
    }

    private func enter(_ id: Int, _ waiter: Waiter) {
        let refused = state.withLock { state in
            if state.cancelled.remove(id) != nil || state.isShutDown { return true }
            state.waiters[id] = waiter
            state.order.append(id)
            return false
        }
        if refused { waiter.resume(returning: nil) } else { mutate { _, _ in } }
    }

    @discardableResult
    private func mutate<Result: Sendable>(
        _ change: @Sendable (inout WorkQueueState<Key>, Instant) -> Result
    ) -> Result {
        let now = time.now
        let (result, effects, depth, added) = state.withLock { state in
            let before = state.queue.adds
            let result = change(&state.queue, now)
            let effects = settle(&state, now)
            return (result, effects, state.queue.depth, state.queue.adds - before)
        }
        if added > 0 { metrics.adds.increment(by: added) }
        metrics.depth.record(depth)
        effects.run()
        return result
    }

    /// Gives ready keys to waiting workers and sets the timer for the next delayed one.
    private func settle(_ state: inout State, _ now: Instant) -> Effects {
        var effects = Effects()
        guard !state.isShutDown else { return effects }
        while let id = state.order.first {
            if let waiter = state.waiters[id] {
                guard let taken = state.queue.take(now: now) else { break }
                state.waiters[id] = nil
                effects.handouts.append((waiter, taken))
            }
            _ = state.order.popFirst()
        }
        guard let deadline = state.queue.nextDeadline, !state.waiters.isEmpty else { return effects }
        if let timer = state.timer, timer.deadline <= deadline, timer.deadline > now { return effects }
        effects.obsoleteTimer = state.timer?.task
        state.timer = (deadline, alarm(at: deadline))
        return effects
    }

    private func alarm(at deadline: Instant) -> Task<Void, Never> {
        Task { [weak self, time] in
            guard (try? await time.sleep(until: deadline)) != nil else { return }
            self?.mutate { _, _ in }
        }
    }
}
