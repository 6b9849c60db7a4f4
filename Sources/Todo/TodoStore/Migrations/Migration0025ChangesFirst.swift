extension Migration {
    /// Changes are published before reminders: each kind is read by itself, in its order.
    static let changesFirst = Migration(
        version: 25, name: "changes_first",
        sql: """
            ALTER TABLE outbox
                ADD COLUMN is_reminder boolean NOT NULL GENERATED ALWAYS AS (topic = 'reminder-events') STORED,
                DROP CONSTRAINT outbox_pkey, ADD PRIMARY KEY (is_reminder, id);
            """)
}
