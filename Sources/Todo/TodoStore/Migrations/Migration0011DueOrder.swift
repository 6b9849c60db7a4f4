extension Migration {
    /// Lists by due date are read from an index whole: where priority decides between tasks of a day the next one has them
    /// in that order, and a filter by priority is answered without a look at the task. Each in a step of its own: writers
    /// wait while an index is built.
    static let dueOrder: [Migration] = [
        Migration(
            version: 11, name: "due_order",
            sql: """
                CREATE INDEX tasks_by_due ON tasks (user_id, status, due_wall, id, priority) WHERE deleted_at IS NULL;
                """),
        Migration(
            version: 12, name: "due_and_priority_order",
            sql: """
                CREATE INDEX tasks_by_due_and_priority ON tasks (user_id, status, due_wall, priority DESC, id DESC)
                    WHERE deleted_at IS NULL;
                """),
    ]
}
