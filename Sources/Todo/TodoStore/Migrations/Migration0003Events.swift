extension Migration {
    /// What is told to others, in the transaction that makes it true; and what a repeated request is answered with.
    static let events = Migration(
        version: 3, name: "events",
        sql: """
            -- A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random ones.
            CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
                SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
                    || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
            $$;

            -- RFC 3339 in UTC, whatever the session's settings.
            CREATE FUNCTION rfc3339(at timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            $$;

            -- The forms of the API.
            CREATE FUNCTION task_json(t tasks) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT json_build_object(
                    'id', t.id, 'user', t.user_id, 'project', t.project_id, 'parent', t.parent_id, 'title', t.title,
                    'description', t.description, 'status', t.status,
                    'priority', (ARRAY['none', 'low', 'medium', 'high', 'urgent'])[t.priority + 1],
                    'due', CASE
                        WHEN t.due_date IS NULL THEN NULL
                        WHEN t.due_time IS NULL THEN json_build_object('date', t.due_date)
                        WHEN t.due_zone IS NULL
                            THEN json_build_object('date', t.due_date, 'time', left(t.due_time::text, 5))
                        ELSE json_build_object(
                            'date', t.due_date, 'time', left(t.due_time::text, 5), 'zone', t.due_zone) END,
                    'start', t.start_date, 'estimate', t.estimate_minutes, 'tags', t.tags, 'position', t.position,
                    'createdAt', rfc3339(t.created_at), 'updatedAt', rfc3339(t.updated_at),
                    'completedAt', rfc3339(t.completed_at), 'deletedAt', rfc3339(t.deleted_at),
                    'version', t.version, 'seq', t.seq)
            $$;
            CREATE FUNCTION project_json(p projects) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT json_build_object(
                    'id', p.id, 'user', p.user_id, 'name', p.name, 'color', p.color, 'position', p.position,
                    'isInbox', p.is_inbox, 'isArchived', p.is_archived, 'createdAt', rfc3339(p.created_at),
                    'updatedAt', rfc3339(p.updated_at), 'deletedAt', rfc3339(p.deleted_at), 'version', p.version,
                    'seq', p.seq)
            $$;
            CREATE FUNCTION filter_json(f filters) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT json_build_object(
                    'id', f.id, 'user', f.user_id, 'name', f.name, 'query', f.query, 'color', f.color,
                    'position', f.position, 'createdAt', rfc3339(f.created_at), 'updatedAt', rfc3339(f.updated_at),
                    'deletedAt', rfc3339(f.deleted_at), 'version', f.version, 'seq', f.seq)
            $$;

            -- A CloudEvent 1.0. `noun` is what the event is about, `body` its form of the API.
            CREATE FUNCTION event_json(
                id uuid, type text, owner uuid, actor uuid, seq bigint, members uuid[], subject uuid, noun text, body json
            ) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT json_build_object(
                    'specversion', '1.0', 'id', id, 'type', type, 'source', '/users/' || owner, 'subject', subject,
                    'time', rfc3339(now()), 'datacontenttype', 'application/json', 'partitionkey', owner,
                    'seq', seq::text, 'data', json_build_object(
                        'user', owner, 'actor', actor, 'seq', seq, 'members', members, noun, body))
            $$;

            CREATE TABLE outbox (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                event_id uuid NOT NULL,
                user_id uuid NOT NULL,
                topic text NOT NULL,
                type text NOT NULL,
                body json NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now()
            ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

            CREATE TABLE idempotency_keys (
                user_id uuid NOT NULL REFERENCES users,
                key text NOT NULL,
                fingerprint bytea NOT NULL,
                status smallint,
                headers json,
                body bytea,
                created_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (user_id, key)
            );

            ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY system ON outbox USING ((SELECT app_system()));
            CREATE POLICY own ON outbox FOR INSERT WITH CHECK (user_id = (SELECT app_user()));
            CREATE POLICY joined_insert ON outbox FOR INSERT WITH CHECK (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = outbox.user_id AND m.role = 'editor'));

            ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON idempotency_keys
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            """)
}
