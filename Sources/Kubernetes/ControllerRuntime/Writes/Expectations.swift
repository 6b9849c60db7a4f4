/// What a controller's own writes must bring into its caches before the next pass over the same key.
///
/// A pass that runs on a cache without the last pass's writes repeats them. So the key is held until the cache shows
/// each written object at the written version or later, or gone. After 30 s the object is to be read live and the
/// expectation ends, whatever the answer: a cache that never catches up delays a key and cannot stop it.
///
/// The pass has the server's answer to what it wrote. So when a watch shows just that version, it brings no further
/// pass, be it before the answer came or after it.
public struct Expectations: Sendable {
    public enum Verdict: Sendable, Equatable {
        case satisfied
        /// Wait for the caches, at most until then.
        case wait(until: Instant)
        /// The caches had their time: read these live; the expectations are dropped with this answer.
        case check([ObjectReference])
    }

    private enum Wanted: Sendable {
        case version(String, uid: String)
        case deletion(uid: String)
    }

    private struct Pending: Sendable {
        var wanted: Wanted
        var deadline: Instant
        var isAnswered: Bool
    }

    private struct Version: Hashable, Sendable {
        let object: ObjectReference
        let text: String
    }

    /// A pass under way.
    private struct Pass: Sendable {
        var written: Set<Version?> = []
        /// What the caches were told meanwhile, and how soon that asks for a pass; nil for what no write of ours can be.
        var told: [Version?: Urgency] = [:]
    }

    public let patience: Duration
    private var passes: [ObjectKey: Pass] = [:]
    private var byKey: [ObjectKey: [ObjectReference: Pending]] = [:]
    private var byObject: [ObjectReference: Set<ObjectKey>] = [:]

    public init(patience: Duration = .seconds(30)) { self.patience = patience }

    public var count: Int { byKey.values.reduce(0) { $0 + $1.count } }

    /// A pass over `key` wrote the object; the server gave it `version`. `isAnswered` says that the pass has all that it
    /// needs to know of the object from the server's answer.
    public mutating func expect(
        _ object: ObjectReference, version: String, uid: String, for key: ObjectKey, isAnswered: Bool = false,
        now: Instant
    ) {
        let deadline = now.advanced(by: patience)
        add(Pending(wanted: .version(version, uid: uid), deadline: deadline, isAnswered: isAnswered), object, key)
        if isAnswered { passes[key]?.written.insert(Version(object: object, text: version)) }
    }

    /// A pass over `key` deleted the object with this uid.
    public mutating func expectDeletion(_ object: ObjectReference, uid: String, for key: ObjectKey, now: Instant) {
        let deadline = now.advanced(by: patience)
        add(Pending(wanted: .deletion(uid: uid), deadline: deadline, isAnswered: false), object, key)
    }

    /// Nothing is to be waited for any longer of the object.
    public mutating func forget(_ object: ObjectReference, for key: ObjectKey) { remove(object, key) }

    public mutating func beginPass(_ key: ObjectKey) { passes[key] = Pass() }

    /// How soon there has to be another pass, because the caches were told of more than what this one itself wrote; nil
    /// when they were not.
    public mutating func endPass(_ key: ObjectKey) -> Urgency? {
        guard let pass = passes.removeValue(forKey: key) else { return nil }
        return pass.told.lazy.filter { !pass.written.contains($0.key) }.map(\.value).max()
    }

    /// Whether a change of the object, which concerns `key`, brings a pass now: not while one is under way, whose end
    /// will tell, and not when it is known to be the last one's own. To be asked before `observe`.
    ///
    /// - Parameter version: of what a watch has shown; nil for a deletion, and for a list, which may skip versions.
    public mutating func bringsPass(
        _ object: ObjectReference, version: String?, to key: ObjectKey, _ urgency: Urgency = .atOnce
    ) -> Bool {
        if passes[key] != nil {
            let told = version.map { Version(object: object, text: $0) }
            passes[key]?.told.merge([told: urgency], uniquingKeysWith: max)
            return false
        }
        guard let version, let pending = byKey[key]?[object], pending.isAnswered,
            case .version(version, _) = pending.wanted
        else { return true }
        return false
    }

    /// The cache holds `present` of the object now, after `gone` was removed from it. Returns the keys for which
    /// nothing is left to wait for.
    public mutating func observe(
        _ object: ObjectReference, present: StoredObject?, gone: StoredObject? = nil
    ) -> [ObjectKey] {
        var released: [ObjectKey] = []
        for key in byObject[object] ?? [] {
            guard let pending = byKey[key]?[object], isMet(pending.wanted, present, gone) else { continue }
            remove(object, key)
            if byKey[key] == nil { released.append(key) }
        }
        return released.sorted()
    }

    /// Whether a pass over `key` may run.
    public mutating func verdict(_ key: ObjectKey, now: Instant) -> Verdict {
        guard let pending = byKey[key] else { return .satisfied }
        let overdue = pending.filter { $0.value.deadline <= now }.keys
        guard overdue.isEmpty else {
            for object in overdue { remove(object, key) }
            return .check(overdue.sorted { $0.description < $1.description })
        }
        return .wait(until: pending.values.map(\.deadline).min() ?? now)
    }

    private func isMet(_ wanted: Wanted, _ present: StoredObject?, _ gone: StoredObject?) -> Bool {
        switch wanted {
        case .version(let version, let uid):
            if let present, let isThere = ResourceVersion.isAtLeast(present.resourceVersion, version) { return isThere }
            if present != nil { return true }  // versions that cannot be compared: any news will do
            return gone?.uid == uid
        case .deletion(let uid):
            guard let present else { return true }
            return present.uid != uid || present.isBeingDeleted
        }
    }

    private mutating func add(_ pending: Pending, _ object: ObjectReference, _ key: ObjectKey) {
        byKey[key, default: [:]][object] = pending
        byObject[object, default: []].insert(key)
    }

    private mutating func remove(_ object: ObjectReference, _ key: ObjectKey) {
        byKey[key]?[object] = nil
        if byKey[key]?.isEmpty == true { byKey[key] = nil }
        byObject[object]?.remove(key)
        if byObject[object]?.isEmpty == true { byObject[object] = nil }
    }
}
