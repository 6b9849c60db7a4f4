/// Which of two ready keys goes first.
public enum WorkPriority: Sendable, Hashable, Comparable {
    /// Keys that nobody waits for, such as those of the first list: one in four takes, so they never starve.
    case low
    /// Keys that something just happened to.
    case normal
}

/// The scheduler behind `WorkQueue`, without waiting and without a clock: every call says what time it is.
///
/// A key is queued once however often it is added. A key that is being worked on is not handed out again; when it is
/// added meanwhile it is queued as soon as the worker is done. A delayed key is handed out when its time has come, and
/// handing it out cancels the delay.
public struct WorkQueueState<Key: Hashable & Sendable>: Sendable {
    public struct Configuration: Sendable {
        /// Delay after the first failure of a key; doubles with each further one.
        public var baseDelay: Duration = .milliseconds(5)
        public var maximumDelay: Duration = .seconds(1000)
        /// Rate of retries over all keys once `retryBurst` is used up.
        public var retriesPerSecond: Double = 10
        public var retryBurst = 100
        /// One in so many takes goes to a key of low priority when both kinds are ready.
        public var lowPriorityShare = 4
        public init() {}
    }

    public struct Taken: Sendable {
        public let key: Key
        /// How long it was ready.
        public let waited: Duration
        /// 1 for the first pass, one more for each failure in a row.
        public let attempt: Int
    }

    private struct Ready {
        var priority: WorkPriority
        var since: Instant
        var ticket: Int
    }
    private struct Ticket {
        let key: Key
        let number: Int
    }
    private struct Delayed {
        var deadline: Instant
        var priority: WorkPriority
        var ticket: Int
    }
    private struct Timer: Comparable {
        let deadline: Instant
        let number: Int
        let key: Key
        static func < (left: Self, right: Self) -> Bool {
            (left.deadline, left.number) < (right.deadline, right.number)
        }
        static func == (left: Self, right: Self) -> Bool { left.number == right.number }
    }

    private let configuration: Configuration
    private var ready: [Key: Ready] = [:]
    private var normal = Fifo<Ticket>()
    private var low = Fifo<Ticket>()
    private var delayed: [Key: Delayed] = [:]
    private var timers = Heap<Timer>()
    private var processing: [Key: Instant] = [:]
    private var dirty: [Key: WorkPriority] = [:]
    private var failures: [Key: Int] = [:]
    private var bucket: TokenBucket
    private var nextTicket = 0
    private var takes = 0
    /// How many times a key became ready, in all.
    public private(set) var adds = 0

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        bucket = TokenBucket(perSecond: configuration.retriesPerSecond, burst: configuration.retryBurst)
    }

    /// Keys that a worker could take now.
    public var depth: Int { ready.count }
    public var processingCount: Int { processing.count }
    public var delayedCount: Int { delayed.count }
    public func failureCount(of key: Key) -> Int { failures[key] ?? 0 }
}

// MARK: - Adding

extension WorkQueueState {
    public mutating func add(_ key: Key, priority: WorkPriority = .normal, now: Instant) {
        if processing[key] != nil {
            dirty[key] = max(dirty[key] ?? .low, priority)
        } else if let entry = ready[key] {
            if priority > entry.priority { enqueue(key, priority, since: entry.since) }
        } else {
            enqueue(key, priority, since: now)
        }
    }

    /// Adds `key` at `deadline`; of several deadlines the earliest holds, and the highest priority.
    public mutating func add(_ key: Key, at deadline: Instant, priority: WorkPriority = .normal, now: Instant) {
        guard deadline > now else { return add(key, priority: priority, now: now) }
        let priority = max(priority, delayed[key]?.priority ?? .low)
        if let entry = delayed[key], entry.deadline <= deadline {
            delayed[key]?.priority = priority
            return
        }
        nextTicket += 1
        delayed[key] = Delayed(deadline: deadline, priority: priority, ticket: nextTicket)
        timers.insert(Timer(deadline: deadline, number: nextTicket, key: key))
    }

    /// Adds `key` after its back-off and when the rate limit allows. Returns the delay.
    @discardableResult
    public mutating func addRateLimited(_ key: Key, now: Instant) -> Duration {
        let count = failures[key] ?? 0
        failures[key] = count + 1
        let backoff = Backoff.exponential(
            base: configuration.baseDelay, failures: count, limit: configuration.maximumDelay)
        let delay = max(backoff, bucket.reserve(now))
        add(key, at: now.advanced(by: delay), now: now)
        return delay
    }

    /// The key went well: its back-off starts over.
    public mutating func forget(_ key: Key) { failures[key] = nil }

    private mutating func enqueue(_ key: Key, _ priority: WorkPriority, since: Instant) {
        nextTicket += 1
        if ready[key] == nil { adds += 1 }
        ready[key] = Ready(priority: priority, since: since, ticket: nextTicket)
        let ticket = Ticket(key: key, number: nextTicket)
        if priority == .normal { normal.append(ticket) } else { low.append(ticket) }
    }
}

// MARK: - Taking

extension WorkQueueState {
    /// When the next delayed key becomes ready; nil when none is delayed.
    public var nextDeadline: Instant? { timers.first?.deadline }

    /// Hands out the next key, or nil when none is ready. The worker must call `done` when it has finished.
    public mutating func take(now: Instant) -> Taken? {
        promote(now)
        let lowFirst = (takes + 1) % configuration.lowPriorityShare == 0
        guard let key = lowFirst ? popLow() ?? popNormal() : popNormal() ?? popLow(),
            let entry = ready.removeValue(forKey: key)
        else { return nil }
        takes += 1
        delayed[key] = nil
        processing[key] = now
        return Taken(key: key, waited: now - entry.since, attempt: failureCount(of: key) + 1)
    }

    /// The worker has finished with `key`; returns how long it worked. Queues it again when it was added meanwhile.
    @discardableResult
    public mutating func done(_ key: Key, now: Instant) -> Duration {
        guard let started = processing.removeValue(forKey: key) else { return .zero }
        if let priority = dirty.removeValue(forKey: key) { add(key, priority: priority, now: now) }
        return now - started
    }

    /// Sum and maximum of the time that unfinished work has taken so far.
    public func unfinished(now: Instant) -> (total: Duration, longest: Duration) {
        processing.values.reduce(into: (.zero, .zero)) { result, started in
            result.0 += now - started
            result.1 = max(result.1, now - started)
        }
    }

    private mutating func promote(_ now: Instant) {
        while let timer = timers.first, timer.deadline <= now || delayed[timer.key]?.ticket != timer.number {
            _ = timers.popFirst()
            guard let entry = delayed[timer.key], entry.ticket == timer.number else { continue }
            delayed[timer.key] = nil
            add(timer.key, priority: entry.priority, now: now)
        }
    }

    private mutating func popNormal() -> Key? {
        while let ticket = normal.popFirst() {
            if ready[ticket.key]?.ticket == ticket.number { return ticket.key }
        }
        return nil
    }

    private mutating func popLow() -> Key? {
        while let ticket = low.popFirst() {
            if ready[ticket.key]?.ticket == ticket.number { return ticket.key }
        }
        return nil
    }
}
