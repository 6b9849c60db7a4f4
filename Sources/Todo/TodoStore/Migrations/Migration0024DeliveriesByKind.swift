extension Migration {
    /// Webhooks are found without a look at the mails that wait for their server, and mails without one at webhooks.
    static let deliveriesByKind = Migration(
        version: 24, name: "deliveries_by_kind",
        sql: """
            CREATE INDEX deliveries_due_of_kind ON deliveries (kind, next_attempt_at) WHERE state = 'pending';
            DROP INDEX deliveries_due;
            """)
}
