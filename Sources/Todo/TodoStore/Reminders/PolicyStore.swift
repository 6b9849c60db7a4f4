public import FoundationEssentials
internal import Postgres
public import TodoModel

/// The rules of the house: what ReminderSchedules say. They belong to nobody.
public struct PolicyStore: Sendable {
    let database: TodoDatabase

    /// In milliseconds: up to which lateness the columns of a tally count; the last one counts what is later.
    static let latenessBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 60_000]

    /// What has come of a policy.
    public struct Status: Sendable, Hashable {
        /// How many reminders are still to come, counted up to 100,001, which stands for any number above 100,000:
        /// millions of rows are too many to count each time that somebody asks.
        public var planned: Int
        public var fired: Int
        /// Of those that fired.
        public var late: Int
        public var expired: Int
        /// By way of channels; counted by the notification service.
        public var delivered: Int
        public var failed: Int
        public var nextFire: Instant?
        public var lastFire: Instant?
        /// What 99 of 100 reminders kept below that fired in the last hour (to the minute), fired minus due, to the width
        /// of a column; nil when none did.
        public var latenessP99: Duration?
        /// Whether reminders are still being planned or cancelled after a change of the policy.
        public var isPlanning: Bool

        public init(
            planned: Int, fired: Int, late: Int, expired: Int, delivered: Int, failed: Int, nextFire: Instant?,
            lastFire: Instant?, latenessP99: Duration?, isPlanning: Bool
        ) {
            self.planned = planned
            self.fired = fired
            self.late = late
            self.expired = expired
            self.delivered = delivered
            self.failed = failed
            self.nextFire = nextFire
            self.lastFire = lastFire
            self.latenessP99 = latenessP99
            self.isPlanning = isPlanning
        }
    }

    private static let countLimit = 100_000

    private static let columns = """
        o.id, o.namespace, o.name, o.offsets, o.digest, o.digest_zone, o.selector, o.channels, o.quiet_from, o.quiet_to, o.quiet_zone,
        o.quiet_policy, o.catch_up, extract(epoch FROM o.catch_up_window)::float8, o.is_suspended, o.generation
        """

    /// Makes or changes a policy; what it now asks for is planned soon, and only that is planned anew which it changes.
    /// It takes the place of any other of its name and namespace: an object that was deleted and made again has another id,
    /// and nobody may be left to remove the first. Throws `invalid` naming what is wrong; then the last good one stays as
    /// it is.
    public func upsert(_ policy: ReminderPolicy) async throws {
        do { try policy.validate() } catch { throw StoreError.invalid(error) }
        var (offsets, digest, zone): ([Int32]?, String?, String?) = (nil, nil, nil)
        switch policy.schedule {
        case .offsets(let minutes): offsets = Set(minutes).sorted().map { Int32(clamping: $0) }
        case .digest(let text, let named): (digest, zone) = (text, named)
        }
        let quiet = policy.quietHours
        let statement: SQLFragment = """
            WITH old AS (SELECT o.* FROM reminder_policies o WHERE o.id = \(policy.id)),
            written AS (
                INSERT INTO reminder_policies AS o (id, namespace, name, offsets, digest, digest_zone, selector, channels,
                    quiet_from, quiet_to, quiet_zone, quiet_policy, catch_up, catch_up_window, is_suspended, generation)
                VALUES (\(policy.id), \(policy.namespace), \(policy.name), \(offsets), \(digest), \(zone),
                    \(policy.selector), \(policy.channels.map(\.rawValue)), \(quiet.map { Int16($0.from.minutes) }),
                    \(quiet.map { Int16($0.to.minutes) }), \(quiet?.zone), \(quiet?.policy.rawValue),
                    \(policy.catchUp.policy.rawValue),
                    make_interval(secs => \(policy.catchUp.window / .seconds(1))), \(policy.isSuspended),
                    \(policy.generation))
                ON CONFLICT (id) DO UPDATE SET namespace = EXCLUDED.namespace, name = EXCLUDED.name,
                    offsets = EXCLUDED.offsets, digest = EXCLUDED.digest, digest_zone = EXCLUDED.digest_zone,
                    selector = EXCLUDED.selector, channels = EXCLUDED.channels, quiet_from = EXCLUDED.quiet_from,
                    quiet_to = EXCLUDED.quiet_to, quiet_zone = EXCLUDED.quiet_zone,
                    quiet_policy = EXCLUDED.quiet_policy, catch_up = EXCLUDED.catch_up,
                    catch_up_window = EXCLUDED.catch_up_window, is_suspended = EXCLUDED.is_suspended,
                    generation = EXCLUDED.generation, deleted_at = NULL,
                    -- Of digests none is made up for from before that: another calendar has missed none.
                    updated_at = CASE WHEN (o.digest, o.digest_zone, o.is_suspended, o.deleted_at IS NOT NULL)
                        IS DISTINCT FROM (EXCLUDED.digest, EXCLUDED.digest_zone, EXCLUDED.is_suspended, false)
                        THEN now() ELSE o.updated_at END
                RETURNING o.*),
            replaced AS (
                UPDATE reminder_policies o SET deleted_at = now(), updated_at = now()
                WHERE o.namespace = \(policy.namespace) AND o.name = \(policy.name) AND o.id <> \(policy.id)
                    AND o.deleted_at IS NULL
                RETURNING o.id),
            changed AS (
                SELECT r.id FROM replaced r
                UNION ALL
                SELECT w.id FROM written w LEFT JOIN old ON true
                WHERE (w.offsets, w.digest, w.digest_zone, w.selector, w.is_suspended, w.deleted_at)
                    IS DISTINCT FROM (old.offsets, old.digest, old.digest_zone, old.selector, old.is_suspended, old.deleted_at)),
            \(Self.released),
            \(Self.noted)
            SELECT count(*) FROM noted
            """
        _ = try await database.write(
            as: .system,
            [statement.query(named: "policy.upsert"), Self.woken(by: policy.id).query(named: "policy.wake")])
    }

    /// What was held by the quiet hours of `written` is judged anew when they are others than those of `old`.
    private static let released: SQLFragment = """
        released AS (
            UPDATE planned_reminders p SET state = 'pending', fire_at = now() FROM written w CROSS JOIN old
            WHERE p.source_id = w.id AND p.source = 'policy' AND p.state = 'held'
                AND (w.quiet_from, w.quiet_to, w.quiet_zone, w.quiet_policy)
                IS DISTINCT FROM (old.quiet_from, old.quiet_to, old.quiet_zone, old.quiet_policy))
        """

    /// Tells workers that sleep of what was `released` in this transaction. A statement of its own: it sees who had fallen
    /// asleep before that was written.
    private static func woken(by policy: UUID) -> SQLFragment {
        """
        SELECT pg_notify(\(SleepStore.channel), '')
        WHERE EXISTS (SELECT FROM sleeping_workers w WHERE w.until > clock_timestamp()) AND EXISTS (
            SELECT FROM planned_reminders p WHERE p.source_id = \(policy) AND p.source = 'policy'
            AND p.state = 'pending' AND p.fire_at = now())
        """
    }

    /// Removes a policy. From then on none of its reminders fires; they are cancelled soon after.
    public func delete(_ id: UUID) async throws {
        let statement: SQLFragment = """
            WITH changed AS (
                UPDATE reminder_policies o SET deleted_at = now(), updated_at = now()
                WHERE o.id = \(id) AND o.deleted_at IS NULL
                RETURNING o.id),
            \(Self.noted)
            SELECT count(*) FROM noted
            """
        _ = try await database.write(as: .system, [statement.query(named: "policy.delete")])
    }

    /// All that `changed` names begin anew.
    private static let noted: SQLFragment = """
        forgotten AS (DELETE FROM replan_scopes s USING changed c WHERE s.kind = 'policy' AND s.subject = c.id::text),
        noted AS (INSERT INTO replan_scopes (kind, subject) SELECT 'policy', c.id::text FROM changed c RETURNING id)
        """

    /// All policies, suspended ones too.
    public func all() async throws -> [ReminderPolicy] { try await list("o.deleted_at IS NULL") }

    /// Those that ask for something now.
    public func active() async throws -> [ReminderPolicy] {
        try await list("o.deleted_at IS NULL AND NOT o.is_suspended")
    }

    /// Nil when there is none.
    public func policy(_ id: UUID) async throws -> ReminderPolicy? {
        try await list("o.deleted_at IS NULL AND o.id = \(id)").first
    }

    private func list(_ condition: SQLFragment) async throws -> [ReminderPolicy] {
        try await database.rows(
            as: .system, "policy.list",
            "SELECT \(raw: Self.columns) FROM reminder_policies o WHERE \(condition) ORDER BY o.id"
        ).map { try ReminderPolicy($0) }
    }

    /// Nil when there is no such policy.
    public func status(_ id: UUID) async throws -> Status? {
        let pending = "p.source_id = o.id AND p.source = 'policy' AND p.state IN ('pending', 'held')"
        let statement: SQLFragment = """
            SELECT (SELECT count(*) FROM (
                    SELECT FROM planned_reminders p WHERE \(raw: pending) LIMIT \(raw: "\(Self.countLimit + 1)")) c),
                (SELECT p.fire_at FROM planned_reminders p WHERE \(raw: pending) ORDER BY p.fire_at LIMIT 1),
                EXISTS (SELECT FROM replan_scopes s WHERE s.kind = 'policy' AND s.subject = o.id::text),
                s.fired, s.late, s.expired, s.delivered, s.failed, s.last_fired_at, \(raw: Self.summedLateness)
            FROM reminder_policies o CROSS JOIN LATERAL (
                SELECT \(raw: Self.sums) FROM reminder_tallies y WHERE y.policy_id = o.id) s
            WHERE o.id = \(id) AND o.deleted_at IS NULL
            """
        guard let row = try await database.rows(as: .system, "policy.status", statement).first else { return nil }
        var columns = ColumnReader(row)
        let (planned, next) = (try columns.next(Int.self), try columns.instantIfAny())
        let isPlanning = try columns.next(Bool.self)
        return Status(
            planned: planned, fired: try columns.next(), late: try columns.next(), expired: try columns.next(),
            delivered: try columns.next(), failed: try columns.next(), nextFire: next,
            lastFire: try columns.instantIfAny(), latenessP99: Self.percentile(99, of: try columns.next([Int].self)),
            isPlanning: isPlanning)
    }

    /// Notes what became of deliveries.
    public func count(delivered: Int, failed: Int, of id: UUID) async throws {
        let statement: SQLFragment = """
            INSERT INTO reminder_tallies (policy_id, delivered, failed)
            SELECT o.id, \(delivered), \(failed) FROM reminder_policies o WHERE o.id = \(id)
            """
        _ = try await database.write(as: .system, [statement.query(named: "policy.count")])
    }

    /// Makes one tally of many: of each minute of the last hour, so that lateness can be told of it, and of all before.
    public func sumUp() async throws {
        let statement: SQLFragment = """
            WITH many AS (
                SELECT y.policy_id, \(raw: Self.minute) AS minute FROM reminder_tallies y GROUP BY 1, 2 HAVING count(*) > 50),
            y AS (
                DELETE FROM reminder_tallies y USING many m
                WHERE y.policy_id = m.policy_id AND \(raw: Self.minute) IS NOT DISTINCT FROM m.minute RETURNING y.*)
            INSERT INTO reminder_tallies (policy_id, fired, late, expired, delivered, failed, last_fired_at, lateness)
            SELECT s.policy_id, s.fired, s.late, s.expired, s.delivered, s.failed, s.last_fired_at, \(raw: Self.summedLateness)
            FROM (SELECT y.policy_id, \(raw: Self.sums) FROM y GROUP BY y.policy_id, \(raw: Self.minute)) s
            """
        _ = try await database.rows(as: .system, "policy.sum", statement)
    }

    /// NULL for what fired earlier, and for what did not fire.
    private static let minute = "CASE WHEN \(isRecent) THEN date_trunc('minute', y.last_fired_at) END"
    private static let isRecent = "y.last_fired_at > now() - interval '1 hour'"

    private static let sums =
        ["fired", "late", "expired", "delivered", "failed"].map { "COALESCE(sum(y.\($0)), 0)::bigint AS \($0)" }
        .joined(separator: ", ") + ", max(y.last_fired_at) AS last_fired_at, "
        + (1...latenessBounds.count + 1)
        .map { "COALESCE(sum(y.lateness[\($0)]) FILTER (WHERE \(isRecent)), 0)::bigint AS l\($0)" }
        .joined(separator: ", ")

    private static let summedLateness =
        "ARRAY[" + (1...latenessBounds.count + 1).map { "s.l\($0)" }.joined(separator: ", ") + "]"

    /// The upper bound of the column in which so many of a hundred lie; nil of nothing.
    static func percentile(_ percent: Int, of counts: [Int]) -> Duration? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        var seen = 0
        for (count, bound) in zip(counts, latenessBounds) {
            seen += count
            if seen * 100 >= total * percent { return .milliseconds(bound) }
        }
        return .milliseconds(10 * (latenessBounds.last ?? 0))
    }
}

extension ReminderPolicy {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        var columns = ColumnReader(row)
        let id = try columns.next(UUID.self)
        let (namespace, name) = (try columns.next(String.self), try columns.next(String.self))
        let offsets = try columns.next([Int32]?.self)
        let (digest, zone) = (try columns.next(String?.self), try columns.next(String?.self))
        let (selector, channels) = (try columns.next(String.self), try columns.next([String].self))
        let quietHours = try columns.quietHours()
        let catchUp = CatchUp.Policy(rawValue: try columns.next(String.self)) ?? .all
        let window = try columns.next(Double.self)
        self.init(
            id: id, namespace: namespace, name: name,
            schedule: offsets.map { .offsets($0.map { Int($0) }) } ?? .digest(digest ?? "", zone: zone),
            selector: selector, channels: channels.compactMap { ReminderChannel(rawValue: $0) }, quietHours: quietHours,
            catchUp: CatchUp(window: .seconds(window), policy: catchUp), isSuspended: try columns.next(),
            generation: try columns.next())
    }
}
