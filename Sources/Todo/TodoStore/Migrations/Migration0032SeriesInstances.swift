extension Migration {
    /// Who leads a series is looked up whenever one is edited, undone or taken out of the bin.
    static let seriesInstances = Migration(
        version: 32, name: "series_instances",
        sql: """
            CREATE INDEX tasks_by_series ON tasks (user_id, series_id) WHERE series_id IS NOT NULL;
            """)
}
