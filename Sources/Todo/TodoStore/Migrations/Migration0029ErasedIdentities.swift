extension Migration {
    /// Who signs in elsewhere and was erased does not come back by a token of before.
    static let erasedIdentities = Migration(
        version: 29, name: "erased_identities",
        sql: """
            CREATE TABLE erased_identities (
                hash bytea PRIMARY KEY,
                erased_at timestamptz NOT NULL
            );
            COMMENT ON COLUMN erased_identities.hash IS 'SHA-256 of the issuer, a blank and the subject: nothing tells who';

            ALTER TABLE erased_identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY system ON erased_identities USING ((SELECT app_system()));
            CREATE POLICY named ON erased_identities FOR SELECT USING (
                hash = (SELECT sha256(convert_to(current_setting('app.identity', true), 'UTF8'))));
            """)
}
