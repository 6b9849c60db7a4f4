extension Migration {
    /// Where people are reminded, and what became of each reminder there.
    static let notifications = Migration(
        version: 6, name: "notifications",
        sql: """
            CREATE TABLE notification_channels (
                user_id uuid NOT NULL REFERENCES users,
                id uuid NOT NULL,
                kind text NOT NULL CHECK (kind IN ('webhook', 'email')),
                target text NOT NULL,
                secret bytea NOT NULL,
                former_secret bytea,
                former_until timestamptz,
                created_at timestamptz NOT NULL,
                verified_at timestamptz,
                paused_at timestamptz,
                paused_because text,
                failures integer NOT NULL DEFAULT 0,
                blocked_until timestamptz,
                paced_until timestamptz NOT NULL DEFAULT '-infinity',
                PRIMARY KEY (user_id, id),
                UNIQUE (user_id, kind, target)
            );
            COMMENT ON COLUMN notification_channels.secret IS 'signs webhooks';
            COMMENT ON COLUMN notification_channels.former_secret IS 'signs them, too, until former_until';
            COMMENT ON COLUMN notification_channels.failures IS 'attempts in a row that failed';
            COMMENT ON COLUMN notification_channels.blocked_until IS 'the circuit is open until then';
            COMMENT ON COLUMN notification_channels.paced_until IS
                'when all that was ever to be sent would have been, at the steady rate (GCRA)';

            CREATE TABLE deliveries (
                user_id uuid NOT NULL REFERENCES users,
                id uuid NOT NULL,
                purpose text NOT NULL CHECK (purpose IN ('reminder', 'test', 'verification')),
                reminder_id uuid NOT NULL,
                fired_at timestamptz NOT NULL,
                kind text NOT NULL,
                target text NOT NULL,
                channel_id uuid,
                state text NOT NULL CHECK (state IN ('pending', 'delivered', 'dead', 'skipped')),
                attempts integer NOT NULL DEFAULT 0,
                created_at timestamptz NOT NULL,
                give_up_at timestamptz NOT NULL,
                last_attempt_at timestamptz,
                next_attempt_at timestamptz,
                delivered_at timestamptz,
                claim uuid,
                last_error text,
                content jsonb NOT NULL,
                PRIMARY KEY (user_id, id),
                UNIQUE (user_id, reminder_id, fired_at, kind, target),
                CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
            ) WITH (autovacuum_vacuum_scale_factor = 0.02);
            COMMENT ON COLUMN deliveries.next_attempt_at IS 'while an attempt is under way, when it counts as lost';
            COMMENT ON COLUMN deliveries.claim IS 'of the attempt under way: who lost it records nothing';

            CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE state = 'pending';
            CREATE INDEX deliveries_in_state ON deliveries (user_id, state, id);
            CREATE INDEX deliveries_of_channel ON deliveries (user_id, channel_id) WHERE state = 'pending';
            CREATE INDEX deliveries_past ON deliveries (created_at) WHERE state <> 'pending';

            ALTER TABLE notification_channels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON notification_channels
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON deliveries
                USING (user_id = (SELECT app_user()) OR (SELECT app_system()));
            """)
}
