import Postgres
import PostgresServer
import TodoStore

/// An empty database of the test's own.
struct StoreDatabase {
    let server: PostgresServer
    let name: String
    var uri: String { server.socketURI(database: name) }

    static func make() async throws -> StoreDatabase {
        let server = try await PostgresServer.shared()
        return StoreDatabase(server: server, name: try await server.createDatabase())
    }

    func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresConfiguration(uri))
    }

    func withPool<Value>(_ body: (PostgresPool) async throws -> Value) async throws -> Value {
        let pool = PostgresPool(try PostgresConfiguration(uri), limits: .init(size: 8))
        let value = try await body(pool)
        await pool.close()
        return value
    }
}
