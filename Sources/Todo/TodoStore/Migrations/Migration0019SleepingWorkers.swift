extension Migration {
    /// Workers that need not look: whatever they would have to do begins with a row in one of these tables. A step for
    /// each, since it keeps writers out who may have a lock of another.
    static let sleepingWorkers: [Migration] = [
        Migration(version: 19, name: "sleeping_workers", sql: sleepers),
        Migration(version: 20, name: "wake_to_plan", sql: wake("replan")),
        Migration(version: 21, name: "wake_to_plan_scopes", sql: wake("replan_scopes")),
        // Digests are for everybody.
        Migration(version: 22, name: "wake_for_people", sql: wake("users")),
        Migration(version: 23, name: "wake_for_reminders", sql: postponed),
    ]

    private static let sleepers = """
        CREATE TABLE sleeping_workers (
            id uuid PRIMARY KEY,
            until timestamptz NOT NULL
        );
        COMMENT ON TABLE sleeping_workers IS 'who is to be woken by a notification; one that died stays until then';
        ALTER TABLE sleeping_workers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY system ON sleeping_workers USING ((SELECT app_system()));
        CREATE POLICY seen ON sleeping_workers FOR SELECT USING (true);

        -- Only while somebody sleeps: transactions that notify are committed one after the other.
        CREATE FUNCTION wake_workers() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM sleeping_workers w WHERE w.until > clock_timestamp()) THEN
                PERFORM pg_notify('todo_workers', '');
            END IF;
            RETURN NULL;
        END $$;
        -- A statement that inserts nothing has its triggers run all the same.
        CREATE FUNCTION wake_workers_if_any() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM sleeping_workers w WHERE w.until > clock_timestamp())
                AND EXISTS (SELECT FROM inserted) THEN
                PERFORM pg_notify('todo_workers', '');
            END IF;
            RETURN NULL;
        END $$;
        """

    private static func wake(_ table: String) -> String {
        """
        CREATE TRIGGER wake AFTER INSERT ON \(table) REFERENCING NEW TABLE AS inserted
            FOR EACH STATEMENT EXECUTE FUNCTION wake_workers_if_any();
        """
    }

    /// What a person puts off is planned at once; all else that is planned there the workers write themselves.
    private static let postponed = """
        CREATE TRIGGER wake_new AFTER INSERT ON planned_reminders FOR EACH ROW
            WHEN (NEW.snoozed_from IS NOT NULL) EXECUTE FUNCTION wake_workers();
        CREATE TRIGGER wake_again AFTER UPDATE ON planned_reminders FOR EACH ROW
            WHEN (NEW.snoozed_from IS NOT NULL AND NEW.state = 'pending' AND OLD.state = 'cancelled')
            EXECUTE FUNCTION wake_workers();
        """
}
