extension Migration {
    /// Who there is, and the fence around what is theirs.
    ///
    /// A transaction says for whom it runs by `set_config('app.user_id', …, true)`. Row-level security shows it that
    /// person's rows and, where a table can be shared, those that are shared with them; one that says nothing sees
    /// nothing. It is forced, since the services own the tables. What runs for nobody in particular (relay, retention)
    /// says `app.system`. A person who has yet to prove who they are is found by what they name: `app.email`,
    /// `app.identity`.
    ///
    /// PostgreSQL tries the policies of a table in the reverse order of their names, so what most rows are seen by is
    /// called `own`, and no other name but `system` comes after it.
    static let people = Migration(
        version: 1, name: "people",
        sql: """
            CREATE FUNCTION app_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
                AS $$ SELECT NULLIF(current_setting('app.user_id', true), '')::uuid $$;
            CREATE FUNCTION app_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
                AS $$ SELECT COALESCE(current_setting('app.system', true) = 'on', false) $$;

            CREATE TABLE users (
                id uuid PRIMARY KEY,
                email text NOT NULL UNIQUE CHECK (email = lower(email)),
                name text NOT NULL,
                password text,
                zone text NOT NULL,
                day_start smallint NOT NULL CHECK (day_start BETWEEN 0 AND 1439),
                created_at timestamptz NOT NULL DEFAULT now(),
                updated_at timestamptz NOT NULL DEFAULT now(),
                version bigint NOT NULL DEFAULT 1
            );
            COMMENT ON COLUMN users.password IS 'what the service made of it (scrypt), NULL without one';
            COMMENT ON COLUMN users.day_start IS 'minutes after midnight';

            CREATE TABLE identities (
                issuer text NOT NULL,
                subject text NOT NULL,
                user_id uuid NOT NULL REFERENCES users,
                PRIMARY KEY (issuer, subject)
            );
            CREATE INDEX identities_of_user ON identities (user_id);

            -- Apart from users, so that the row which every write rewrites is small.
            CREATE TABLE streams (
                user_id uuid PRIMARY KEY REFERENCES users,
                seq bigint NOT NULL DEFAULT 0
            ) WITH (fillfactor = 20);
            COMMENT ON COLUMN streams.seq IS 'the number of the last change to what the user owns';

            CREATE TABLE tokens (
                user_id uuid NOT NULL REFERENCES users,
                id uuid NOT NULL,
                hash bytea NOT NULL,
                kind text NOT NULL CHECK (kind IN ('session', 'personal')),
                name text NOT NULL,
                scopes text[] NOT NULL,
                created_at timestamptz NOT NULL DEFAULT now(),
                expires_at timestamptz,
                last_used_at timestamptz,
                PRIMARY KEY (user_id, id),
                UNIQUE (user_id, hash)
            );

            ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON users
                USING (id = (SELECT app_user()) OR (SELECT app_system()));
            CREATE POLICY named ON users FOR SELECT
                USING (email = (SELECT current_setting('app.email', true)));

            ALTER TABLE identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON identities
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            CREATE POLICY named ON identities FOR SELECT
                USING (issuer || ' ' || subject = (SELECT current_setting('app.identity', true)));

            ALTER TABLE streams ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON streams
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));

            ALTER TABLE tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON tokens
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            """)
}
