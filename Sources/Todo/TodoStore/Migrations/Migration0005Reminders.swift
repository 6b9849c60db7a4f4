extension Migration {
    /// Who is to be reminded of what, and when: what people and policies ask for, and the rows that the workers make of
    /// it, one for each time at which somebody is reminded.
    static let reminders = Migration(
        version: 5, name: "reminders", sql: functions + tables + triggers + fences)

    private static let functions = """
        -- The first instant at which a clock in the zone shows a wall time; of one that is skipped, the instant by the
        -- offset before the gap. PostgreSQL does so with gaps, and of a time that comes twice takes the second.
        CREATE FUNCTION wall_instant(wall timestamp, zone text) RETURNS timestamptz
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT CASE WHEN timezone(zone, r.early) = wall THEN LEAST(r.early, r.late) ELSE r.late END
            FROM (
                SELECT l.late, timezone('UTC', wall - (timezone(zone, l.late - interval '24 hours')
                    - timezone('UTC', l.late - interval '24 hours'))) AS early
                FROM (SELECT timezone(zone, wall) AS late) l) r
        $$;

        -- Whole days before are days of the calendar, the rest is elapsed time.
        CREATE FUNCTION reminder_instant(wall timestamp, zone text, minutes int) RETURNS timestamptz
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT wall_instant(wall - minutes / 1440 * interval '1 day', zone) - minutes % 1440 * interval '1 minute'
        $$;

        -- The same for the same cause: a UUID of version 8 (RFC 9562, section 5.8). `anchor` is the wall time that it
        -- counts from, so that what was fired stays so when the task or the person moves there and back.
        CREATE FUNCTION reminder_id(recipient uuid, task uuid, source uuid, minutes int, anchor timestamp, round int)
        RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT overlay(overlay(md5(recipient || '/' || COALESCE(task::text, '') || '/' || source || '/'
                || COALESCE(minutes, -1) || '/' || extract(epoch FROM anchor) || '/' || round)
                PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid
        $$;

        -- When the quiet hours that hold at an instant end; NULL when none do.
        CREATE FUNCTION quiet_until(at timestamptz, start int, stop int, zone text) RETURNS timestamptz
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT CASE
                WHEN start < stop AND c.minute >= start AND c.minute < stop
                    THEN wall_instant(c.day + stop * interval '1 minute', zone)
                WHEN start > stop AND c.minute >= start
                    THEN wall_instant(c.day + interval '1 day' + stop * interval '1 minute', zone)
                WHEN start > stop AND c.minute < stop
                    THEN wall_instant(c.day + stop * interval '1 minute', zone) END
            FROM (
                SELECT date_trunc('day', w.wall) AS day,
                    (extract(hour FROM w.wall) * 60 + extract(minute FROM w.wall))::int AS minute
                FROM (SELECT timezone(zone, at) AS wall) w) c
        $$;

        """

    private static let tables = """
        ALTER TABLE users
            ADD COLUMN remind_at smallint NOT NULL DEFAULT 540 CHECK (remind_at BETWEEN 0 AND 1439),
            ADD COLUMN quiet_from smallint CHECK (quiet_from BETWEEN 0 AND 1439),
            ADD COLUMN quiet_to smallint CHECK (quiet_to BETWEEN 0 AND 1439),
            ADD COLUMN quiet_zone text,
            ADD COLUMN quiet_policy text CHECK (quiet_policy IN ('deliver-after', 'drop'));

        CREATE TABLE reminders (
            user_id uuid NOT NULL REFERENCES users,
            id uuid NOT NULL,
            owner_id uuid NOT NULL,
            task_id uuid NOT NULL,
            at timestamptz,
            moment text CHECK (moment IN ('due', 'start')),
            offset_minutes int,
            repeat_minutes int,
            channels text[] NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            version bigint NOT NULL DEFAULT 1,
            PRIMARY KEY (user_id, id),
            FOREIGN KEY (owner_id, task_id) REFERENCES tasks (user_id, id) ON DELETE CASCADE,
            CHECK ((at IS NULL) = (moment IS NOT NULL AND offset_minutes IS NOT NULL))
        );
        CREATE INDEX reminders_by_task ON reminders (owner_id, task_id);

        CREATE TABLE reminder_policies (
            id uuid PRIMARY KEY,
            namespace text NOT NULL,
            name text NOT NULL,
            offsets int[],
            digest text,
            digest_zone text,
            selector text NOT NULL,
            channels text[] NOT NULL,
            quiet_from smallint,
            quiet_to smallint,
            quiet_zone text,
            quiet_policy text,
            catch_up text NOT NULL CHECK (catch_up IN ('all', 'latest', 'none')),
            catch_up_window interval NOT NULL,
            is_suspended boolean NOT NULL,
            generation bigint NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            CHECK ((offsets IS NULL) = (digest IS NOT NULL))
        );
        COMMENT ON COLUMN reminder_policies.deleted_at IS 'what it had planned is yet to be cancelled';

        -- What the workers have done for a policy since they last summed it up; one row for each batch, so that no two
        -- of them wait for each other.
        CREATE TABLE reminder_tallies (
            policy_id uuid NOT NULL REFERENCES reminder_policies ON DELETE CASCADE,
            id bigint GENERATED ALWAYS AS IDENTITY,
            fired bigint NOT NULL DEFAULT 0,
            late bigint NOT NULL DEFAULT 0,
            expired bigint NOT NULL DEFAULT 0,
            delivered bigint NOT NULL DEFAULT 0,
            failed bigint NOT NULL DEFAULT 0,
            last_fired_at timestamptz,
            lateness bigint[],
            PRIMARY KEY (policy_id, id)
        );
        COMMENT ON COLUMN reminder_tallies.lateness IS 'how many fired within 1, 2, 5, 10, 20, 50, 100, 200, 500 ms, 1, 5, 60 s, and later';

        CREATE TABLE planned_reminders (
            user_id uuid NOT NULL,
            id uuid NOT NULL,
            base_id uuid NOT NULL,
            owner_id uuid NOT NULL,
            task_id uuid,
            source text NOT NULL CHECK (source IN ('person', 'policy')),
            source_id uuid NOT NULL,
            offset_minutes int,
            round int NOT NULL DEFAULT 0,
            anchor timestamp,
            due_at timestamptz NOT NULL,
            fire_at timestamptz NOT NULL,
            late boolean NOT NULL DEFAULT false,
            state text NOT NULL CHECK (state IN ('pending', 'held', 'fired', 'expired', 'cancelled')),
            reason text,
            fired_at timestamptz,
            acknowledged_at timestamptz,
            snoozed_from uuid,
            PRIMARY KEY (user_id, id)
        ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);
        COMMENT ON COLUMN planned_reminders.base_id IS 'of one that is repeated the first, of one that was put off the one it was';
        COMMENT ON COLUMN planned_reminders.fire_at IS 'when to look at it: later than due_at while it is held or repeated';
        CREATE INDEX planned_reminders_due ON planned_reminders (fire_at)
            WHERE state IN ('pending', 'held') AND task_id IS NOT NULL;
        CREATE INDEX planned_digests_due ON planned_reminders (fire_at, source_id)
            WHERE state IN ('pending', 'held') AND task_id IS NULL;
        CREATE INDEX planned_reminders_by_task ON planned_reminders (owner_id, task_id)
            WHERE state IN ('pending', 'held');
        CREATE INDEX planned_reminders_by_policy ON planned_reminders (source_id, fire_at)
            WHERE state IN ('pending', 'held') AND source = 'policy';
        -- What goes on when its task is open again.
        CREATE INDEX planned_reminders_to_reopen ON planned_reminders (owner_id, task_id)
            WHERE state = 'cancelled' AND reason = 'changed' AND id <> base_id;
        -- For what is thrown away some day: it costs next to nothing to keep.
        CREATE INDEX planned_reminders_by_time ON planned_reminders USING brin (fire_at) WITH (autosummarize = on);

        -- Tasks whose reminders are to be planned anew.
        CREATE TABLE replan (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            owner_id uuid NOT NULL,
            task_id uuid NOT NULL,
            since timestamptz NOT NULL DEFAULT now()
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
        COMMENT ON COLUMN replan.since IS 'what was due before that is not asked for';

        -- Whole people, policies and zones whose reminders are; how far that has come.
        CREATE TABLE replan_scopes (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL CHECK (kind IN ('person', 'policy', 'zone')),
            subject text NOT NULL,
            after_owner uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
            after_task uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
            since timestamptz NOT NULL DEFAULT now()
        );

        -- The zones that the server knows, and what it knew of each when reminders were last planned in it.
        CREATE TABLE reminder_zones (
            name text PRIMARY KEY,
            fingerprint text NOT NULL,
            checked_at timestamptz NOT NULL
        );

        CREATE FUNCTION reminder_json(p planned_reminders, channels text[], digest json) RETURNS json
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT json_build_object(
                'id', p.id, 'user', p.user_id, 'task', p.task_id, 'source', p.source,
                'reminder', CASE WHEN p.source = 'person' THEN p.source_id END,
                'policy', CASE WHEN p.source = 'policy' THEN p.source_id END,
                'offset', p.offset_minutes, 'dueAt', rfc3339(p.due_at), 'fireAt', rfc3339(p.fire_at),
                'state', p.state, 'reason', p.reason, 'late', p.late, 'firedAt', rfc3339(p.fired_at),
                'acknowledgedAt', rfc3339(p.acknowledged_at), 'snoozedFrom', p.snoozed_from, 'channels', channels,
                'digest', digest)
        $$;

        -- A CloudEvent 1.0 without a change number.
        CREATE FUNCTION reminder_event_json(
            id uuid, type text, at timestamptz, recipient uuid, planned uuid, reminder json, task json
        ) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT json_build_object(
                'specversion', '1.0', 'id', id, 'type', type, 'source', '/users/' || recipient, 'subject', planned,
                'time', rfc3339(at), 'datacontenttype', 'application/json', 'partitionkey', recipient,
                'data', json_build_object(
                    'user', recipient, 'members', ARRAY[recipient], 'reminder', reminder, 'task', task))
        $$;

        """

    /// Of each row, since most writes concern a few and the conditions keep the others from any cost. Whatever writes a
    /// task, by which way ever, is seen.
    private static let triggers = """
        CREATE FUNCTION note_task_to_plan() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO replan (owner_id, task_id) VALUES (NEW.user_id, NEW.id);
            RETURN NULL;
        END $$;
        CREATE TRIGGER plan_new AFTER INSERT ON tasks FOR EACH ROW
            WHEN (NEW.due_date IS NOT NULL) EXECUTE FUNCTION note_task_to_plan();
        -- All that a policy can select by.
        CREATE TRIGGER plan_changed AFTER UPDATE ON tasks FOR EACH ROW
            WHEN ((NEW.due_date IS NOT NULL OR OLD.due_date IS NOT NULL OR NEW.start_date IS NOT NULL
                    OR OLD.start_date IS NOT NULL)
                AND (NEW.status, NEW.due_date, NEW.due_time, NEW.due_zone, NEW.start_date, NEW.deleted_at,
                    NEW.project_id, NEW.priority, NEW.parent_id, NEW.estimate_minutes, NEW.tags, NEW.title,
                    NEW.description)
                IS DISTINCT FROM (OLD.status, OLD.due_date, OLD.due_time, OLD.due_zone, OLD.start_date, OLD.deleted_at,
                    OLD.project_id, OLD.priority, OLD.parent_id, OLD.estimate_minutes, OLD.tags, OLD.title,
                    OLD.description))
            EXECUTE FUNCTION note_task_to_plan();

        CREATE FUNCTION note_person_to_plan() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO replan_scopes (kind, subject) VALUES ('person', NEW.id);
            RETURN NULL;
        END $$;
        CREATE TRIGGER plan_changed AFTER UPDATE ON users FOR EACH ROW
            WHEN ((NEW.zone, NEW.day_start, NEW.remind_at, NEW.quiet_from, NEW.quiet_to, NEW.quiet_zone, NEW.quiet_policy)
                IS DISTINCT FROM (OLD.zone, OLD.day_start, OLD.remind_at, OLD.quiet_from, OLD.quiet_to, OLD.quiet_zone, OLD.quiet_policy))
            EXECUTE FUNCTION note_person_to_plan();

        """

    private static let fences = """
        ALTER TABLE reminders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON reminders USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
        ALTER TABLE planned_reminders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON planned_reminders USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
        ALTER TABLE reminder_policies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY system ON reminder_policies USING ((SELECT app_system()));
        ALTER TABLE reminder_tallies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY system ON reminder_tallies USING ((SELECT app_system()));
        -- Whoever writes a task leaves a note; only the workers read them.
        ALTER TABLE replan ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY system ON replan USING ((SELECT app_system()));
        CREATE POLICY noted ON replan FOR INSERT WITH CHECK (true);
        ALTER TABLE replan_scopes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY system ON replan_scopes USING ((SELECT app_system()));
        CREATE POLICY noted ON replan_scopes FOR INSERT WITH CHECK (true);
        ALTER TABLE reminder_zones ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY system ON reminder_zones USING ((SELECT app_system()));
        """
}
