public import FoundationEssentials
internal import Postgres
public import StructuredData
public import TodoModel

/// Something that a person is to be told by some channels.
public struct Notice: Sendable, Hashable {
    public var user: UUID
    public var reminder: UUID
    public var fired: Instant
    /// Which kinds of channel it is for, each once.
    public var kinds: [String]
    public var content: JSON

    public init(user: UUID, reminder: UUID, fired: Instant, kinds: [String], content: JSON) {
        self.user = user
        self.reminder = reminder
        self.fired = fired
        self.kinds = kinds
        self.content = content
    }
}

/// How fast one channel may be sent things: so many at once, then one each interval.
public struct DeliveryPace: Sendable, Hashable {
    public var burst: Int
    public var interval: Duration

    public init(burst: Int, interval: Duration) {
        self.burst = burst
        self.interval = interval
    }

    var seconds: Double { interval / .seconds(1) }
}

/// What deliveries are made by.
public struct EnqueueRules: Sendable, Hashable {
    public var webhook = DeliveryPace(burst: 50, interval: .milliseconds(100))
    public var email = DeliveryPace(burst: 20, interval: .seconds(1))
    /// How long a delivery is tried.
    public var lifetime: Duration = .seconds(86_400)

    public init() {}
}

extension NotificationStore {
    /// Of all kinds only mails can be without a sender.
    static let noSender = "this installation has no mail server"

    /// Makes one delivery for each notice and channel of the person's of its kinds, unless there is one already: so the
    /// same notices may come any number of times, to several replicas at once. What people are told in the page counts
    /// as delivered, for there it can be read; where there is no channel, or nobody to send by it, that is written down.
    /// Notices for people that there are no more are left out.
    ///
    /// Each delivery is planned for when its channel's pace and circuit allow. Returns how many are to be sent.
    ///
    /// - Parameter kinds: those that can be sent.
    public func enqueue(
        _ notices: [Notice], sending kinds: Set<NotificationChannel.Kind> = Set(NotificationChannel.Kind.allCases),
        rules: EnqueueRules = EnqueueRules(), at now: Instant
    ) async throws -> Int {
        // Where no kind is named, all that the person has are meant, and none is missed.
        let wanted = notices.flatMap { notice in
            let kinds = notice.kinds.isEmpty ? ReminderChannel.allCases.map(\.rawValue) : notice.kinds
            return kinds.map { (notice: notice, kind: $0, isNamed: !notice.kinds.isEmpty) }
        }
        guard !wanted.isEmpty else { return 0 }
        let sent = kinds.map(\.rawValue)
        let contents = wanted.map { PostgresJSON(bytes: $0.notice.content.encoded()) }
        let statement: SQLFragment = """
            WITH wanted AS (
                SELECT w.* FROM unnest(
                    \(wanted.map(\.notice.user)), \(wanted.map(\.notice.reminder)),
                    \(wanted.map(\.notice.fired.timestamp)), \(wanted.map(\.kind)), \(wanted.map(\.isNamed)), \(contents)
                ) WITH ORDINALITY AS w (user_id, reminder_id, fired_at, kind, is_named, content, place)
                JOIN users u ON u.id = w.user_id),
            matched AS (
                SELECT w.*, c.id AS channel_id, c.target,
                    row_number() OVER (PARTITION BY c.user_id, c.id ORDER BY w.place) - 1 AS nth
                FROM wanted w JOIN notification_channels c ON c.user_id = w.user_id AND c.kind = w.kind
                    AND c.verified_at IS NOT NULL AND c.paused_at IS NULL
                WHERE w.kind = ANY (\(sent)) AND NOT EXISTS (SELECT FROM deliveries d WHERE d.user_id = w.user_id
                    AND d.reminder_id = w.reminder_id AND d.fired_at = w.fired_at AND d.kind = w.kind
                    AND d.target = c.target)),
            paces (kind, burst, seconds) AS (VALUES
                ('webhook', \(rules.webhook.burst), \(rules.webhook.seconds)),
                ('email', \(rules.email.burst), \(rules.email.seconds))),
            paced AS (
                UPDATE notification_channels c SET paced_until =
                    GREATEST(c.paced_until, \(now.timestamp)) + make_interval(secs => n.count * p.seconds)
                FROM (SELECT user_id, channel_id, count(*) AS count FROM matched GROUP BY 1, 2) n, paces p
                WHERE c.user_id = n.user_id AND c.id = n.channel_id AND p.kind = c.kind
                RETURNING c.user_id, c.id, c.blocked_until, p.seconds,
                    c.paced_until - make_interval(secs => (n.count + p.burst) * p.seconds) AS start),
            made AS (
                SELECT m.user_id, m.reminder_id, m.fired_at, m.kind, m.target, m.channel_id, 'pending' AS state,
                    GREATEST(\(now.timestamp), p.blocked_until, p.start + make_interval(secs => (m.nth + 1) * p.seconds))
                        AS next_attempt_at, NULL::timestamptz AS delivered_at, NULL AS last_error, m.content
                FROM matched m JOIN paced p ON p.user_id = m.user_id AND p.id = m.channel_id
                UNION ALL
                SELECT w.user_id, w.reminder_id, w.fired_at, w.kind, '', NULL, 'delivered', NULL, \(now.timestamp), NULL,
                    w.content
                FROM wanted w WHERE w.kind = \(NotificationChannel.inApp)
                UNION ALL
                SELECT w.user_id, w.reminder_id, w.fired_at, w.kind, '', NULL, 'skipped', NULL, NULL,
                    CASE WHEN w.kind NOT IN ('webhook', 'email')
                        THEN 'this kind of channel is unknown; use in-app, webhook or email'
                        WHEN w.kind = ANY (\(sent))
                        THEN 'there is no channel of this kind that is verified and not paused: add one'
                        ELSE \(Self.noSender) END, w.content
                FROM wanted w CROSS JOIN LATERAL (SELECT EXISTS (
                    SELECT FROM notification_channels c WHERE c.user_id = w.user_id AND c.kind = w.kind
                        AND c.verified_at IS NOT NULL AND c.paused_at IS NULL) AS is_there) h
                WHERE w.kind <> \(NotificationChannel.inApp) AND CASE WHEN w.kind = ANY (\(sent))
                    THEN w.is_named AND NOT h.is_there ELSE w.is_named OR h.is_there END),
            written AS (
                INSERT INTO deliveries AS d (user_id, id, purpose, reminder_id, fired_at, kind, target, channel_id,
                    state, created_at, give_up_at, next_attempt_at, delivered_at, last_error, content)
                SELECT m.user_id, uuid_v7(), 'reminder', m.reminder_id, m.fired_at, m.kind, m.target, m.channel_id,
                    m.state, \(now.timestamp), \((now + rules.lifetime).timestamp), m.next_attempt_at, m.delivered_at,
                    m.last_error, m.content
                FROM made m
                ON CONFLICT (user_id, reminder_id, fired_at, kind, target) DO NOTHING
                RETURNING d.state, d.content -> 'data' -> 'reminder' ->> 'policy' AS policy),
            counted AS (
                INSERT INTO reminder_tallies (policy_id, delivered)
                SELECT o.id, count(*) FROM written w JOIN reminder_policies o ON o.id = w.policy::uuid
                WHERE w.state = 'delivered' GROUP BY o.id)
            SELECT count(*) FROM written WHERE state = 'pending'
            """
        let row = try await database.rows(as: .system, "delivery.enqueue", statement).first
        return try row?.decode(Int.self) ?? 0
    }

    /// Makes one delivery to a channel that asks for nothing but itself: a test, or the question whether an address is
    /// the person's. Throws `notFound` without the channel, and `invalid` when the person had `limit` of that purpose
    /// within a day.
    public func enqueue(
        _ purpose: NotificationDelivery.Purpose, to channel: UUID, of user: UUID, content: JSON, limit: Int,
        lifetime: Duration, at now: Instant
    ) async throws -> NotificationDelivery {
        let id = database.makeID()
        let statement: SQLFragment = """
            INSERT INTO deliveries AS d (user_id, id, purpose, reminder_id, fired_at, kind, target, channel_id, state,
                created_at, give_up_at, next_attempt_at, content)
            SELECT c.user_id, \(id), \(purpose.rawValue), \(id), \(now.timestamp), c.kind, c.target, c.id, 'pending',
                \(now.timestamp), \((now + lifetime).timestamp), \(now.timestamp),
                \(PostgresJSON(bytes: content.encoded()))
            FROM notification_channels c WHERE c.user_id = \(user) AND c.id = \(channel) AND (
                SELECT count(*) FROM deliveries o WHERE o.user_id = \(user) AND o.purpose = \(purpose.rawValue)
                    AND o.created_at > \((now - .seconds(86_400)).timestamp)) < \(limit)
            RETURNING \(raw: NotificationDelivery.columns(of: "d"))
            """
        let rows = try await database.rows(as: .user(user), "delivery.enqueue-one", statement)
        if let row = rows.first { return try NotificationDelivery(row) }
        _ = try await self.channel(channel, of: user)
        throw StoreError.invalid("", "\(limit) such messages were sent within a day: try again tomorrow")
    }
}
