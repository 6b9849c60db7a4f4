public import KubernetesClient

/// One candidate's part in an election by Lease, without clock and I/O.
///
/// A candidate takes the lease when nobody holds it, or when it has seen no change of it for the lease's duration on
/// its own monotonic clock; wall clocks are written but never compared. A leader is one until `renewDeadline` after
/// it *sent* its last successful renewal: others cannot take over before `leaseDuration` has passed since, so a write
/// that was sent in time has the difference to arrive. Who has lost the lease once is done: the process is to end.
public struct LeaderElection: Sendable {
    public struct Configuration: Sendable {
        public var leaseDuration: Duration = .seconds(15)
        public var renewDeadline: Duration = .seconds(10)
        public var retryPeriod: Duration = .seconds(2)
        /// Longest time for one request: half the renew deadline, so that one that hangs leaves time for another.
        public var requestTimeout: Duration = .seconds(5)
        public init() {}
    }

    public enum Input: Sendable, Equatable {
        case start
        case woke
        case read(LeaseRecord?)
        case written(LeaseRecord)
        /// `conflict`: somebody else wrote the lease in between.
        case failed(conflict: Bool, reason: String)
        /// Give the lease back, if it is held.
        case release
    }

    public enum Effect: Sendable, Equatable {
        case acquired(validUntil: Instant)
        case renewed(validUntil: Instant)
        case lost(reason: String)
        case leaderSeen(String)
    }

    public enum Command: Sendable, Equatable {
        case read(deadline: Instant)
        /// Create the lease when `resourceVersion` is empty, else replace exactly that version.
        case write(LeaseRecord, deadline: Instant)
        case sleep(until: Instant)
        case stop
    }

    public struct Output: Sendable, Equatable {
        public var effects: [Effect] = []
        public var command: Command
    }

    public let identity: String
    public let configuration: Configuration
    /// Instant at which leadership ends unless renewed; nil while not leading.
    public private(set) var validUntil: Instant?
    private var observed: LeaseRecord?
    private var observedAt: Instant?
    private var requestedAt: Instant?
    private var isReleasing = false
    private var isOver = false

    public init(identity: String, configuration: Configuration = Configuration()) {
        self.identity = identity
        self.configuration = configuration
    }

    public var isLeading: Bool { validUntil != nil }

    /// `wallClock` is only written into the lease; `random` is in `0..<1`.
    public mutating func handle(
        _ input: Input, now: Instant, wallClock: KubernetesTime, random: Double
    ) -> Output {
        if isOver { return Output(command: .stop) }
        if let validUntil, now >= validUntil, !isReleasing {
            return lose("the lease was not renewed within \(configuration.renewDeadline)")
        }
        switch input {
        case .start, .woke: return isLeading ? renew(now, wallClock) : read(now)
        case .read(let record): return take(record, now, wallClock, random)
        case .written(let record): return written(record, now)
        case .failed(let conflict, _): return failed(conflict, now, random)
        case .release: return release(now, wallClock)
        }
    }
}

extension LeaderElection {
    private func deadline(_ now: Instant) -> Instant {
        let own = now.advanced(by: configuration.requestTimeout)
        return validUntil.map { min(own, $0) } ?? own
    }

    private mutating func lose(_ reason: String) -> Output {
        isOver = true
        validUntil = nil
        return Output(effects: [.lost(reason: reason)], command: .stop)
    }

    private func read(_ now: Instant) -> Output { Output(command: .read(deadline: deadline(now))) }

    private mutating func write(_ record: LeaseRecord, _ now: Instant) -> Output {
        requestedAt = now
        return Output(command: .write(record, deadline: deadline(now)))
    }

    private mutating func renew(_ now: Instant, _ wallClock: KubernetesTime) -> Output {
        guard var record = observed else { return read(now) }
        record.renewTime = wallClock
        record.durationSeconds = durationSeconds
        return write(record, now)
    }

    /// A lease is stamped in whole seconds, rounded up so that nobody takes over early.
    private var durationSeconds: Int {
        let (seconds, attoseconds) = configuration.leaseDuration.components
        return Int(seconds) + (attoseconds > 0 ? 1 : 0)
    }

    private mutating func take(
        _ record: LeaseRecord?, _ now: Instant, _ wallClock: KubernetesTime, _ random: Double
    ) -> Output {
        var effects: [Effect] = []
        if let record, record.holder != observed?.holder, !record.holder.isEmpty, record.holder != identity {
            effects.append(.leaderSeen(record.holder))
        }
        if record != observed {
            observed = record
            observedAt = now
        }
        guard let record else {
            if isLeading { return lose("the lease was deleted") }
            return acquire(nil, now, wallClock)
        }
        if record.holder == identity { return renewOwn(record, now, wallClock) }
        if isLeading { return lose("\(record.holder) holds the lease") }
        let expiry = (observedAt ?? now).advanced(by: .seconds(record.durationSeconds))
        if record.holder.isEmpty || now >= expiry { return acquire(record, now, wallClock) }
        return Output(effects: effects, command: .sleep(until: min(expiry, retry(now, random))))
    }

    /// Ours: after a conflict with an answer that was lost on the way, or of this very candidate before it knew.
    private mutating func renewOwn(_ record: LeaseRecord, _ now: Instant, _ wallClock: KubernetesTime) -> Output {
        observed = record
        return renew(now, wallClock)
    }

    private mutating func acquire(_ record: LeaseRecord?, _ now: Instant, _ wallClock: KubernetesTime) -> Output {
        let new = LeaseRecord(
            holder: identity, durationSeconds: durationSeconds, acquireTime: wallClock, renewTime: wallClock,
            transitions: record.map { $0.transitions + 1 } ?? 0, resourceVersion: record?.resourceVersion ?? "")
        return write(new, now)
    }

    private mutating func written(_ record: LeaseRecord, _ now: Instant) -> Output {
        if isReleasing {
            isOver = true
            validUntil = nil
            return Output(command: .stop)
        }
        let sent = requestedAt ?? now
        let until = sent.advanced(by: configuration.renewDeadline)
        observed = record
        observedAt = now
        guard now < until else { return lose("the answer to the renewal came too late") }
        let effect: Effect = isLeading ? .renewed(validUntil: until) : .acquired(validUntil: until)
        validUntil = until
        return Output(effects: [effect], command: .sleep(until: sent.advanced(by: configuration.retryPeriod)))
    }

    private mutating func failed(_ conflict: Bool, _ now: Instant, _ random: Double) -> Output {
        if isReleasing {
            isOver = true
            return Output(command: .stop)
        }
        if conflict, isLeading { return read(now) }
        guard let validUntil else { return Output(command: .sleep(until: retry(now, random))) }
        // Counted from the request: one that hung leaves its successor all the time that is left.
        let next = (requestedAt ?? now).advanced(by: configuration.retryPeriod)
        return Output(command: .sleep(until: min(validUntil, max(now, next))))
    }

    private mutating func release(_ now: Instant, _ wallClock: KubernetesTime) -> Output {
        guard isLeading, var record = observed else {
            isOver = true
            return Output(command: .stop)
        }
        isReleasing = true
        record.holder = ""
        record.durationSeconds = 1
        record.renewTime = wallClock
        return write(record, now)
    }

    private func retry(_ now: Instant, _ random: Double) -> Instant {
        now.advanced(by: configuration.retryPeriod * (1 + 0.2 * random))
    }
}
