extension Migration {
    /// The same forms as text, for statements that make thousands of events at once: json_build_object looks up again at
    /// each call how each of its arguments is printed, which took longer than all else that firing a reminder does. What
    /// can hold a character that JSON escapes, or depends on settings of the session, goes through to_json.
    static let eventText = Migration(
        version: 8, name: "event_text",
        sql: """
            -- Of a value that needs no escapes.
            CREATE FUNCTION json_word(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
                SELECT COALESCE('"' || value || '"', 'null')
            $$;

            -- NULL of a row that an outer join did not find.
            CREATE FUNCTION task_text(t tasks) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT CASE WHEN t.id IS NOT NULL THEN concat(
                    '{"id":"', t.id, '","user":"', t.user_id, '","project":"', t.project_id,
                    '","parent":', json_word(t.parent_id::text), ',"title":', to_json(t.title),
                    ',"description":', to_json(t.description), ',"status":"', t.status,
                    '","priority":"', (ARRAY['none', 'low', 'medium', 'high', 'urgent'])[t.priority + 1],
                    '","due":', CASE WHEN t.due_date IS NULL THEN 'null' ELSE concat(
                        '{"date":', to_json(t.due_date), ',"time":"' || left(t.due_time::text, 5) || '"',
                        CASE WHEN t.due_time IS NOT NULL THEN ',"zone":' || to_json(t.due_zone) END, '}') END,
                    ',"start":', COALESCE(to_json(t.start_date)::text, 'null'),
                    ',"estimate":', COALESCE(t.estimate_minutes::text, 'null'), ',"tags":', to_json(t.tags),
                    ',"position":', to_json(t.position), ',"createdAt":', json_word(rfc3339(t.created_at)),
                    ',"updatedAt":', json_word(rfc3339(t.updated_at)),
                    ',"completedAt":', json_word(rfc3339(t.completed_at)),
                    ',"deletedAt":', json_word(rfc3339(t.deleted_at)), ',"version":', t.version, ',"seq":', t.seq,
                    ',"recurrence":', CASE WHEN t.recurrence IS NULL THEN 'null' ELSE json_build_object(
                        'rule', t.recurrence -> 'rule', 'basis', t.recurrence -> 'basis',
                        'monthEnd', t.recurrence -> 'monthEnd', 'overdue', t.recurrence -> 'overdue',
                        'overdueLimit', t.recurrence -> 'overdueLimit', 'series', t.series_id,
                        'occurrence', t.occurrence, 'text', t.recurrence -> 'text')::text END, '}') END
            $$;
            CREATE FUNCTION reminder_text(p planned_reminders, channels text[], digest json) RETURNS text
            LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT concat(
                    '{"id":"', p.id, '","user":"', p.user_id, '","task":', json_word(p.task_id::text),
                    ',"source":"', p.source,
                    '","reminder":', json_word(CASE WHEN p.source = 'person' THEN p.source_id::text END),
                    ',"policy":', json_word(CASE WHEN p.source = 'policy' THEN p.source_id::text END),
                    ',"offset":', COALESCE(p.offset_minutes::text, 'null'), ',"dueAt":', json_word(rfc3339(p.due_at)),
                    ',"fireAt":', json_word(rfc3339(p.fire_at)), ',"state":"', p.state,
                    '","reason":', COALESCE(to_json(p.reason)::text, 'null'), ',"late":', p.late::text,
                    ',"firedAt":', json_word(rfc3339(p.fired_at)),
                    ',"acknowledgedAt":', json_word(rfc3339(p.acknowledged_at)),
                    ',"snoozedFrom":', json_word(p.snoozed_from::text),
                    ',"channels":', COALESCE(to_json(channels)::text, 'null'),
                    ',"digest":', COALESCE(digest::text, 'null'), '}')
            $$;
            CREATE FUNCTION reminder_event_text(
                id uuid, type text, at timestamptz, recipient uuid, planned uuid, reminder text, task text
            ) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT concat(
                    '{"specversion":"1.0","id":"', id, '","type":"', type, '","source":"/users/', recipient,
                    '","subject":"', planned, '","time":', json_word(rfc3339(at)),
                    ',"datacontenttype":"application/json","partitionkey":"', recipient,
                    '","data":{"user":"', recipient, '","members":["', recipient, '"],"reminder":', reminder,
                    ',"task":', COALESCE(task, 'null'), '}}')
            $$;

            CREATE OR REPLACE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
                SELECT (lpad(to_hex((date_part('epoch', clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
                    || substr(gen_random_uuid()::text, 16))::uuid
            $$;

            CREATE OR REPLACE FUNCTION task_json(t tasks) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT task_text(t)::json
            $$;
            CREATE OR REPLACE FUNCTION reminder_json(p planned_reminders, channels text[], digest json) RETURNS json
            LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT reminder_text(p, channels, digest)::json
            $$;
            CREATE OR REPLACE FUNCTION reminder_event_json(
                id uuid, type text, at timestamptz, recipient uuid, planned uuid, reminder json, task json
            ) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT reminder_event_text(id, type, at, recipient, planned, reminder::text, task::text)::json
            $$;
            """)
}
