extension Migration {
    /// The same fences, events and signatures for less.
    ///
    /// A policy that asks `project_members` has its subqueries set up each time that a statement begins, with the policies
    /// of that table inside each, although hardly a row needs them: of what a new task cost that was a quarter. Now it is one
    /// function's answer that is compared, and asked for only when a row is not the person's own.
    ///
    /// A step for each table: it locks the others out, who have locks of two tables in one order or the other.
    static let lighterFences: [Migration] = [
        Migration(version: 13, name: "lighter_fences", sql: functions + signing + telling),
        Migration(
            version: 14, name: "lighter_fence_of_people",
            sql: "ALTER POLICY joined ON users USING (id = ANY ((SELECT app_people())::uuid[]));"),
        Migration(
            version: 15, name: "lighter_fence_of_projects",
            sql: """
                ALTER POLICY joined ON projects
                    USING (project_key(user_id, id) = ANY ((SELECT app_joined(false))::bytea[]));
                """),
        Migration(version: 16, name: "lighter_fences_of_tasks", sql: ofTasks),
        Migration(version: 17, name: "lighter_fences_of_streams", sql: ofStreams),
        Migration(
            version: 18, name: "lighter_fence_of_outbox",
            sql: "ALTER POLICY joined_insert ON outbox WITH CHECK (user_id = ANY ((SELECT app_owners(true))::uuid[]));"),
    ]

    /// In plpgsql, for it keeps its plans; a function in SQL is planned again by every statement that calls it.
    private static let functions = """
        -- A project among those of all owners.
        CREATE FUNCTION project_key(owner uuid, project uuid) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
            AS $$ SELECT uuid_send(owner) || uuid_send(project) $$;
        -- The projects that are shared with the person; or those of them that they may write.
        CREATE FUNCTION app_joined(as_editor boolean) RETURNS bytea[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN ARRAY(
                SELECT project_key(m.owner_id, m.project_id) FROM project_members m
                WHERE m.member_id = app_user() AND (m.role = 'editor' OR NOT as_editor));
        END $$;
        -- Whose they are.
        CREATE FUNCTION app_owners(as_editor boolean) RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN ARRAY(
                SELECT m.owner_id FROM project_members m
                WHERE m.member_id = app_user() AND (m.role = 'editor' OR NOT as_editor));
        END $$;
        -- With whom the person shares projects of their own.
        CREATE FUNCTION app_members() RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN ARRAY(SELECT m.member_id FROM project_members m WHERE m.owner_id = app_user());
        END $$;
        -- All who are in a project with the person.
        CREATE FUNCTION app_people() RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN app_members() || ARRAY(
                SELECT unnest(p.user_id || p.editors || p.viewers) FROM project_members m
                JOIN projects p ON p.user_id = m.owner_id AND p.id = m.project_id WHERE m.member_id = app_user());
        END $$;

        """

    private static let ofTasks = """
        DROP INDEX tasks_by_status;
        ALTER POLICY joined_read ON tasks
            USING (project_key(user_id, project_id) = ANY ((SELECT app_joined(false))::bytea[]));
        ALTER POLICY joined_insert ON tasks
            WITH CHECK (project_key(user_id, project_id) = ANY ((SELECT app_joined(true))::bytea[]));
        ALTER POLICY joined_update ON tasks
            USING (project_key(user_id, project_id) = ANY ((SELECT app_joined(true))::bytea[]));
        ALTER POLICY joined_delete ON tasks
            USING (project_key(user_id, project_id) = ANY ((SELECT app_joined(true))::bytea[]));
        """

    private static let ofStreams = """
        DROP POLICY member_read ON streams;
        DROP POLICY member_update ON streams;
        -- An editor's write takes a number of the owner's stream; an owner who takes somebody off a project tells them so
        -- in theirs.
        ALTER POLICY joined_read ON streams
            USING (user_id = ANY ((SELECT app_owners(false) || app_members())::uuid[]));
        ALTER POLICY joined_update ON streams
            USING (user_id = ANY ((SELECT app_owners(true) || app_members())::uuid[]));
        """

    private static let signing = """
        CREATE OR REPLACE FUNCTION task_signature(search tsvector, tags text[]) RETURNS bit(512)
        LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
        DECLARE
            signature bit(512) := 0::bit(512);
            words text[] := tsvector_to_array(search);
            terms text[] := words || array_remove(tags, NULL);
            term text;
        BEGIN
            FOR place IN 1..cardinality(terms) LOOP
                term := CASE WHEN place > cardinality(words) THEN '#' ELSE '' END || terms[place];
                signature := set_bit(set_bit(set_bit(signature,
                    (hashtextextended(term, 1) & 511)::int, 1), (hashtextextended(term, 2) & 511)::int, 1),
                    (hashtextextended(term, 3) & 511)::int, 1);
            END LOOP;
            RETURN signature;
        END $$;

        CREATE OR REPLACE FUNCTION note_task_signature() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            actor text := current_setting('app.user_id', true);
            is_elsewhere boolean := app_user() IS DISTINCT FROM COALESCE(NEW.user_id, OLD.user_id);
        BEGIN
            IF is_elsewhere THEN
                PERFORM set_config('app.user_id', COALESCE(NEW.user_id, OLD.user_id)::text, true);
            END IF;
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM task_signatures s
                WHERE s.user_id = OLD.user_id AND s.position = OLD.position AND s.task_id = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO task_signatures (user_id, position, task_id, signature)
                VALUES (NEW.user_id, NEW.position, NEW.id, task_signature(NEW.search, NEW.tags));
            END IF;
            IF is_elsewhere THEN
                PERFORM set_config('app.user_id', actor, true);
            END IF;
            RETURN NULL;
        END $$;

        """

    /// See migration 8.
    private static let telling = """
        CREATE FUNCTION event_text(
            id uuid, type text, owner uuid, actor uuid, seq bigint, members uuid[], subject uuid, noun text, body text
        ) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT concat(
                '{"specversion":"1.0","id":"', id, '","type":"', type, '","source":"/users/', owner,
                '","subject":"', subject, '","time":', json_word(rfc3339(now())),
                ',"datacontenttype":"application/json","partitionkey":"', owner, '","seq":"', seq,
                '","data":{"user":"', owner, '","actor":"', actor, '","seq":', seq,
                ',"members":', to_json(members), ',"', noun, '":', body, '}}')
        $$;
        CREATE OR REPLACE FUNCTION event_json(
            id uuid, type text, owner uuid, actor uuid, seq bigint, members uuid[], subject uuid, noun text, body json
        ) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT event_text(id, type, owner, actor, seq, members, subject, noun, body::text)::json
        $$;
        """
}
