internal import Postgres
internal import TodoModel

/// The statement that fires what is due.
struct ReminderFiring {
    let order: FireStore.Order

    private var now: SQLFragment { "\(order.now.timestamp)" }

    var statement: SQLFragment {
        """
        WITH \(Self.fence(order)),
        due AS MATERIALIZED (
            SELECT p.*, p.fire_at <= \(order.missedBefore.timestamp) AS missed FROM planned_reminders p
            WHERE \(Self.isDue(order)) AND p.task_id IS NOT NULL
            ORDER BY p.fire_at LIMIT \(raw: "\(order.limit)") FOR UPDATE SKIP LOCKED),
        judged AS MATERIALIZED (
            SELECT d.user_id, d.id, d.base_id, d.owner_id, d.task_id, d.source, d.source_id, d.offset_minutes, d.anchor,
                d.round, d.due_at, d.fire_at, d.missed, r.repeat_minutes, COALESCE(r.channels, o.channels) AS channels,
                v.reason, q.until, \(Self.verdict) AS verdict,
                CASE WHEN \(Self.isTold) THEN task_text(t) END AS task
            FROM due d
            LEFT JOIN tasks t ON t.user_id = d.owner_id AND t.id = d.task_id
            LEFT JOIN projects pr ON pr.user_id = t.user_id AND pr.id = t.project_id
            LEFT JOIN users u ON u.id = d.user_id
            LEFT JOIN reminders r ON d.source = 'person' AND r.user_id = d.user_id AND r.id = d.source_id
            LEFT JOIN reminder_policies o ON d.source = 'policy' AND o.id = d.source_id
            \(Self.quiet(at: now))
            CROSS JOIN LATERAL (SELECT CASE
                WHEN \(Self.isVoid) THEN 'changed'
                \(Self.missed(at: now, rival: "n.owner_id = d.owner_id AND n.task_id = d.task_id"))
                \(Self.hush(at: now)) END AS reason OFFSET 0) v),
        \(Self.marking(at: now)),
        repeated AS (
            INSERT INTO planned_reminders (user_id, id, base_id, owner_id, task_id, source, source_id, offset_minutes,
                round, anchor, due_at, fire_at, state)
            SELECT j.user_id, reminder_id(j.user_id, j.task_id, j.source_id, j.offset_minutes, j.anchor, j.round + 1),
                j.base_id, j.owner_id, j.task_id, j.source, j.source_id, j.offset_minutes, j.round + 1, j.anchor,
                j.due_at, j.fire_at + (floor(extract(epoch FROM \(now) - j.fire_at) / (j.repeat_minutes * 60)) + 1)
                    * j.repeat_minutes * interval '1 minute', 'pending'
            FROM judged j WHERE j.verdict IN ('fired', 'expired') AND j.repeat_minutes IS NOT NULL
            ON CONFLICT (user_id, id) DO NOTHING RETURNING fire_at),
        \(Self.telling(at: now)),
        \(Self.tally(at: now))
        \(Self.answer(order, repeated: "(SELECT min(fire_at) FROM repeated)"))
        """
    }

    /// The task is closed or gone, or out of the person's sight; or what asked for the reminder no longer does.
    private static let isVoid: SQLFragment = """
        t.id IS NULL OR t.status <> 'open' OR t.deleted_at IS NOT NULL OR pr.deleted_at IS NOT NULL OR u.id IS NULL
        OR NOT (d.user_id = pr.user_id OR d.user_id = ANY (pr.editors) OR d.user_id = ANY (pr.viewers))
        OR (d.snoozed_from IS NULL AND d.round > 0 AND r.repeat_minutes IS NULL)
        OR (d.snoozed_from IS NULL AND NOT COALESCE(CASE
            WHEN d.source = 'policy' THEN o.deleted_at IS NULL AND NOT o.is_suspended
                AND d.offset_minutes = ANY (o.offsets) AND d.anchor = t.due_wall
            WHEN r.at IS NOT NULL THEN r.at = d.due_at
            ELSE r.offset_minutes = d.offset_minutes
                AND d.anchor = CASE r.moment WHEN 'due' THEN t.due_wall ELSE t.start_date::timestamp END
            END, false))
        """
}

/// What reminders of tasks and digests have in common.
extension ReminderFiring {
    static func fence(_ order: FireStore.Order) -> SQLFragment {
        """
        fence AS MATERIALIZED (
            SELECT c.at, c.at < \(order.deadline.timestamp) AS holds FROM (SELECT clock_timestamp() AS at) c)
        """
    }

    static func isDue(_ order: FireStore.Order) -> SQLFragment {
        """
        p.state IN ('pending', 'held') AND p.fire_at > \((order.after ?? Instant(microsecondsSince1970: 0)).timestamp)
        AND p.fire_at <= \(order.through.timestamp) AND (SELECT holds FROM fence)
        """
    }

    /// `q`: until when it is quiet for the person or by the policy, and whether one of them drops reminders meanwhile.
    static func quiet(at now: SQLFragment) -> SQLFragment {
        func until(_ row: String, _ zone: String) -> SQLFragment {
            """
            CASE WHEN \(raw: row).quiet_from IS NOT NULL THEN quiet_until(\(now), \(raw: row).quiet_from,
                \(raw: row).quiet_to, COALESCE((SELECT z.name FROM reminder_zones z WHERE z.name = \(raw: zone)), 'UTC'))
            END
            """
        }
        return """
            CROSS JOIN LATERAL (
                SELECT \(until("u", "COALESCE(u.quiet_zone, u.zone)")) AS person,
                    \(until("o", "COALESCE(o.quiet_zone, u.zone)")) AS house) h
            CROSS JOIN LATERAL (
                SELECT GREATEST(h.person, h.house) AS until,
                    h.person > \(now) AND u.quiet_policy = 'drop' OR h.house > \(now) AND o.quiet_policy = 'drop'
                        AS drops) q
            """
    }

    /// - Parameter rival: finds what another row `n` is about; later ones make a missed one superfluous.
    static func missed(at now: SQLFragment, rival: String) -> SQLFragment {
        """
        WHEN d.missed AND \(now) - d.fire_at > COALESCE(o.catch_up_window, interval '\(raw: peopleWindow)') THEN 'late'
        WHEN d.missed AND o.catch_up = 'none' THEN 'late'
        WHEN d.missed AND o.catch_up = 'latest' AND EXISTS (
            SELECT FROM planned_reminders n WHERE \(raw: rival) AND n.user_id = d.user_id
            AND n.source_id = d.source_id AND n.state IN ('pending', 'held', 'fired') AND n.fire_at > d.fire_at
            AND n.fire_at <= \(now)) THEN 'superseded'
        """
    }

    static func hush(at now: SQLFragment) -> SQLFragment {
        "WHEN q.until > \(now) THEN CASE WHEN q.drops THEN 'quiet' ELSE 'hold' END"
    }

    static let verdict: SQLFragment = """
        CASE COALESCE(v.reason, '') WHEN '' THEN 'fired' WHEN 'hold' THEN 'held' WHEN 'changed' THEN 'cancelled'
            WHEN 'empty' THEN 'cancelled' ELSE 'expired' END
        """

    /// Of a row with the reason `v`: the person hears of it.
    static let isTold: SQLFragment = "COALESCE(v.reason, '') NOT IN ('hold', 'changed', 'empty')"

    /// Makes the forms that the events show here, where the rows are at hand.
    ///
    /// - Parameter digest: what is listed, of a row `j` of `judged`.
    static func marking(at now: SQLFragment, digest: SQLFragment = "NULL") -> SQLFragment {
        """
        marked AS (
            UPDATE planned_reminders p SET state = j.verdict, reason = NULLIF(j.reason, 'hold'),
                late = j.missed AND j.verdict = 'fired', fire_at = CASE j.verdict WHEN 'held' THEN j.until ELSE p.fire_at END,
                fired_at = CASE WHEN j.verdict IN ('fired', 'expired') THEN \(now) END
            FROM judged j WHERE p.user_id = j.user_id AND p.id = j.id
            RETURNING p.user_id, p.id AS planned_id, p.fire_at, j.verdict, j.task,
                CASE WHEN j.verdict IN ('fired', 'expired') THEN reminder_text(p, j.channels, \(digest)) END AS reminder)
        """
    }

    static func telling(at now: SQLFragment) -> SQLFragment {
        """
        told AS (
            INSERT INTO outbox (event_id, user_id, topic, type, body)
            SELECT e.id, m.user_id, '\(raw: ReminderEvent.topic)', e.type, reminder_event_text(
                e.id, e.type, \(now), m.user_id, m.planned_id, m.reminder, m.task)::json
            FROM marked m
            CROSS JOIN LATERAL (
                SELECT uuid_v7() AS id, CASE m.verdict WHEN 'fired' THEN '\(raw: ReminderEvent.Kind.fired.rawValue)'
                    ELSE '\(raw: ReminderEvent.Kind.expired.rawValue)' END AS type) e
            WHERE m.verdict IN ('fired', 'expired') ORDER BY m.fire_at)
        """
    }

    static func tally(at now: SQLFragment) -> SQLFragment {
        let buckets = (0...PolicyStore.latenessBounds.count).map {
            "count(*) FILTER (WHERE j.verdict = 'fired' AND l.bucket = \($0))"
        }
        return """
            tallied AS (
                INSERT INTO reminder_tallies (policy_id, fired, late, expired, last_fired_at, lateness)
                SELECT j.source_id, count(*) FILTER (WHERE j.verdict = 'fired'),
                    count(*) FILTER (WHERE j.verdict = 'fired' AND j.missed),
                    count(*) FILTER (WHERE j.verdict = 'expired'),
                    max(\(now)) FILTER (WHERE j.verdict = 'fired'), ARRAY[\(raw: buckets.joined(separator: ", "))]
                FROM judged j
                -- What a person put off outlives its policy.
                JOIN reminder_policies o ON o.id = j.source_id
                CROSS JOIN LATERAL (
                    SELECT width_bucket(extract(epoch FROM \(now) - j.fire_at) * 1000,
                        ARRAY[\(raw: PolicyStore.latenessBounds.map(String.init).joined(separator: ", "))]::numeric[])
                        AS bucket) l
                WHERE j.source = 'policy' AND j.verdict IN ('fired', 'expired') GROUP BY j.source_id)
            """
    }

    static func answer(_ order: FireStore.Order, repeated: SQLFragment) -> SQLFragment {
        """
        SELECT f.at, f.holds,
            LEAST(s.released, \(repeated), (
                SELECT p.fire_at FROM planned_reminders p WHERE p.state IN ('pending', 'held')
                AND p.task_id IS NOT NULL AND p.fire_at > \(order.through.timestamp) ORDER BY p.fire_at LIMIT 1)),
            (SELECT p.fire_at FROM planned_reminders p WHERE p.state IN ('pending', 'held') AND p.task_id IS NULL
                ORDER BY p.fire_at LIMIT 1),
            s.on_time, s.late, s.expired, s.held, s.cancelled
        FROM fence f CROSS JOIN (
            SELECT COALESCE(array_agg(j.fire_at) FILTER (WHERE j.verdict = 'fired' AND NOT j.missed), '{}') AS on_time,
                count(*) FILTER (WHERE j.verdict = 'fired' AND j.missed) AS late,
                count(*) FILTER (WHERE j.verdict = 'expired') AS expired,
                count(*) FILTER (WHERE j.verdict = 'held') AS held,
                count(*) FILTER (WHERE j.verdict = 'cancelled') AS cancelled,
                min(j.until) FILTER (WHERE j.verdict = 'held') AS released FROM judged j) s
        """
    }

    private static let peopleWindow = "\(CatchUp.people.window.components.seconds) seconds"
}
