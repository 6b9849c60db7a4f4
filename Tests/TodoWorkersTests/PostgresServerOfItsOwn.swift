import Postgres
import PostgresServer
import TodoModel
import TodoStore

/// A server that a test may harm.
struct PostgresServerOfItsOwn {
    let working: Working

    static func start() async throws -> Self {
        // What has been acknowledged must outlive a kill.
        let server = try await PostgresServer.start(settings: ["synchronous_commit": "on"])
        let name = try await server.createDatabase(owner: "app")
        let uri = server.socketURI(user: "app", database: name)
        _ = try await Migrator.migrate(databaseURI: uri)
        let pool = PostgresPool(try PostgresConfiguration(uri), limits: .init(size: 8))
        let database = TodoDatabase(pool: pool)
        let ada = try await database.accounts.create(.init(email: "ada@example.com", name: "Ada"), password: nil)
        return Self(
            working: Working(server: server, name: name, uri: uri, pool: pool, database: database, ada: ada))
    }

    func end() async throws {
        await working.pool.close()
        try await working.server.stop()
    }
}
