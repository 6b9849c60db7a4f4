internal import FoundationEssentials
internal import TodoModel
internal import TodoStore

/// What is under way, and how much more may be: pure. No person, and no host that many people have, can take all there
/// is by answering slowly. Mails have slots of their own, for they all wait for one server.
struct DeliverySlots: Sendable {
    typealias Kind = NotificationChannel.Kind

    /// Attempts at once: in all, for one channel, for one person, to one host.
    private struct Limits: Sendable {
        let all: Int
        let perChannel: Int
        let perPerson: Int
        let perHost: Int
    }

    /// To a host go as many as the transport has connections for.
    static let perHost = 16

    private static func limits(_ kind: Kind) -> Limits {
        switch kind {
        case .webhook: Limits(all: 128, perChannel: 4, perPerson: 16, perHost: perHost)
        case .email: Limits(all: 16, perChannel: 4, perPerson: 4, perHost: perHost)
        }
    }

    private(set) var running: [UUID: ClaimedDelivery] = [:]
    /// By which something was claimed last.
    private var last: [Kind: ClaimQuota] = [:]

    private func running(_ kind: Kind) -> [ClaimedDelivery] {
        running.values.filter { $0.delivery.kind == kind.rawValue }
    }

    /// What may be claimed now; nil when there is no room.
    mutating func quota(for kind: Kind) -> ClaimQuota? {
        let (limits, running) = (Self.limits(kind), running(kind))
        guard running.count < limits.all else { return nil }
        let quota = ClaimQuota(
            limit: limits.all - running.count, perChannel: limits.perChannel, perPerson: limits.perPerson,
            perHost: limits.perHost, underWay: running)
        last[kind] = quota
        return quota
    }

    mutating func begin(_ claimed: ClaimedDelivery) { running[claimed.delivery.id] = claimed }

    /// Whether to claim again. Not at every end: what makes room is claimed together, unless others like this one were
    /// left out for it.
    mutating func end(_ claimed: ClaimedDelivery) -> Bool {
        running[claimed.delivery.id] = nil
        guard let kind = Kind(rawValue: claimed.delivery.kind) else { return false }
        let left = running(kind).count
        return left == 0 || left == Self.limits(kind).all / 2 || last[kind]?.leavesOut(claimed) ?? false
    }
}
