internal import FoundationEssentials
internal import Postgres
public import TodoModel

/// A delivery that this process is to attempt now, and nobody else until the lease ends.
public struct ClaimedDelivery: Sendable {
    public var delivery: NotificationDelivery
    /// Nil when it is gone.
    public var channel: NotificationChannel?
    public var secrets: NotificationStore.Secrets?
    public var giveUp: Instant
    /// Where it goes, in lower case; of a mail, its own id.
    let host: String
    let claim: UUID
}

/// What is to become of a delivery after an attempt.
public enum DeliveryVerdict: Sendable, Hashable {
    case delivered
    case retry(at: Instant, error: String)
    case dead(error: String)
    case skipped(error: String)
}

extension NotificationStore {
    /// How many are looked at for one claim: those that wait longest, of whoever may have more.
    private static let window = 256

    /// Takes deliveries of a kind that are due, the longest waiting first, as the quota allows. Each counts as attempted:
    /// should this process die, they are due again when the lease ends, with the same id.
    ///
    /// Where there is something to take, at least one is taken; not all that is allowed, where somebody with much to be
    /// sent is ahead of others: claim until there is none.
    public func claim(
        _ kind: NotificationChannel.Kind, _ quota: ClaimQuota, lease: Duration, at now: Instant
    ) async throws -> [ClaimedDelivery] {
        let claim = database.makeID()
        let held = quota.underWay
        let statement: SQLFragment = """
            WITH waiting AS MATERIALIZED (
                SELECT d.user_id, d.id, \(ClaimQuota.lane) AS lane, \(ClaimQuota.host) AS host, d.next_attempt_at
                FROM deliveries d
                WHERE d.state = 'pending' AND d.kind = \(kind.rawValue) AND d.next_attempt_at <= \(now.timestamp)
                    AND \(quota.admits)
                ORDER BY d.next_attempt_at LIMIT \(Self.window)),
            -- What is under way stands in front. The same order everywhere: so the first of all is taken.
            line AS (
                SELECT * FROM waiting UNION ALL
                SELECT h.*, '-infinity'::timestamptz FROM unnest(
                    \(held.map(\.delivery.user)), \(held.map(\.delivery.id)), \(held.map(\.lane)), \(held.map(\.host))) h),
            placed AS (
                SELECT l.*, row_number() OVER (PARTITION BY l.user_id ORDER BY l.next_attempt_at, l.id) AS of_person,
                    row_number() OVER (PARTITION BY l.lane ORDER BY l.next_attempt_at, l.id) AS of_channel,
                    row_number() OVER (PARTITION BY l.host ORDER BY l.next_attempt_at, l.id) AS of_host
                FROM line l),
            due AS (
                SELECT d.user_id, d.id FROM placed p JOIN deliveries d ON d.user_id = p.user_id AND d.id = p.id
                WHERE p.next_attempt_at > '-infinity' AND p.of_person <= \(quota.perPerson)
                    AND p.of_channel <= \(quota.perChannel) AND p.of_host <= \(quota.perHost)
                    AND d.state = 'pending' AND d.next_attempt_at <= \(now.timestamp)
                ORDER BY p.next_attempt_at LIMIT \(quota.limit) FOR UPDATE OF d SKIP LOCKED),
            claimed AS (
                UPDATE deliveries d SET claim = \(claim), attempts = d.attempts + 1,
                    last_attempt_at = \(now.timestamp), next_attempt_at = \((now + lease).timestamp)
                FROM due WHERE d.user_id = due.user_id AND d.id = due.id RETURNING d.*)
            SELECT \(raw: NotificationDelivery.columns(of: "d")), d.give_up_at, \(ClaimQuota.host), c.secret,
                CASE WHEN c.former_until > \(now.timestamp) THEN c.former_secret END,
                c.id IS NOT NULL, \(raw: NotificationChannel.columns(of: "c"))
            FROM claimed d LEFT JOIN notification_channels c ON c.user_id = d.user_id AND c.id = d.channel_id
            ORDER BY d.id
            """
        return try await database.rows(as: .system, "delivery.claim", statement).map { row in
            var columns = ColumnReader(row)
            let delivery = try NotificationDelivery(columns: &columns)
            let (giveUp, host) = (try columns.instant(), try columns.next(String.self))
            let (secret, former) = (try columns.next([UInt8]?.self), try columns.next([UInt8]?.self))
            let channel = try columns.next(Bool.self) ? try NotificationChannel(columns: &columns) : nil
            return ClaimedDelivery(
                delivery: delivery, channel: channel, secrets: secret.map { Secrets(current: $0, former: former) },
                giveUp: giveUp, host: host, claim: claim)
        }
    }

    /// Holds on to deliveries that are under way; those that somebody else has taken over stay theirs.
    public func renew(_ held: [ClaimedDelivery], lease: Duration, at now: Instant) async throws {
        guard !held.isEmpty else { return }
        let statement: SQLFragment = """
            UPDATE deliveries d SET next_attempt_at = \((now + lease).timestamp)
            FROM unnest(\(held.map(\.delivery.user)), \(held.map(\.delivery.id)), \(held.map(\.claim)))
                AS h (user_id, id, claim)
            WHERE d.user_id = h.user_id AND d.id = h.id AND d.claim = h.claim AND d.state = 'pending'
            """
        _ = try await database.rows(as: .system, "delivery.renew", statement)
    }

    /// When the next delivery of a kind is due that the quota allows; nil when there is none.
    public func nextDue(_ kind: NotificationChannel.Kind, _ quota: ClaimQuota) async throws -> Instant? {
        let statement: SQLFragment = """
            SELECT d.next_attempt_at FROM deliveries d WHERE d.state = 'pending' AND d.kind = \(kind.rawValue)
                AND \(quota.admits) ORDER BY d.next_attempt_at LIMIT 1
            """
        let row = try await database.rows(as: .system, "delivery.next", statement).first
        return try row.map { Instant(try $0.decode(PostgresTimestamp.self)) }
    }

    /// Writes down what became of an attempt. False when it took longer than the lease and somebody else has the
    /// delivery now: then nothing is written.
    ///
    /// - Parameter update: called with what the channel's circuit is at, under a lock, and gives what it is to be; nil
    ///   leaves it. When it opens, what else is to be sent there is put off until it closes.
    public func settle(
        _ claimed: ClaimedDelivery, _ verdict: DeliveryVerdict, rules: EnqueueRules = EnqueueRules(), at now: Instant,
        circuit update: (@Sendable (_ channel: NotificationChannel) -> NotificationChannel)? = nil
    ) async throws -> Bool {
        let settle = Self.statement(claimed, verdict, at: now)
        guard let update, let channel = claimed.channel else {
            return try await database.rows(as: .system, "delivery.settle", settle).affected == 1
        }
        return try await database.transaction { database in
            guard try await database.rows(as: .system, "delivery.settle", settle).affected == 1 else { return false }
            let lock: SQLFragment = """
                SELECT \(raw: NotificationChannel.columns(of: "c")) FROM notification_channels c
                WHERE c.user_id = \(channel.user) AND c.id = \(channel.id) FOR UPDATE
                """
            let row = try await database.rows(as: .system, "channel.lock", lock).first
            guard let before = try row.map({ try NotificationChannel($0) }) else { return true }
            let after = update(before)
            guard after != before else { return true }
            let pace = after.kind == .webhook ? rules.webhook : rules.email
            _ = try await database.read(as: .system, Self.changes(from: before, to: after, pace))
            return true
        }
    }

    private static func statement(
        _ claimed: ClaimedDelivery, _ verdict: DeliveryVerdict, at now: Instant
    ) -> SQLFragment {
        let change: SQLFragment
        switch verdict {
        case .delivered:
            change = "state = 'delivered', next_attempt_at = NULL, delivered_at = \(now.timestamp), last_error = NULL"
        case .retry(let time, let error): change = "next_attempt_at = \(time.timestamp), last_error = \(error)"
        case .dead(let error): change = "state = 'dead', next_attempt_at = NULL, last_error = \(error)"
        case .skipped(let error): change = "state = 'skipped', next_attempt_at = NULL, last_error = \(error)"
        }
        // What a ReminderSchedule asked for is counted for its status, with the outcome or not at all.
        return """
            WITH settled AS (
                UPDATE deliveries d SET claim = NULL, \(change)
                WHERE d.user_id = \(claimed.delivery.user) AND d.id = \(claimed.delivery.id)
                    AND d.claim = \(claimed.claim)
                RETURNING d.state, d.content -> 'data' -> 'reminder' ->> 'policy' AS policy),
            counted AS (
                INSERT INTO reminder_tallies (policy_id, delivered, failed)
                SELECT o.id, (s.state = 'delivered')::int, (s.state = 'dead')::int
                FROM settled s JOIN reminder_policies o ON o.id = s.policy::uuid
                WHERE s.state IN ('delivered', 'dead'))
            SELECT true FROM settled
            """
    }

    private static func changes(
        from before: NotificationChannel, to after: NotificationChannel, _ pace: DeliveryPace
    ) -> [PostgresQuery] {
        let save: SQLFragment = """
            UPDATE notification_channels c SET failures = \(Int32(clamping: after.failures)),
                blocked_until = \(after.blockedUntil?.timestamp), paused_at = \(after.paused?.timestamp),
                paused_because = \(after.pausedBecause)
            WHERE c.user_id = \(after.user) AND c.id = \(after.id)
            """
        guard let end = after.blockedUntil, end != before.blockedUntil else {
            return [save.query(named: "channel.save")]
        }
        // One after the other, so that the first shows whether it is well again.
        let putOff: SQLFragment = """
            UPDATE deliveries d SET next_attempt_at = \(end.timestamp) + make_interval(secs => q.nth * \(pace.seconds))
            FROM (SELECT l.id, row_number() OVER (ORDER BY l.next_attempt_at) AS nth FROM (
                SELECT o.id, o.next_attempt_at FROM deliveries o
                WHERE o.user_id = \(after.user) AND o.channel_id = \(after.id) AND o.state = 'pending'
                    AND o.claim IS NULL AND o.next_attempt_at < \(end.timestamp) FOR UPDATE SKIP LOCKED) l) q
            WHERE d.user_id = \(after.user) AND d.id = q.id
            """
        return [save.query(named: "channel.save"), putOff.query(named: "channel.put-off")]
    }
}
