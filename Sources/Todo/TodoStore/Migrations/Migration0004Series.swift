extension Migration {
    /// Tasks that repeat. Each instance carries how; so undo, the bin and sharing need nothing of their own.
    static let series = Migration(
        version: 4, name: "series",
        sql: """
            -- Not validated, which would read the whole table under the lock: it holds of all rows that are there, where
            -- these columns are NULL or false.
            ALTER TABLE tasks
                ADD COLUMN series_id uuid,
                ADD COLUMN occurrence text COLLATE "C",
                ADD COLUMN recurrence jsonb,
                ADD COLUMN is_series_head boolean NOT NULL DEFAULT false,
                ADD CONSTRAINT tasks_recurrence CHECK (
                    (series_id IS NULL) = (occurrence IS NULL) AND (series_id IS NULL) = (recurrence IS NULL)
                    AND (series_id IS NOT NULL OR NOT is_series_head)) NOT VALID;
            COMMENT ON COLUMN tasks.occurrence IS 'which instance of the series: a day or wall time that the rule names';
            COMMENT ON COLUMN tasks.is_series_head IS 'the next instance is yet to be made, when this one is closed';
            COMMENT ON COLUMN tasks.recurrence IS
                'the rule and its settings; "template" holds what this instance has otherwise than the series';

            CREATE OR REPLACE FUNCTION task_json(t tasks) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
                SELECT json_build_object(
                    'id', t.id, 'user', t.user_id, 'project', t.project_id, 'parent', t.parent_id, 'title', t.title,
                    'description', t.description, 'status', t.status,
                    'priority', (ARRAY['none', 'low', 'medium', 'high', 'urgent'])[t.priority + 1],
                    'due', CASE
                        WHEN t.due_date IS NULL THEN NULL
                        WHEN t.due_time IS NULL THEN json_build_object('date', t.due_date)
                        WHEN t.due_zone IS NULL
                            THEN json_build_object('date', t.due_date, 'time', left(t.due_time::text, 5))
                        ELSE json_build_object(
                            'date', t.due_date, 'time', left(t.due_time::text, 5), 'zone', t.due_zone) END,
                    'start', t.start_date, 'estimate', t.estimate_minutes, 'tags', t.tags, 'position', t.position,
                    'createdAt', rfc3339(t.created_at), 'updatedAt', rfc3339(t.updated_at),
                    'completedAt', rfc3339(t.completed_at), 'deletedAt', rfc3339(t.deleted_at),
                    'version', t.version, 'seq', t.seq,
                    'recurrence', CASE WHEN t.recurrence IS NOT NULL THEN json_build_object(
                        'rule', t.recurrence -> 'rule', 'basis', t.recurrence -> 'basis',
                        'monthEnd', t.recurrence -> 'monthEnd', 'overdue', t.recurrence -> 'overdue',
                        'overdueLimit', t.recurrence -> 'overdueLimit', 'series', t.series_id,
                        'occurrence', t.occurrence, 'text', t.recurrence -> 'text') END)
            $$;
            """)
}
