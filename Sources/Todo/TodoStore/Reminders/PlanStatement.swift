internal import FoundationEssentials
internal import Postgres
internal import TodoModel

/// The statement that makes the planned reminders of some tasks what people and policies ask for.
///
/// Rows bear an id derived from their cause, so planning is done as often as anybody likes: what is there already stays,
/// what has fired is left alone, what nobody asks for any more is cancelled.
struct PlanStatement {
    private let readable: [Arm]
    /// The policies whose selector cannot be read: nothing is planned of them, nor is anything cancelled.
    let unreadable: [UUID]
    let now: Instant

    private struct Arm {
        let policy: UUID
        let offsets: [Int]
        let query: TaskQuery
    }

    /// - Parameter policies: those that are neither deleted nor suspended.
    init(policies: [ReminderPolicy], now: Instant) {
        var (readable, unreadable): ([Arm], [UUID]) = ([], [])
        for policy in policies {
            guard case .offsets(let offsets) = policy.schedule else { continue }
            if let query = try? TaskQuery(parsing: policy.selector) {
                readable.append(Arm(policy: policy.id, offsets: offsets, query: query))
            } else {
                unreadable.append(policy.id)
            }
        }
        (self.readable, self.unreadable, self.now) = (readable, unreadable, now)
    }

    /// - Parameters:
    ///   - touched: CTEs that end with `touched(owner_id, task_id, since)`: each task once, and since when somebody asks.
    ///     What was due before that is not planned any more.
    ///   - policy: only what this one asks for; nil for all, people's own reminders included.
    ///   - extra: expressions to return besides the number of tasks, how many rows were planned and cancelled, and when the
    ///     first of them is due.
    func statement(
        touched: SQLFragment, only policy: UUID? = nil, returning extra: SQLFragment
    ) -> SQLFragment {
        let arms =
            (policy == nil ? [people] : []) + readable.filter { policy == nil || $0.policy == policy }.map(select)
        let wanted = arms.isEmpty ? Self.nothing : .joined(arms, by: " UNION ALL ")
        let known: SQLFragment = "p.source_id <> ALL (\(unreadable))"
        let scope: SQLFragment = policy.map { "\(known) AND p.source_id = \($0)" } ?? known
        return """
            WITH \(touched),
            live AS MATERIALIZED (
                SELECT t.*, x.since, pr.user_id || pr.editors || pr.viewers AS members
                FROM touched x
                JOIN tasks t ON t.user_id = x.owner_id AND t.id = x.task_id
                JOIN projects pr ON pr.user_id = t.user_id AND pr.id = t.project_id
                WHERE t.status = 'open' AND t.deleted_at IS NULL AND pr.deleted_at IS NULL),
            wanted AS MATERIALIZED (
                SELECT reminder_id(w.user_id, w.task_id, w.source_id, w.offset_minutes, w.anchor, 0) AS id, w.*
                FROM (\(wanted)) w),
            \(Self.planned)
            \(reopened(in: scope))
            cancelled AS (
                UPDATE planned_reminders p SET state = 'cancelled', reason = 'changed'
                FROM touched x LEFT JOIN live l ON l.user_id = x.owner_id AND l.id = x.task_id
                WHERE p.owner_id = x.owner_id AND p.task_id = x.task_id AND p.state IN ('pending', 'held') AND \(scope)
                AND NOT EXISTS (SELECT FROM wanted w WHERE w.user_id = p.user_id AND w.id = p.base_id)
                AND (p.snoozed_from IS NULL OR l.id IS NULL)
                RETURNING p.id)
            SELECT (SELECT count(*) FROM touched), n.count, (SELECT count(*) FROM cancelled), n.earliest, \(extra)
            FROM (SELECT count(*), min(a.fire_at) AS earliest FROM (
                SELECT fire_at FROM planned UNION ALL SELECT fire_at FROM reopened) a) n
            """
    }

    /// The name of a zone when the server knows it, which need not know all that the services do; else UTC. For
    /// `system` alone, which may read the table: a plan asks it of a million tasks, each of which `known_zone`, there for
    /// lists of people, would begin a transaction for.
    static func knownZone(_ name: String) -> String {
        "COALESCE((SELECT z.name FROM reminder_zones z WHERE z.name = \(name)), 'UTC')"
    }

    /// A row that has yet to come is planned only when its time had not passed when somebody asked for it.
    private static let planned: SQLFragment = """
        planned AS (
            INSERT INTO planned_reminders AS p (user_id, id, base_id, owner_id, task_id, source, source_id,
                offset_minutes, anchor, due_at, fire_at, state)
            SELECT w.user_id, w.id, w.id, w.owner_id, w.task_id, w.source, w.source_id, w.offset_minutes, w.anchor,
                w.due_at, w.due_at, 'pending'
            FROM wanted w WHERE w.due_at >= w.since OR EXISTS (
                SELECT FROM planned_reminders q WHERE q.user_id = w.user_id AND q.id = w.id
                AND q.state IN ('pending', 'held'))
            ON CONFLICT (user_id, id) DO UPDATE SET due_at = EXCLUDED.due_at, fire_at = EXCLUDED.fire_at,
                state = 'pending', reason = NULL
                WHERE p.state = 'cancelled'
                    OR p.state IN ('pending', 'held') AND p.due_at <> EXCLUDED.due_at
            RETURNING p.fire_at),
        """

    /// What repeated or was put off when its task was closed goes on when the task is open again: a repetition whose time
    /// has passed by then at its next step, for it has neither been acknowledged nor put off.
    private func reopened(in scope: SQLFragment) -> SQLFragment {
        """
        reopened AS (
            UPDATE planned_reminders p SET state = 'pending', reason = NULL, fire_at = g.fire_at
            FROM live l, planned_reminders q
            LEFT JOIN reminders r ON r.user_id = q.user_id AND r.id = q.source_id AND q.source = 'person'
            CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM \(now.timestamp) - q.fire_at) / (r.repeat_minutes * 60)) + 1
                AS steps) s
            CROSS JOIN LATERAL (SELECT CASE WHEN q.snoozed_from IS NOT NULL OR s.steps <= 0 THEN q.fire_at
                ELSE q.fire_at + s.steps * r.repeat_minutes * interval '1 minute' END AS fire_at) g
            WHERE q.owner_id = l.user_id AND q.task_id = l.id AND q.state = 'cancelled' AND q.reason = 'changed'
            AND q.id <> q.base_id AND p.user_id = q.user_id AND p.id = q.id
            AND p.state = 'cancelled' AND p.reason = 'changed' AND \(scope)
            AND CASE WHEN q.snoozed_from IS NOT NULL THEN q.fire_at >= l.since
                ELSE r.repeat_minutes IS NOT NULL
                    AND EXISTS (SELECT FROM wanted w WHERE w.user_id = q.user_id AND w.id = q.base_id) END
            RETURNING p.fire_at),
        """
    }

    private static let nothing: SQLFragment = """
        SELECT NULL::uuid AS user_id, NULL::uuid AS owner_id, NULL::uuid AS task_id, NULL::text AS source,
            NULL::uuid AS source_id, NULL::int AS offset_minutes, NULL::timestamp AS anchor,
            NULL::timestamptz AS due_at, NULL::timestamptz AS since WHERE false
        """

    /// What people ask for themselves, of tasks that they still see.
    private var people: SQLFragment {
        """
        SELECT r.user_id, t.user_id AS owner_id, t.id AS task_id, 'person' AS source, r.id AS source_id,
            r.offset_minutes, a.anchor, CASE WHEN r.at IS NOT NULL THEN r.at
                ELSE reminder_instant(a.wall, a.zone, r.offset_minutes) END AS due_at, t.since
        FROM live t
        JOIN reminders r ON r.owner_id = t.user_id AND r.task_id = t.id AND r.user_id = ANY (t.members)
        JOIN users u ON u.id = r.user_id
        CROSS JOIN LATERAL (\(raw: Self.zones)) k
        CROSS JOIN LATERAL (
            SELECT timezone('UTC', r.at) AS anchor, NULL::timestamp AS wall, NULL AS zone WHERE r.at IS NOT NULL
            UNION ALL
            SELECT t.due_wall, \(raw: Self.dueWall), \(raw: Self.dueZone)
            WHERE r.moment = 'due' AND t.due_date IS NOT NULL
            UNION ALL
            SELECT t.start_date::timestamp, t.start_date + u.remind_at * interval '1 minute', k.zone
            WHERE r.moment = 'start' AND t.start_date IS NOT NULL) a
        """
    }

    /// What a policy asks for, of the owner of each task that it selects.
    private func select(_ arm: Arm) -> SQLFragment {
        let person = SQLPerson(user: "u.id", zone: "k.zone", dayStart: "u.day_start", now: now)
        return """
            SELECT t.user_id, t.user_id AS owner_id, t.id AS task_id, 'policy' AS source, \(arm.policy) AS source_id,
                f.minutes AS offset_minutes, t.due_wall AS anchor,
                reminder_instant(\(raw: Self.dueWall), \(raw: Self.dueZone), f.minutes) AS due_at, t.since
            FROM live t
            JOIN users u ON u.id = t.user_id
            CROSS JOIN LATERAL (\(raw: Self.zones)) k
            CROSS JOIN unnest(\(arm.offsets.map { Int32(clamping: $0) })) AS f (minutes)
            WHERE t.due_date IS NOT NULL AND \(TaskFilterCompiler(person: person).condition(arm.query))
            """
    }

    private static let zones = """
        SELECT \(knownZone("u.zone")) AS zone, (SELECT z.name FROM reminder_zones z WHERE z.name = t.due_zone) AS due_zone
        """

    /// The day's time of reminding, where there is no time.
    private static let dueWall = """
        CASE WHEN t.due_time IS NULL THEN t.due_wall + u.remind_at * interval '1 minute' ELSE t.due_wall END
        """

    private static let dueZone = "CASE WHEN t.due_time IS NULL THEN k.zone ELSE COALESCE(k.due_zone, k.zone) END"
}
