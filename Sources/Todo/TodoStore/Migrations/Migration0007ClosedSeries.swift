extension Migration {
    /// Finds instances that were closed by something that does not make the next one. A step of its own: the lock of the
    /// columns' step, which keeps readers out, is not held while this one reads the table.
    static let closedSeries = Migration(
        version: 7, name: "closed_series",
        sql: """
            CREATE INDEX tasks_without_next ON tasks (user_id, id)
                WHERE is_series_head AND status <> 'open' AND deleted_at IS NULL;
            """)
}
