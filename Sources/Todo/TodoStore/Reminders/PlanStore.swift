public import FoundationEssentials
internal import Postgres
public import TodoModel

/// Keeps the planned reminders what people and policies ask for. Writes leave notes of what has changed; whoever calls
/// `step` carries them out, in portions. One process at a time does so: else one that knows less could undo what another
/// has done. It blocks no write.
public struct PlanStore: Sendable {
    let database: TodoDatabase

    /// Any number will do, so long as nothing else in the database locks it: "plan" in ASCII.
    private static let lockKey: Int64 = 0x706c_616e

    public enum Outcome: Sendable, Hashable {
        /// There is nothing to plan.
        case idle
        /// Another process is planning.
        case busy
        /// The statement came after `deadline`, by the database's clock, and did nothing.
        case tooLate
        case planned(Step)
    }

    public struct Step: Sendable, Hashable {
        /// How many tasks were looked at.
        public var tasks = 0
        public var planned = 0
        public var cancelled = 0
        /// The first time at which one of those that were planned is due.
        public var earliest: Instant?
        /// How many policies, people and zones were begun; digests may move with them.
        public var scopes = 0
        /// The policies whose selector cannot be read; nothing is changed about them.
        public var unreadable: Set<UUID> = []
        /// The first person of those whose digest is yet to be planned.
        public var rest: UUID?

        static func + (left: Self, right: Self) -> Self {
            let earliest = [left.earliest, right.earliest].compactMap { $0 }.min()
            return Step(
                tasks: left.tasks + right.tasks, planned: left.planned + right.planned,
                cancelled: left.cancelled + right.cancelled, earliest: earliest,
                scopes: left.scopes + right.scopes, unreadable: left.unreadable.union(right.unreadable))
        }
    }

    /// Plans the next portion. Policies that cannot be read are passed over, and named: `PolicyStore` takes none, but
    /// another release may have.
    public func step(limit: Int = 1000, now: Instant, until deadline: Instant) async throws -> Outcome {
        let any = try await database.rows(
            as: .system, "plan.any", "SELECT EXISTS (SELECT FROM replan), EXISTS (SELECT FROM replan_scopes)")
        guard let row = any.first else { return .idle }
        let (hasTasks, hasScopes) = try row.decode(Bool.self, Bool.self)
        guard hasTasks || hasScopes else { return .idle }
        return try await database.transaction { database in
            guard let isInTime = try await PlanStore(database: database).lock(deadline) else { return .busy }
            guard isInTime else { return .tooLate }
            let policies = try await PolicyStore(database: database).active()
            let plan = PlanRun(database: database, statement: PlanStatement(policies: policies, now: now))
            var step = Step(unreadable: Set(plan.statement.unreadable))
            var isFull = false
            if hasTasks {
                let portion = try await plan.tasks(limit: limit)
                (step, isFull) = (step + portion.step, portion.isFull)
            }
            // One scope can note more tasks than a portion holds: those come before the next.
            if hasScopes && !isFull { step = step + (try await plan.scope(limit: limit)) }
            return .planned(step)
        }
    }

    /// Plans the next occurrence of a digest for those for whom none is planned, and those that were missed since their
    /// last one: firing judges them. All of one person at once, and of so many people that they come to little more than
    /// `limit`. Returns when the first of them is due, and who is next; `.busy` or `.tooLate` where nothing was done, and
    /// `.idle` where there was nobody, or the policy is no longer as it was read.
    ///
    /// - Parameters:
    ///   - walls: the wall times at which it is due around now; see `DigestSchedule`.
    ///   - first: nobody before that is looked at; nil for all.
    public func digest(
        _ policy: ReminderPolicy, walls: [LocalDateTime], from first: UUID? = nil, limit: Int = 2000, now: Instant,
        until deadline: Instant
    ) async throws -> Outcome {
        guard case .digest(let text, let zone) = policy.schedule else { return .idle }
        return try await database.transaction { database in
            guard let isInTime = try await PlanStore(database: database).lock(deadline) else { return .busy }
            guard isInTime else { return .tooLate }
            let asked: SQLFragment = """
                SELECT o.*, \(now.timestamp)::timestamptz AS now, \(walls.map(\.text))::timestamp[] AS walls
                FROM reminder_policies o
                WHERE o.id = \(policy.id) AND o.deleted_at IS NULL AND NOT o.is_suspended
                    AND o.digest = \(text) AND o.digest_zone IS NOT DISTINCT FROM \(zone)
                """
            let statement: SQLFragment = """
                WITH o AS MATERIALIZED (\(asked)),
                people AS MATERIALIZED (\(Self.people(from: first ?? .belowAllKeys, limit))),
                planned AS (
                    INSERT INTO planned_reminders AS p (user_id, id, base_id, owner_id, source, source_id, anchor, due_at,
                        fire_at, state)
                    SELECT u.id, i.id, i.id, u.id, 'policy', o.id, w.wall, w.at, w.at, 'pending'
                    FROM o CROSS JOIN people u
                    \(Self.occurrences)
                    CROSS JOIN LATERAL (SELECT reminder_id(u.id, NULL, o.id, NULL, w.wall, 0) AS id) i
                    WHERE u.before < \(limit)
                    ON CONFLICT (user_id, id) DO UPDATE SET due_at = EXCLUDED.due_at, fire_at = EXCLUDED.fire_at,
                        state = 'pending', reason = NULL WHERE p.state = 'cancelled' AND p.reason = 'changed'
                    RETURNING p.fire_at)
                SELECT (SELECT min(fire_at) FROM planned),
                    (SELECT u.id FROM people u WHERE u.before >= \(limit) ORDER BY u.id LIMIT 1)
                """
            let rows = try await database.rows(as: .system.readingInOrder(true), "plan.digest", statement)
            guard let row = rows.first else { return .idle }
            let (earliest, rest) = try row.decode(PostgresTimestamp?.self, UUID?.self)
            guard earliest != nil || rest != nil else { return .idle }
            return .planned(Step(earliest: earliest.map { Instant($0) }, rest: rest))
        }
    }

    /// Who has no digest of the policy `o` to come: in which zone, since when one may be missed, and of how many at least
    /// those `before` them are to be planned. One that was held stands for all of the quiet hours, and none is made up for
    /// from before a change of the calendar.
    private static func people(from first: UUID, _ limit: Int) -> SQLFragment {
        """
        SELECT e.id, k.zone, e.since, COALESCE(
            sum(width_bucket(timezone('UTC', o.now), o.walls) - width_bucket(timezone('UTC', e.since), o.walls) + 1)
            OVER (ORDER BY e.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
        FROM o
        CROSS JOIN LATERAL (
            SELECT u.id, COALESCE(o.digest_zone, u.zone) AS zone, LEAST(o.now, l.at) AS since
            FROM users u LEFT JOIN LATERAL (
                SELECT GREATEST(q.fire_at, o.updated_at) AS at, q.state IN ('pending', 'held') AS is_to_come
                FROM planned_reminders q
                WHERE q.user_id = u.id AND q.source_id = o.id AND q.task_id IS NULL
                    AND q.reason IS DISTINCT FROM 'changed'
                ORDER BY q.fire_at DESC LIMIT 1) l ON true
            WHERE u.id >= \(first) AND l.is_to_come IS NOT TRUE ORDER BY u.id LIMIT \(limit + 1)) e
        CROSS JOIN LATERAL (SELECT \(raw: PlanStatement.knownZone("e.zone")) AS zone) k
        """
    }

    /// `w`: the next occurrence for the person `u`, and those missed; of wall times that a gap makes one, one.
    private static let occurrences: SQLFragment = """
        CROSS JOIN LATERAL (
            SELECT l.wall, l.at FROM (
                SELECT min(x.wall) AS wall, a.at, lag(a.at) OVER (ORDER BY a.at) AS former
                FROM unnest(o.walls) AS x (wall)
                CROSS JOIN LATERAL (SELECT wall_instant(x.wall, u.zone) AS at OFFSET 0) a
                -- No zone is farther from UTC.
                WHERE x.wall > timezone('UTC', u.since) - interval '26 hours' AND a.at > u.since GROUP BY a.at) l
            WHERE l.former IS NULL OR l.former <= o.now) w
        """

    /// Compares what the server knows of every zone with what it knew, at most once a day, and has the reminders planned
    /// anew of those that changed. Returns their number.
    public func checkZones() async throws -> Int {
        let known = try await database.rows(
            as: .system, "zones.checked",
            "SELECT EXISTS (SELECT FROM reminder_zones WHERE checked_at > now() - interval '1 day')")
        if let row = known.first, try row.decode(Bool.self) { return 0 }
        // A rule of daylight saving shows itself twice a month or not at all; what will be decided later is for later.
        let statement: SQLFragment = """
            WITH known AS (
                SELECT n.name, md5(string_agg((timezone(n.name, s.at) - timezone('UTC', s.at))::text, ',' ORDER BY s.at))
                    AS fingerprint
                FROM pg_timezone_names n
                CROSS JOIN generate_series(timestamptz '2026-01-01 00:00Z', '2031-12-31 00:00Z', interval '15 days') s (at)
                WHERE n.name !~ '^(posix|right)/' GROUP BY n.name),
            changed AS (
                SELECT k.name FROM known k JOIN reminder_zones z ON z.name = k.name WHERE z.fingerprint <> k.fingerprint),
            written AS (
                INSERT INTO reminder_zones (name, fingerprint, checked_at) SELECT name, fingerprint, now() FROM known
                ON CONFLICT (name) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, checked_at = EXCLUDED.checked_at),
            noted AS (INSERT INTO replan_scopes (kind, subject) SELECT 'zone', name FROM changed)
            SELECT count(*) FROM changed
            """
        return try await database.rows(as: .system, "zones.check", statement).first?.decode(Int.self) ?? 0
    }

    /// Nil when another process is planning; false when `deadline` has passed. Holds until the transaction ends.
    private func lock(_ deadline: Instant) async throws -> Bool? {
        let lock: SQLFragment = """
            SELECT pg_try_advisory_xact_lock(\(Self.lockKey)), clock_timestamp() < \(deadline.timestamp)
            """
        let rows = try await database.read(as: .system, [.workerSettings, lock.query(named: "plan.lock")])
        guard let row = rows.last?.first else { return nil }
        let (isHeld, isInTime) = try row.decode(Bool.self, Bool.self)
        return isHeld ? isInTime : nil
    }
}
