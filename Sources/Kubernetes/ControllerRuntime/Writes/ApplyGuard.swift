/// Decides whether an object has to be applied, and stops those who fight over it.
///
/// For each object it remembers two digests: of what was applied, and of what the server then showed of the fields
/// that are ours (`OwnedFields`). As long as both are the same nothing is written; so defaults, webhooks and other
/// owners' fields cause no write, and every change to a field of ours causes one at once. Nothing is known of an
/// object after a start: it is applied once, which changes nothing on the server when nothing has to change.
///
/// What has been applied unchanged five times within a minute is being undone by somebody else: the next apply waits a
/// minute, then two, up to 1000 s, and the object counts as stalled until it stays as applied for a minute.
public struct ApplyGuard: Sendable {
    public struct Configuration: Sendable {
        /// Applies of one desired state within `window` before the next has to wait.
        public var limit = 5
        public var window: Duration = .seconds(60)
        public var firstHold: Duration = .seconds(60)
        public var longestHold: Duration = .seconds(1000)
        public init() {}
    }

    /// What is guarded: an object, or its status.
    public struct Target: Sendable, Hashable {
        public let object: ObjectReference
        public let subresource: String?

        public init(_ object: ObjectReference, subresource: String? = nil) {
            self.object = object
            self.subresource = subresource
        }
    }

    public enum Verdict: Sendable, Equatable {
        case upToDate
        case apply
        /// Not before `until`. `isNew` is true once for each time that this begins: the moment to tell people.
        case hold(until: Instant, isNew: Bool)
    }

    private struct Record: Sendable {
        var desired: UInt64
        var owned: UInt64?
        var applies: [Instant] = []
        var holds = 0
        var heldUntil: Instant?
        var isGone = false
    }

    private let configuration: Configuration
    private var records: [Target: Record] = [:]

    public init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

    public var count: Int { records.count }

    /// `desired` is the digest of what is wanted; `live` that of our fields in the cache, nil when there is no object.
    public mutating func judge(_ target: Target, desired: UInt64, live: UInt64?, now: Instant) -> Verdict {
        guard var record = records[target], record.desired == desired else { return .apply }
        if record.owned == live, live != nil {
            if record.holds > 0, !isRecent(record, now) {
                record.holds = 0
                record.heldUntil = nil
                records[target] = record
            }
            return .upToDate
        }
        if let until = record.heldUntil, now < until { return .hold(until: until, isNew: false) }
        record.applies.removeAll { now - $0 >= configuration.window }
        // After a first hold a single undone apply is enough for the next one.
        let limit = record.holds > 0 && record.heldUntil != nil ? 1 : configuration.limit
        guard record.applies.count >= limit else { return .apply }
        let hold = Backoff.exponential(
            base: configuration.firstHold, failures: record.holds, limit: configuration.longestHold)
        let until = now.advanced(by: hold)
        record.holds += 1
        record.heldUntil = until
        records[target] = record
        return .hold(until: until, isNew: true)
    }

    /// The object was applied; `owned` is the digest of our fields in the server's answer.
    public mutating func applied(_ target: Target, desired: UInt64, owned: UInt64, now: Instant) {
        var record = records[target] ?? Record(desired: desired)
        if record.desired != desired { record = Record(desired: desired) }
        record.owned = owned
        record.isGone = false
        record.applies.removeAll { now - $0 >= configuration.window }
        record.applies.append(now)
        records[target] = record
    }

    /// Whether somebody keeps undoing what is applied to the object.
    public func isStalled(_ target: Target, now: Instant) -> Bool {
        guard let record = records[target], record.holds > 0 else { return false }
        return record.heldUntil.map { now < $0 } ?? false || isRecent(record, now)
    }

    /// The object was deleted on our own account.
    public mutating func forget(_ target: Target) { records[target] = nil }

    /// The object has gone; its record goes too, unless somebody may be fighting over it.
    public mutating func noteGone(_ object: ObjectReference, now: Instant) {
        for target in [Target(object), Target(object, subresource: "status")] {
            guard let record = records[target] else { continue }
            if isRecent(record, now) || record.holds > 0 {
                records[target]?.isGone = true
            } else {
                records[target] = nil
            }
        }
    }

    /// Drops the records of objects that have been gone for a while. Called now and then.
    public mutating func prune(now: Instant) {
        records = records.filter { _, record in
            !record.isGone || isRecent(record, now) || record.heldUntil.map { now < $0 } ?? false
        }
    }

    private func isRecent(_ record: Record, _ now: Instant) -> Bool {
        record.applies.last.map { now - $0 < configuration.window } ?? false
    }
}
