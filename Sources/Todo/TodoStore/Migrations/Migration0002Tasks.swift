extension Migration {
    /// What people keep. A task is its project's owner's, whoever made it; `user_id` leads every key and index, so that
    /// all of it can be partitioned or distributed by user.
    static let tasks = Migration(
        version: 2, name: "tasks",
        sql: """
            -- editors and viewers repeat project_members, which only the owner sees whole: a member who sees the
            -- project sees who else does, and an event names them without another look-up.
            CREATE TABLE projects (
                user_id uuid NOT NULL REFERENCES users,
                id uuid NOT NULL,
                name text NOT NULL,
                color text,
                position text COLLATE "C" NOT NULL,
                is_inbox boolean NOT NULL DEFAULT false,
                is_archived boolean NOT NULL DEFAULT false,
                editors uuid[] NOT NULL DEFAULT '{}',
                viewers uuid[] NOT NULL DEFAULT '{}',
                created_at timestamptz NOT NULL DEFAULT now(),
                updated_at timestamptz NOT NULL DEFAULT now(),
                deleted_at timestamptz,
                version bigint NOT NULL DEFAULT 1,
                seq bigint NOT NULL,
                PRIMARY KEY (user_id, id)
            );
            CREATE UNIQUE INDEX projects_inbox ON projects (user_id) WHERE is_inbox;
            CREATE INDEX projects_by_seq ON projects (user_id, seq);

            CREATE TABLE project_members (
                owner_id uuid NOT NULL,
                project_id uuid NOT NULL,
                member_id uuid NOT NULL REFERENCES users,
                role text NOT NULL CHECK (role IN ('editor', 'viewer')),
                created_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (owner_id, project_id, member_id),
                FOREIGN KEY (owner_id, project_id) REFERENCES projects (user_id, id),
                CHECK (owner_id <> member_id)
            );
            CREATE UNIQUE INDEX project_members_by_member
                ON project_members (member_id, owner_id, project_id) INCLUDE (role);

            CREATE TABLE tasks (
                user_id uuid NOT NULL,
                id uuid NOT NULL,
                project_id uuid NOT NULL,
                parent_id uuid,
                title text NOT NULL,
                description text NOT NULL,
                status text NOT NULL CHECK (status IN ('open', 'done', 'cancelled')),
                priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 4),
                due_date date,
                due_time time,
                due_zone text,
                start_date date,
                estimate_minutes int,
                tags text[] NOT NULL,
                position text COLLATE "C" NOT NULL,
                created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL,
                completed_at timestamptz,
                deleted_at timestamptz,
                version bigint NOT NULL DEFAULT 1,
                seq bigint NOT NULL,
                due_wall timestamp NOT NULL GENERATED ALWAYS AS (
                    COALESCE(due_date + COALESCE(due_time, time '00:00'), timestamp 'infinity')) STORED,
                search tsvector NOT NULL GENERATED ALWAYS AS (
                    to_tsvector('simple', title || ' ' || description)) STORED,
                PRIMARY KEY (user_id, id),
                FOREIGN KEY (user_id, project_id) REFERENCES projects (user_id, id),
                FOREIGN KEY (user_id, parent_id) REFERENCES tasks (user_id, id)
            );
            CREATE INDEX tasks_by_seq ON tasks (user_id, seq);
            CREATE INDEX tasks_by_status ON tasks (user_id, status, due_wall, id) WHERE deleted_at IS NULL;
            -- The order of lists without a sort: those that filter by what has no index stop when the page is full.
            CREATE INDEX tasks_by_position ON tasks (user_id, status, position, id) WHERE deleted_at IS NULL;
            CREATE INDEX tasks_by_project ON tasks (user_id, project_id, position, id) WHERE deleted_at IS NULL;
            CREATE INDEX tasks_by_parent ON tasks (user_id, parent_id) WHERE parent_id IS NOT NULL;
            CREATE INDEX tasks_in_bin ON tasks (user_id, deleted_at) WHERE deleted_at IS NOT NULL;

            CREATE TABLE filters (
                user_id uuid NOT NULL REFERENCES users,
                id uuid NOT NULL,
                name text NOT NULL,
                query text NOT NULL,
                color text,
                position text COLLATE "C" NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                updated_at timestamptz NOT NULL DEFAULT now(),
                deleted_at timestamptz,
                version bigint NOT NULL DEFAULT 1,
                seq bigint NOT NULL,
                PRIMARY KEY (user_id, id)
            );
            CREATE INDEX filters_by_seq ON filters (user_id, seq);

            -- What is no longer there, for those who come back after it: purged, or moved out of the project.
            CREATE TABLE tombstones (
                user_id uuid NOT NULL REFERENCES users,
                seq bigint NOT NULL,
                kind text NOT NULL CHECK (kind IN ('task', 'project', 'filter')),
                id uuid NOT NULL,
                project_id uuid,
                is_moved boolean NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (user_id, seq, id)
            );

            -- What tasks were before an operation, for undo.
            CREATE TABLE operations (
                user_id uuid NOT NULL REFERENCES users,
                id uuid NOT NULL,
                owner_id uuid NOT NULL,
                task_id uuid NOT NULL,
                version bigint NOT NULL,
                before jsonb,
                created_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (user_id, id, owner_id, task_id)
            );
            COMMENT ON COLUMN operations.version IS 'of the task after the operation';
            COMMENT ON COLUMN operations.before IS 'NULL: the operation made the task';

            ALTER TABLE project_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON project_members
                USING (owner_id = (SELECT app_user()) OR (SELECT app_system()));
            CREATE POLICY joined ON project_members FOR SELECT USING (member_id = (SELECT app_user()));

            ALTER TABLE projects ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON projects
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            CREATE POLICY joined ON projects FOR SELECT USING (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id AND m.project_id = projects.id));

            ALTER TABLE tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON tasks
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            CREATE POLICY joined_read ON tasks FOR SELECT USING (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id AND m.project_id = tasks.project_id));
            CREATE POLICY joined_insert ON tasks FOR INSERT WITH CHECK (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id AND m.project_id = tasks.project_id
                    AND m.role = 'editor'));
            CREATE POLICY joined_update ON tasks FOR UPDATE USING (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id AND m.project_id = tasks.project_id
                    AND m.role = 'editor'));
            CREATE POLICY joined_delete ON tasks FOR DELETE USING (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id AND m.project_id = tasks.project_id
                    AND m.role = 'editor'));

            -- An editor's write takes a number of the owner's stream.
            CREATE POLICY joined_read ON streams FOR SELECT USING (EXISTS (
                SELECT FROM project_members m WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id));
            CREATE POLICY joined_update ON streams FOR UPDATE USING (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id AND m.role = 'editor'));

            -- An owner who takes somebody off a project tells them so in their stream.
            CREATE POLICY member_read ON streams FOR SELECT USING (EXISTS (
                SELECT FROM project_members m WHERE m.owner_id = (SELECT app_user()) AND m.member_id = user_id));
            CREATE POLICY member_update ON streams FOR UPDATE USING (EXISTS (
                SELECT FROM project_members m WHERE m.owner_id = (SELECT app_user()) AND m.member_id = user_id));

            -- People who share a project see who they are.
            CREATE POLICY joined ON users FOR SELECT USING (id IN (
                SELECT unnest(p.user_id || p.editors || p.viewers) FROM projects p
                WHERE p.editors || p.viewers <> '{}'));

            ALTER TABLE filters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON filters USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            ALTER TABLE operations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON operations USING (user_id = (SELECT app_user()) OR (SELECT app_system()));

            ALTER TABLE tombstones ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON tombstones USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            CREATE POLICY joined_read ON tombstones FOR SELECT USING (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id
                    AND m.project_id = tombstones.project_id));
            CREATE POLICY joined_insert ON tombstones FOR INSERT WITH CHECK (EXISTS (
                SELECT FROM project_members m
                WHERE m.member_id = (SELECT app_user()) AND m.owner_id = user_id
                    AND m.project_id = tombstones.project_id AND m.role = 'editor'));
            CREATE POLICY member_insert ON tombstones FOR INSERT WITH CHECK (kind = 'project' AND EXISTS (
                SELECT FROM project_members m
                WHERE m.owner_id = (SELECT app_user()) AND m.member_id = user_id AND m.project_id = tombstones.id));
            """)
}
