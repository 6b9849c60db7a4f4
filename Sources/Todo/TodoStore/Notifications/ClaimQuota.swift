internal import FoundationEssentials
internal import TodoModel

/// How much of what is due may be taken at once, beside what is under way.
public struct ClaimQuota: Sendable {
    let limit: Int
    let perChannel: Int
    let perPerson: Int
    let perHost: Int
    let underWay: [ClaimedDelivery]
    /// Those that have all that they may.
    let fullChannels: [UUID]
    let fullPeople: [UUID]
    let fullHosts: [String]

    /// - Parameters:
    ///   - limit: of one claim.
    ///   - underWay: counts against `perChannel`, `perPerson` and `perHost`.
    public init(limit: Int, perChannel: Int, perPerson: Int, perHost: Int, underWay: [ClaimedDelivery] = []) {
        self.limit = limit
        self.perChannel = perChannel
        self.perPerson = perPerson
        self.perHost = perHost
        self.underWay = underWay
        fullChannels = Self.having(perChannel, of: underWay.map(\.lane))
        fullPeople = Self.having(perPerson, of: underWay.map(\.delivery.user))
        fullHosts = Self.having(perHost, of: underWay.map(\.host))
    }

    private static func having<Key: Hashable>(_ limit: Int, of keys: [Key]) -> [Key] {
        Dictionary(keys.map { ($0, 1) }, uniquingKeysWith: +).filter { $0.value >= limit }.map(\.key)
    }

    /// Whether one like this could not be taken.
    public func leavesOut(_ claimed: ClaimedDelivery) -> Bool {
        fullChannels.contains(claimed.lane) || fullPeople.contains(claimed.delivery.user)
            || fullHosts.contains(claimed.host)
    }

    /// Whether a row of `deliveries d` is of none that has all it may.
    var admits: SQLFragment {
        """
        d.user_id <> ALL (\(fullPeople)) AND \(Self.lane) <> ALL (\(fullChannels))
            AND (\(fullHosts.isEmpty) OR \(Self.host) <> ALL (\(fullHosts)))
        """
    }

    /// The channel; each for itself where that is gone.
    static let lane: SQLFragment = "COALESCE(d.channel_id, d.id)"
    /// Of a URL; mails have none, so that each counts for itself.
    static let host: SQLFragment =
        #"COALESCE(lower(substring(d.target FROM '^https?://(\[[^]]*\]|[^/?#:]*)')), d.id::text)"#
}

extension ClaimedDelivery {
    /// Deliveries of one channel.
    var lane: UUID { delivery.channel ?? delivery.id }
}
