internal import Postgres
internal import TodoModel

/// The statement that fires the digests of one policy: of each person one reminder with the tasks that the selector
/// finds among theirs, at that moment. Nobody is told of nothing.
struct DigestFiring {
    /// A longer list helps nobody.
    static let taskLimit = 100
    /// Of the beginning of each description: a digest says what there is to do, and the task how.
    static let descriptionLimit = 100
    /// Bytes of all its tasks, so that the event stays below `EventFlow.largestEvent`: the last tasks are left out.
    static let byteLimit = 160 << 10

    let order: FireStore.Order
    let policy: ReminderPolicy
    private let condition: SQLFragment

    /// Throws when the selector cannot be read.
    init(order: FireStore.Order, policy: ReminderPolicy) throws(TaskQueryError) {
        self.order = order
        self.policy = policy
        let query = try TaskQuery(parsing: policy.selector)
        let person = SQLPerson(user: "u.id", zone: "k.zone", dayStart: "u.day_start", now: order.now)
        let selected = TaskFilterCompiler(person: person).condition(query)
        condition = query.filter.mentionsStatus ? selected : "\(selected) AND t.status = 'open'"
    }

    private var now: SQLFragment { "\(order.now.timestamp)" }

    /// Of those missed the latest is enough, which has yet to be planned when the first one is fired.
    private var superseded: SQLFragment {
        guard policy.catchUp.policy == .latest, case .digest(let text, _) = policy.schedule,
            let schedule = try? DigestSchedule(text)
        else { return "" }
        let walls = schedule.times(around: order.now, and: policy.catchUp.window).map(\.text)
        let zone = PlanStatement.knownZone("COALESCE(o.digest_zone, u.zone)")
        return """
            WHEN d.missed AND EXISTS (
                SELECT FROM unnest(\(walls)::timestamp[]) AS l (wall)
                CROSS JOIN LATERAL (SELECT wall_instant(l.wall, \(raw: zone)) AS at) a
                WHERE a.at > GREATEST(d.fire_at, o.updated_at) AND a.at <= \(now)) THEN 'superseded'
            """
    }

    var statement: SQLFragment {
        """
        WITH \(ReminderFiring.fence(order)),
        due AS MATERIALIZED (
            SELECT p.*, p.fire_at <= \(order.missedBefore.timestamp) AS missed FROM planned_reminders p
            WHERE \(ReminderFiring.isDue(order)) AND p.task_id IS NULL AND p.source = 'policy' AND p.source_id = \(policy.id)
            ORDER BY p.fire_at LIMIT \(raw: "\(order.limit)") FOR UPDATE SKIP LOCKED),
        judged AS MATERIALIZED (
            SELECT d.user_id, d.id, d.source, d.source_id, d.fire_at, d.missed, o.channels, l.tasks, v.reason, q.until,
                \(ReminderFiring.verdict) AS verdict, NULL::text AS task
            FROM due d
            LEFT JOIN users u ON u.id = d.user_id
            LEFT JOIN reminder_policies o ON o.id = d.source_id
            CROSS JOIN LATERAL (SELECT \(raw: PlanStatement.knownZone("u.zone")) AS zone) k
            CROSS JOIN LATERAL (
                SELECT json_agg(b.task) AS tasks FROM (
                    SELECT s.task, sum(octet_length(s.task::text)) OVER (ROWS UNBOUNDED PRECEDING) AS bytes FROM (
                        SELECT task_json(jsonb_populate_record(t, jsonb_build_object(
                            'description', left(t.description, \(raw: "\(Self.descriptionLimit)"))))) AS task
                        FROM tasks t JOIN projects pr ON pr.user_id = t.user_id AND pr.id = t.project_id
                        WHERE t.user_id = u.id AND pr.deleted_at IS NULL AND \(condition)
                        ORDER BY t.due_wall, t.priority DESC, t.id LIMIT \(raw: "\(Self.taskLimit)")) s) b
                WHERE b.bytes <= \(raw: "\(Self.byteLimit)")) l
            \(ReminderFiring.quiet(at: now))
            CROSS JOIN LATERAL (SELECT CASE
                WHEN u.id IS NULL OR o.id IS NULL OR o.deleted_at IS NOT NULL OR o.is_suspended OR o.digest IS NULL
                    THEN 'changed'
                \(ReminderFiring.missed(at: now, rival: "n.task_id IS NULL"))
                \(superseded)
                \(ReminderFiring.hush(at: now)) 
                WHEN l.tasks IS NULL THEN 'empty' END AS reason) v),
        \(ReminderFiring.marking(at: now, digest: "j.tasks")),
        \(ReminderFiring.telling(at: now)),
        \(ReminderFiring.tally(at: now))
        \(ReminderFiring.answer(order, repeated: "NULL::timestamptz"))
        """
    }
}
