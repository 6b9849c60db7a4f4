internal import KubernetesClient

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

    /// What an object was last given, and when. There is one for every object, so it is small.
    private struct Record: Sendable {
        var desired: UInt64
        var owned: UInt64
        var applied: Instant
    }

    /// Of an object that was given the same more than once.
    private struct Fight: Sendable {
        var applies: [Instant]
        var holds = 0
        var heldUntil: Instant?
    }

    private struct Kind: Sendable, Hashable {
        let type: ResourceType
        let subresource: String?
    }

    private let configuration: Configuration
    private var records: [Kind: [ObjectKey: Record]] = [:]
    private var fights: [Target: Fight] = [:]
    /// Those whose objects have gone, and may come back.
    private var gone: Set<Target> = []

    public init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

    public var count: Int { records.values.reduce(fights.count + gone.count) { $0 + $1.count } }

    private subscript(target: Target) -> Record? {
        get { records[Kind(type: target.object.type, subresource: target.subresource)]?[target.object.key] }
        set {
            records[Kind(type: target.object.type, subresource: target.subresource), default: [:]][target.object.key] =
                newValue
        }
    }

    /// `desired` is the digest of what is wanted; `live` that of our fields in the cache, nil when there is no object.
    public mutating func judge(_ target: Target, desired: UInt64, live: UInt64?, now: Instant) -> Verdict {
        guard let record = self[target], record.desired == desired else { return .apply }
        if record.owned == live {
            if !isRecent(record, now) { fights[target] = nil }
            return .upToDate
        }
        var fight = fights[target] ?? Fight(applies: [record.applied])
        if let until = fight.heldUntil, now < until { return .hold(until: until, isNew: false) }
        fight.applies.removeAll { now - $0 >= configuration.window }
        // After a first hold a single undone apply is enough for the next one.
        let limit = fight.holds > 0 ? 1 : configuration.limit
        guard fight.applies.count >= limit else { return .apply }
        let hold = Backoff.exponential(
            base: configuration.firstHold, failures: fight.holds, limit: configuration.longestHold)
        let until = now.advanced(by: hold)
        fight.holds += 1
        fight.heldUntil = until
        fights[target] = fight
        return .hold(until: until, isNew: true)
    }

    /// The object was applied; `owned` is the digest of our fields in the server's answer.
    public mutating func applied(_ target: Target, desired: UInt64, owned: UInt64, now: Instant) {
        if let last = self[target], last.desired == desired {
            var fight = fights[target] ?? Fight(applies: [last.applied])
            fight.applies.removeAll { now - $0 >= configuration.window }
            fight.applies.append(now)
            fights[target] = fight
        } else {
            fights[target] = nil
        }
        self[target] = Record(desired: desired, owned: owned, applied: now)
        gone.remove(target)
    }

    /// Whether somebody keeps undoing what is applied to the object.
    public func isStalled(_ target: Target, now: Instant) -> Bool {
        guard let record = self[target], let fight = fights[target], fight.holds > 0 else { return false }
        return isHeld(fight, now) || isRecent(record, now)
    }

    /// The object was deleted on our own account.
    public mutating func forget(_ target: Target) {
        self[target] = nil
        fights[target] = nil
        gone.remove(target)
    }

    /// The object has gone; what is known of it goes too, unless somebody may be fighting over it.
    public mutating func noteGone(_ object: ObjectReference, now: Instant) {
        for target in [Target(object), Target(object, subresource: "status")] {
            guard let record = self[target] else { continue }
            if isRecent(record, now) || fights[target].map({ $0.holds > 0 }) ?? false {
                gone.insert(target)
            } else {
                forget(target)
            }
        }
    }

    /// Drops what is known of objects that have been gone for a while, and what was no fight after all. Called now and
    /// then.
    public mutating func prune(now: Instant) {
        for target in gone where !isRecent(target, now) && !(fights[target].map { isHeld($0, now) } ?? false) {
            forget(target)
        }
        fights = fights.filter { $0.value.holds > 0 || isRecent($0.key, now) }
    }

    private func isRecent(_ target: Target, _ now: Instant) -> Bool { self[target].map { isRecent($0, now) } ?? false }

    private func isRecent(_ record: Record, _ now: Instant) -> Bool { now - record.applied < configuration.window }

    private func isHeld(_ fight: Fight, _ now: Instant) -> Bool { fight.heldUntil.map { now < $0 } ?? false }
}
