-- What requests are made of: see Sample.
SELECT json_build_object(
    'people', (
        SELECT json_agg(json_build_object(
            'token', 'todo_' || translate(
                encode(uuid_send(u.id) || sha256(('key ' || replace(u.name, 'User ', ''))::bytea), 'base64'), '+/', '-_'),
            'projects', (SELECT json_agg(p.id ORDER BY p.id) FROM projects p WHERE p.user_id = u.id)) ORDER BY u.id)
        FROM users u),
    'tasks', (
        SELECT json_agg(json_build_array(place, t.id) ORDER BY md5(t.id::text)) FROM users u
        JOIN (SELECT id AS user_id, row_number() OVER (ORDER BY id) - 1 AS place FROM users) places ON places.user_id = u.id
        CROSS JOIN LATERAL (
            SELECT t.id FROM tasks t WHERE t.user_id = u.id AND t.status = 'open' AND t.deleted_at IS NULL
            ORDER BY md5(t.id::text) LIMIT 400) t),
    'words', (
        SELECT json_agg(DISTINCT word) FROM (
            SELECT split_part(title, ' ', 2) AS word FROM tasks WHERE seq % 50 = 7 ORDER BY seq LIMIT 1000) w),
    'tags', (SELECT json_agg(DISTINCT tag) FROM (SELECT unnest(tags) AS tag FROM tasks WHERE seq < 1000) t))::text
