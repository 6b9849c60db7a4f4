extension Migration {
    /// Policies select by the names of projects, too.
    static let renamedProjects = Migration(
        version: 26, name: "renamed_projects",
        sql: """
            CREATE FUNCTION note_project_to_plan() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO replan (owner_id, task_id)
                SELECT t.user_id, t.id FROM tasks t
                WHERE t.user_id = NEW.user_id AND t.project_id = NEW.id AND t.status = 'open'
                    AND t.deleted_at IS NULL AND t.due_date IS NOT NULL;
                RETURN NULL;
            END $$;
            CREATE TRIGGER plan_renamed AFTER UPDATE ON projects FOR EACH ROW
                WHEN (lower(NEW.name) IS DISTINCT FROM lower(OLD.name)) EXECUTE FUNCTION note_project_to_plan();
            """)
}
