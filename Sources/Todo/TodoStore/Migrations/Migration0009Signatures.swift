extension Migration {
    /// What tasks are searched for, small enough to look at all of a person's.
    ///
    /// The comparisons of `tsvector` and of arrays might tell of rows that the policies hide (they are not leakproof), so
    /// behind row-level security they are no index conditions: a search looks at every task of the person, each on a page
    /// of its own. A signature has three bits for each word and tag (Bloom, 1970); the index holds those of one person
    /// side by side, in the order that they made by hand, and a search reads it from where a page begins to where it is
    /// full. What the bits let through is compared with the task itself. An inverted index would read less, at eight
    /// times the size and, for each task that is made, a page of the log for each of its words.
    static let signatures = Migration(
        version: 9, name: "signatures",
        sql: """
            -- Hash partitions are kept by the same hash: it is the same in every version of PostgreSQL.
            CREATE FUNCTION task_signature(search tsvector, tags text[]) RETURNS bit(512)
            LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
            BEGIN
                RETURN (
                    SELECT COALESCE(
                        bit_or(set_bit(0::bit(512), (hashtextextended(term, turn) & 511)::int, 1)), 0::bit(512))
                    FROM (SELECT unnest(tsvector_to_array(search)) UNION ALL SELECT '#' || unnest(tags)) AS terms (term),
                        generate_series(1, 3) AS turn);
            END $$;

            -- Not unique: a writer would wait for the step that fills the table to end.
            CREATE TABLE task_signatures (
                user_id uuid NOT NULL,
                position text COLLATE "C" NOT NULL,
                task_id uuid NOT NULL,
                signature bit(512) NOT NULL
            );
            CREATE INDEX task_signatures_in_order ON task_signatures (user_id, position, task_id) INCLUDE (signature);
            COMMENT ON COLUMN task_signatures.position IS 'that of the task';

            ALTER TABLE task_signatures ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON task_signatures USING (user_id = (SELECT app_user()) OR (SELECT app_system()));

            -- The policies of tasks have let the write through; what follows from it is done for the owner, also when
            -- an editor of a shared project wrote.
            CREATE FUNCTION note_task_signature() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                actor text := current_setting('app.user_id', true);
            BEGIN
                PERFORM set_config('app.user_id', COALESCE(NEW.user_id, OLD.user_id)::text, true);
                IF TG_OP <> 'INSERT' THEN
                    DELETE FROM task_signatures s
                    WHERE s.user_id = OLD.user_id AND s.position = OLD.position AND s.task_id = OLD.id;
                END IF;
                IF TG_OP <> 'DELETE' THEN
                    INSERT INTO task_signatures (user_id, position, task_id, signature)
                    VALUES (NEW.user_id, NEW.position, NEW.id, task_signature(NEW.search, NEW.tags));
                END IF;
                PERFORM set_config('app.user_id', actor, true);
                RETURN NULL;
            END $$;
            CREATE TRIGGER signature_new AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION note_task_signature();
            CREATE TRIGGER signature_gone AFTER DELETE ON tasks FOR EACH ROW EXECUTE FUNCTION note_task_signature();
            CREATE TRIGGER signature_changed AFTER UPDATE ON tasks FOR EACH ROW
                WHEN ((OLD.title, OLD.description, OLD.tags, OLD.position)
                    IS DISTINCT FROM (NEW.title, NEW.description, NEW.tags, NEW.position))
                EXECUTE FUNCTION note_task_signature();
            """)

    /// The tasks that were there before. A step of its own: the triggers are at work by then, and nobody waits for it,
    /// since it takes no lock that writers mind. A task that changes or goes meanwhile can have a second signature that
    /// no longer fits; lists take each task once, and compare what they find with it, its position too.
    static let oldSignatures = Migration(
        version: 10, name: "old_signatures",
        sql: """
            SELECT set_config('app.system', 'on', true);
            INSERT INTO task_signatures (user_id, position, task_id, signature)
            SELECT t.user_id, t.position, t.id, task_signature(t.search, t.tags) FROM tasks t
            ORDER BY t.user_id, t.position, t.id;
            """)
}
