extension Migration {
    /// The services may know more zones than the server does, whose tables are of another release: a zone that it does not
    /// know has no list, digest or plan fail.
    static let knownZones = Migration(
        version: 28, name: "known_zones",
        sql: """
            -- The zone; NULL when the server does not know it. It begins a transaction within the transaction, which
            -- parallel workers cannot. The cost is that of a list, which asks it of few tasks or none.
            CREATE FUNCTION known_zone(zone text) RETURNS text LANGUAGE plpgsql STABLE STRICT COST 1 AS $$
            BEGIN
                PERFORM timezone(zone, timestamp '2000-01-01');
                RETURN zone;
            EXCEPTION WHEN invalid_parameter_value THEN
                RETURN NULL;
            END $$;
            """)
}
