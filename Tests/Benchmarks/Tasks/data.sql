-- :users people with :tasks tasks each, the same at every run. Tasks of all people are interleaved as they would have
-- been made, hour after hour, so that what one person has lies all over the table.

-- Foreign keys hold by what follows.
SET LOCAL session_replication_role = replica;

-- The k-th random number of a series, from 0 to 1.
CREATE FUNCTION bench_random(k bigint, series int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (hashint8extended(k, series) & 1048575)::float8 / 1048576
$$;
CREATE FUNCTION bench_user(k bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(k), 12, '0'))::uuid
$$;
CREATE FUNCTION bench_project(k bigint, place int) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('01900000-0001-7000-8000-' || lpad(to_hex(k * 64 + place), 12, '0'))::uuid
$$;
-- The n-th task of a person, made at an instant (RFC 9562, section 5.7).
CREATE FUNCTION bench_task(k bigint, n int, at timestamptz) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(k || ' ' || n), 14, 3) || '8' || substr(md5(k || ' ' || n), 18, 15))::uuid
$$;
-- One of 2,000 words.
CREATE FUNCTION bench_word(place int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['gar', 'pla', 'mon', 're', 'inv', 'ta', 'cal', 'so', 'ber', 'lin'])[place % 10 + 1]
        || (ARRAY['den', 'ner', 'da', 'port', 'oi', 'sk', 'en', 'ft', 'la', 'gu'])[place / 10 % 10 + 1]
        || (ARRAY['', 'ce', 's', 'ter', 'no', 'ly', 'ra', 'mi', 'tion', 'er', 'ing', 'est', 'ko', 'va', 'du', 'pe', 'xi',
            'bo', 'ham', 'ur'])[place / 100 + 1]
$$;
-- So many words, of which few are frequent.
CREATE FUNCTION bench_words(k bigint, series int, count int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(bench_word((2000 * bench_random(k * 64 + i, series) ^ 2.5)::int), ' ')
    FROM generate_series(1, count) i
$$;

INSERT INTO users (id, email, name, zone, day_start)
SELECT bench_user(k), 'user' || k || '@example.com', 'User ' || k,
    (ARRAY['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'UTC'])[k % 4 + 1], 240
FROM generate_series(1, :users) k;
INSERT INTO streams (user_id, seq) SELECT bench_user(k), 100 + :tasks FROM generate_series(1, :users) k;
INSERT INTO tokens (user_id, id, hash, kind, name, scopes)
SELECT bench_user(k), bench_user(k), sha256(sha256(('key ' || k)::bytea)), 'personal', 'bench',
    '{account,tasks:read,tasks:write}'
FROM generate_series(1, :users) k;
INSERT INTO projects (user_id, id, name, position, is_inbox, seq)
SELECT bench_user(k), bench_project(k, place), CASE place WHEN 0 THEN 'Inbox' ELSE bench_words(k * 64 + place, 1, 2) END,
    'p' || chr(65 + place), place = 0, place + 1
FROM generate_series(1, :users) k, generate_series(0, 20) place;

-- Every seventh task is a part of the one before.
INSERT INTO tasks (
    user_id, id, project_id, parent_id, title, description, status, priority, due_date, due_time, due_zone, start_date,
    estimate_minutes, tags, position, created_at, updated_at, completed_at, deleted_at, seq)
SELECT bench_user(k), bench_task(k, n, made), bench_project(k, (21 * bench_random(whole, 2) ^ 2)::int % 21),
    CASE WHEN n % 7 = 6 THEN bench_task(k, n - 1, made - interval '1 hour') END,
    bench_words(t, 3, 2 + (5 * bench_random(t, 4))::int),
    CASE WHEN bench_random(t, 5) < 0.6 THEN bench_words(t, 6, 5 + (35 * bench_random(t, 7) ^ 2)::int) ELSE '' END,
    CASE WHEN bench_random(t, 8) < 0.1 THEN 'done' WHEN bench_random(t, 8) < 0.11 THEN 'cancelled' ELSE 'open' END,
    (ARRAY[0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 0])[1 + (15 * bench_random(t, 9))::int],
    due, CASE WHEN due IS NOT NULL AND bench_random(t, 11) < 0.2 THEN time '08:00' + n % 40 * interval '15 minutes' END,
    CASE WHEN due IS NOT NULL AND bench_random(t, 11) < 0.02 THEN 'Europe/London' END,
    CASE WHEN bench_random(t, 12) < 0.05 THEN due - 3 END,
    CASE WHEN bench_random(t, 13) < 0.2 THEN 15 * (1 + n % 8) END,
    CASE WHEN bench_random(t, 14) < 0.5 THEN '{}' ELSE ARRAY(
        SELECT DISTINCT (ARRAY['home', 'garden', 'office', 'call', 'errand', 'computer', 'phone', 'waiting', 'someday',
            'read', 'write', 'review', 'plan', 'buy', 'sell', 'travel', 'health', 'money', 'family', 'friends', 'music',
            'sport', 'school', 'car', 'kitchen', 'mail', 'meeting', 'legal', 'idea', 'urgent'])[
            1 + (29 * bench_random(t * 4 + i, 15) ^ 2)::int] COLLATE "C"
        FROM generate_series(1, 1 + n % 3) i ORDER BY 1) END,
    'm' || lpad(to_hex(n), 8, '0') || '1', made, made,
    CASE WHEN bench_random(t, 8) < 0.1 THEN made + interval '3 days' END,
    CASE WHEN bench_random(t, 16) < 0.01 THEN made + interval '4 days' END, 100 + n
FROM (
    SELECT k, n, k * 1000000 + n AS t, k * 1000000 + n - (n % 7 = 6)::int AS whole,
        date_trunc('hour', now()) - (:tasks - n) * interval '1 hour' AS made
    FROM generate_series(1, :tasks) n, generate_series(1, :users) k ORDER BY n, k) made,
LATERAL (SELECT CASE WHEN bench_random(t, 10) < 0.55
    THEN current_date - 40 + (400 * bench_random(t, 17) ^ 2)::int END AS due) due;

-- What a trigger does where there is one.
INSERT INTO task_signatures (user_id, position, task_id, signature)
SELECT user_id, position, id, task_signature(search, tags) FROM tasks ORDER BY user_id, position, id;
INSERT INTO task_tags (user_id, tag, position, task_id)
SELECT user_id, tag, position, id FROM tasks CROSS JOIN unnest(tags) AS tag ORDER BY user_id, tag, position, id;

DROP FUNCTION bench_words, bench_word;
