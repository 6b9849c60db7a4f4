extension Migration {
    /// When somebody's last digest was due is looked up whenever their next one is planned.
    static let digestsByPerson = Migration(
        version: 27, name: "digests_by_person",
        sql: """
            CREATE INDEX planned_digests_by_person ON planned_reminders (user_id, source_id, fire_at)
                WHERE task_id IS NULL;
            """)
}
