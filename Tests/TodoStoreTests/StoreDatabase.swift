import Postgres
import PostgresServer
import TodoModel
import TodoStore

/// A database of the test's own.
struct StoreDatabase {
    let server: PostgresServer
    let name: String
    /// As somebody whom no policy stops.
    var uri: String { server.socketURI(database: name) }
    /// As the services do: the owner of the tables, who is no superuser.
    var ownerURI: String { server.socketURI(user: "app", database: name) }

    static func empty() async throws -> StoreDatabase {
        let server = try await PostgresServer.shared()
        return StoreDatabase(server: server, name: try await server.createDatabase(owner: "app"))
    }

    /// With the schema of this release.
    static func migrated() async throws -> StoreDatabase {
        let server = try await PostgresServer.shared()
        let name = try await server.createDatabase("todo") { _ = try await Migrator.migrate(databaseURI: $0) }
        return StoreDatabase(server: server, name: name)
    }

    func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresConfiguration(uri))
    }
}

/// The store on a migrated database, with two people.
struct Stores {
    let database: TodoDatabase
    let pool: PostgresPool
    let home: StoreDatabase
    let ada: User
    let ben: User

    static func with<Value>(_ body: (Stores) async throws -> Value) async throws -> Value {
        let home = try await StoreDatabase.migrated()
        var limits = PostgresPool.Limits(size: 8)
        limits.waitDeadline = .seconds(60)
        let pool = PostgresPool(try PostgresConfiguration(home.ownerURI), limits: limits)
        let database = TodoDatabase(pool: pool)
        let ada = try await database.accounts.create(.init(email: "ada@example.com", name: "Ada"), password: "x")
        let ben = try await database.accounts.create(.init(email: "ben@example.com", name: "Ben"), password: "x")
        let value = try await body(Stores(database: database, pool: pool, home: home, ada: ada, ben: ben))
        await pool.close()
        return value
    }

    func operation(by user: User) -> TodoOperation { database.operation(by: user.id) }

    func create(_ title: String, by user: User, _ configure: (inout TodoTask.Draft) -> Void = { _ in }) async throws
        -> TodoTask
    {
        var draft = TodoTask.Draft(title: title)
        configure(&draft)
        return try await database.tasks.create(draft, by: operation(by: user))
    }

    /// A project of Ada's that Ben takes part in.
    func shared(_ role: Role) async throws -> Project {
        let project = try await database.projects.create(.init(name: "Home"), by: ada.id)
        return try await database.projects.share(project.id, with: ben.email, as: role, by: ada.id)
    }

    /// What a query finds, by title.
    func titles(_ query: String, for user: User, limit: Int = 100) async throws -> [String] {
        let context = QueryContext(user: user.id, now: .now())
        let listing = try TaskListing(TaskQuery(parsing: query), in: context, limit: limit)
        return try await database.tasks.page(listing).tasks.map(\.title)
    }

    /// The types of the events in the outbox, oldest first, without their common beginning.
    func events() async throws -> [String] {
        try await home.server.psql(
            "SELECT replace(type, 'dev.todo-operator.', '') FROM outbox ORDER BY id", database: home.name
        ).split(separator: "\n").map(String.init)
    }
}

extension TodoTask.Patch {
    static func with(_ configure: (inout Self) -> Void) -> Self {
        var patch = Self()
        configure(&patch)
        return patch
    }
}

extension User.Patch {
    static func with(_ configure: (inout Self) -> Void) -> Self {
        var patch = Self()
        configure(&patch)
        return patch
    }
}
