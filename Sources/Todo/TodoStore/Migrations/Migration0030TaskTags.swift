extension Migration {
    /// Which tasks bear a tag, in the order that their owner made by hand: a list by a tag is read from where a page begins
    /// to where it is full, and nothing else is looked at; by signatures it is all that lies in between. Of words a row for
    /// each would be too much to keep, but tags are few. The trigger of signatures keeps them: what they change with is the
    /// same.
    static let taskTags = Migration(
        version: 30, name: "task_tags",
        sql: """
            -- Whoever writes by the trigger of before is waited for: the next step would not see their tasks.
            LOCK TABLE tasks IN SHARE MODE;
            -- Not unique: a writer would wait for the step that fills the table to end.
            CREATE TABLE task_tags (
                user_id uuid NOT NULL,
                tag text COLLATE "C" NOT NULL,
                position text COLLATE "C" NOT NULL,
                task_id uuid NOT NULL
            );
            CREATE INDEX task_tags_in_order ON task_tags (user_id, tag, position, task_id);
            COMMENT ON COLUMN task_tags.position IS 'that of the task';

            ALTER TABLE task_tags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON task_tags USING (user_id = (SELECT app_user()) OR (SELECT app_system()));

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
                    IF OLD.tags <> '{}' THEN
                        DELETE FROM task_tags s
                        WHERE s.user_id = OLD.user_id AND s.tag = ANY (OLD.tags) AND s.position = OLD.position
                            AND s.task_id = OLD.id;
                    END IF;
                END IF;
                IF TG_OP <> 'DELETE' THEN
                    INSERT INTO task_signatures (user_id, position, task_id, signature)
                    VALUES (NEW.user_id, NEW.position, NEW.id, task_signature(NEW.search, NEW.tags));
                    IF NEW.tags <> '{}' THEN
                        INSERT INTO task_tags (user_id, tag, position, task_id)
                        SELECT NEW.user_id, x.tag, NEW.position, NEW.id FROM unnest(NEW.tags) AS x (tag)
                        WHERE x.tag IS NOT NULL;
                    END IF;
                END IF;
                IF is_elsewhere THEN
                    PERFORM set_config('app.user_id', actor, true);
                END IF;
                RETURN NULL;
            END $$;
            """)

    /// The tasks that were there before, as `oldSignatures`.
    static let oldTaskTags = Migration(
        version: 31, name: "old_task_tags",
        sql: """
            SELECT set_config('app.system', 'on', true);
            INSERT INTO task_tags (user_id, tag, position, task_id)
            SELECT t.user_id, x.tag, t.position, t.id FROM tasks t CROSS JOIN unnest(t.tags) AS x (tag)
            WHERE x.tag IS NOT NULL ORDER BY t.user_id, x.tag COLLATE "C", t.position, t.id;
            """)
}
