-- The peer's tables: the rows of ours, with the indexes that its lists can use.
CREATE SCHEMA peer;
CREATE TABLE peer.users (
    id uuid PRIMARY KEY, email text NOT NULL UNIQUE, zone text NOT NULL, token_hash bytea NOT NULL UNIQUE);
INSERT INTO peer.users
SELECT id, email, zone, sha256(('todo_' || translate(
    encode(uuid_send(id) || sha256(('key ' || replace(name, 'User ', ''))::bytea), 'base64'), '+/', '-_'))::bytea)
FROM users;
CREATE TABLE peer.projects (
    id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES peer.users, name text NOT NULL, is_inbox boolean NOT NULL);
INSERT INTO peer.projects SELECT id, user_id, name, is_inbox FROM projects;
CREATE INDEX ON peer.projects (user_id);

CREATE TABLE peer.tasks (LIKE tasks INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS);
INSERT INTO peer.tasks (
    user_id, id, project_id, parent_id, title, description, status, priority, due_date, due_time, due_zone, start_date,
    estimate_minutes, tags, position, created_at, updated_at, completed_at, deleted_at, seq)
SELECT user_id, id, project_id, parent_id, title, description, status, priority, due_date, due_time, due_zone, start_date,
    estimate_minutes, tags, position, created_at, updated_at, completed_at, deleted_at, seq
FROM tasks;
ALTER TABLE peer.tasks ADD PRIMARY KEY (id), ALTER COLUMN seq SET DEFAULT 0,
    ADD FOREIGN KEY (user_id) REFERENCES peer.users, ADD FOREIGN KEY (project_id) REFERENCES peer.projects,
    ADD FOREIGN KEY (parent_id) REFERENCES peer.tasks;
CREATE INDEX ON peer.tasks (user_id, status, due_wall, id) WHERE deleted_at IS NULL;
CREATE INDEX ON peer.tasks (user_id, status, position, id) WHERE deleted_at IS NULL;
CREATE INDEX ON peer.tasks (user_id, project_id, position, id) WHERE deleted_at IS NULL;
CREATE INDEX ON peer.tasks (user_id, priority, due_wall, id) WHERE deleted_at IS NULL AND status = 'open';
CREATE INDEX ON peer.tasks (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ON peer.tasks USING gin (tags);
CREATE INDEX ON peer.tasks USING gin (search);
GRANT USAGE ON SCHEMA peer TO app;
GRANT ALL ON ALL TABLES IN SCHEMA peer TO app;
