import Concurrency
import ControllerRuntime
import Logging
import Metrics
import PostgresServer
import Testing
import TodoResources
import TodoStore

@testable import TodoOperator

/// The real workers on a real database.
@Suite(.timeLimit(.minutes(10))) struct EmbeddedWorkersTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let app = ObjectKey(namespace: "team", name: "todo")

    private func workers() -> EmbeddedWorkers {
        EmbeddedWorkers(
            databases: AppDatabases(logger: Self.quiet), metrics: NOOPMetricsHandler.instance, logger: Self.quiet)
    }

    private func database(migrated: Bool = true) async throws -> AppDatabase {
        let server = try await PostgresServer.shared()
        let uri = server.socketURI(database: try await server.createDatabase())
        if migrated { _ = try await Migrator.migrate(databaseURI: uri) }
        return AppDatabase(uri: uri, tlsMode: .disable)
    }

    private func become(
        _ workers: EmbeddedWorkers, on database: AppDatabase, _ isMeant: @escaping (WorkerState) -> Bool
    ) async throws {
        _ = try await eventually("the workers are as they should be") {
            isMeant(workers.run(app, on: database)) ? true : nil
        }
    }

    @Test func theyRunOnTheDatabaseTheyAreTold() async throws {
        let workers = workers()
        let changes = Lock<[ObjectKey]>([])
        workers.prepare(leaseCheck: {}, onChange: { app in changes.withLock { $0.append(app) } })
        let (first, second) = (try await database(), try await database())
        #expect(workers.run(app, on: first) == .starting)
        try await become(workers, on: first) { $0 == .running }
        // It is told just after that.
        _ = try await eventually("the change is told") { changes.withLock { $0 }.isEmpty ? nil : true }
        #expect(changes.withLock { $0 } == [app])
        #expect(workers.run(app, on: second) == .starting)
        try await become(workers, on: second) { $0 == .running }
        workers.stop(app)
    }

    @Test func oneThatCannotUseItsDatabaseSaysWhyAndStopsNoOther() async throws {
        let workers = workers()
        workers.prepare(leaseCheck: {}, onChange: { _ in })
        let (empty, good) = (try await database(migrated: false), try await database())
        let other = ObjectKey(namespace: "team", name: "other")
        _ = workers.run(other, on: good)
        try await become(workers, on: empty) { state in
            if case .failed(let why) = state { why.contains("schema version 0") } else { false }
        }
        _ = try await eventually("the other one runs") { workers.run(other, on: good) == .running ? true : nil }
        workers.stop(app)
        workers.stop(other)
    }

    @Test func withoutTheLeaseTheyEnd() async throws {
        let workers = workers()
        let isHeld = Lock(true)
        workers.prepare(
            leaseCheck: { if !isHeld.withLock({ $0 }) { throw FenceError() } }, onChange: { _ in })
        let database = try await database()
        try await become(workers, on: database) { $0 == .running }
        isHeld.withLock { $0 = false }
        try await become(workers, on: database) { if case .failed = $0 { true } else { false } }
        workers.stop(app)
    }

    @Test func theyAreWokenUpPastThePooler() async throws {
        let databases = AppDatabases(logger: Self.quiet)
        let direct = try await database()
        let pooled = AppDatabase(uri: "\(direct.uri)?pgbouncer=true", tlsMode: .disable)
        #expect(try databases.bell(pooled) == nil)
        let both = AppDatabase(uri: pooled.uri, tlsMode: .disable, directURI: direct.uri)
        let bell = try #require(try databases.bell(both))
        #expect(try databases.bell(both) === bell)
        let close = databases.forget(both)
        let next = try #require(try databases.bell(both))
        #expect(next !== bell, "whoever comes meanwhile has connections of its own")
        await close()
        await databases.forget(both)()
    }
}
