extension Migration {
    static let tasks = Migration(
        version: 1, name: "tasks",
        sql: """
            CREATE TABLE tasks (
                user_id uuid NOT NULL,
                id uuid NOT NULL,
                title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 500),
                notes text NOT NULL,
                status text NOT NULL CHECK (status IN ('open', 'done', 'cancelled')),
                priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 4),
                created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL,
                version bigint NOT NULL CHECK (version > 0),
                PRIMARY KEY (user_id, id)
            );
            CREATE INDEX tasks_by_status ON tasks (user_id, status, id);
            """)
}
