import Postgres
import PostgresServer
import Testing

/// A connection to a database of the test's own on the shared server.
func withDatabase<Value>(
    _ mode: PostgresConfiguration.StatementMode = .prepared,
    _ body: (PostgresConnection, PostgresConfiguration) async throws -> Value
) async throws -> Value {
    let server = try await PostgresServer.shared()
    var configuration = try PostgresConfiguration(server.socketURI(database: try await server.createDatabase()))
    configuration.statementMode = mode
    configuration.cancelGrace = .patience
    let connection = try await PostgresConnection.connect(configuration)
    let value = try await body(connection, configuration)
    await connection.close()
    return value
}

extension Duration {
    /// Longer than what is not late may take on a busy machine.
    static let patience = Duration.seconds(120)
}

extension PostgresPool.Limits {
    /// For many who wait for few connections, of whom none is late.
    static func patient(size: Int) -> PostgresPool.Limits {
        var limits = PostgresPool.Limits(size: size)
        limits.waitDeadline = .patience
        return limits
    }
}

extension PostgresConnection {
    func value<Value: PostgresDecodable & Sendable>(_ query: PostgresQuery, as type: Value.Type = Value.self)
        async throws -> Value
    {
        try #require(try await self.query(query).first).decode(Value.self)
    }

    /// Polls until the query says true; for what another process does in its own time.
    func eventually(_ query: PostgresQuery, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for _ in 0..<12_000 {
            if try await value(query, as: Bool.self) { return }
            try await self.query("SELECT pg_sleep(0.005)")
        }
        Issue.record("never became true: \(query.sql)", sourceLocation: sourceLocation)
    }
}

/// The `PostgresError` that the body throws.
func postgresError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> PostgresError {
    try #require(
        await #expect(throws: PostgresError.self, sourceLocation: sourceLocation) { try await body() },
        sourceLocation: sourceLocation)
}
