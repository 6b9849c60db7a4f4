import ControllerRuntime
import Logging
import Postgres
import PostgresServer
import Testing
import TodoResources
import TodoStore

@testable import TodoOperator

@Suite(.timeLimit(.minutes(10))) struct MigratingDatabaseTests {
    private static func impatient(_ patience: Duration = .seconds(2)) -> MigratingDatabase {
        MigratingDatabase(patience: patience, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The lock of everybody who migrates a database.
    private static let migrators: PostgresQuery = "SELECT 1::int4 FROM pg_advisory_xact_lock(1953457263)"

    private func problem(_ database: MigratingDatabase, _ uri: String) async -> DatabaseProblem? {
        do throws(DatabaseProblem) {
            _ = try await database.prepare(uri: uri, tlsMode: .disable)
            return nil
        } catch { return error }
    }

    /// Eight databases that let the operator in and then are mute had all its workers wait, and nothing was done for
    /// anybody.
    @Test func whoNeverAnswersIsNotWaitedForForLong() async throws {
        let server = try await PostgresServer.shared()
        let uri = server.socketURI(database: try await server.createDatabase())
        let database = Self.impatient()
        let other = try await PostgresConnection.connect(try PostgresConfiguration(uri))
        try await other.withTransaction { connection in
            try await connection.query(Self.migrators)
            let first = await problem(database, uri)
            #expect(first?.reason == .migrating)
            // It has been waited for already.
            let start = ContinuousClock.now
            for _ in 0..<20 { #expect(await problem(database, uri) == first) }
            #expect(start.duration(to: .now) < .seconds(20), "each of them waited for two seconds")
        }
        await other.close()
        // It went on meanwhile.
        let version = try await eventually("it is migrated") {
            try? await database.prepare(uri: uri, tlsMode: .disable)
        }
        #expect(version == Migrator.latestVersion)
    }

    /// A thousand apps on one database ask for it again and again.
    @Test func aSuccessIsRememberedForFiveMinutesAndAFailureIsNot() async throws {
        let server = try await PostgresServer.shared()
        let name = "remembered_\(UInt32.random(in: .min ... .max))"
        let (time, uri) = (ManualTime(), server.socketURI(database: name))
        let database = MigratingDatabase(time: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let admin = try await PostgresConnection.connect(try PostgresConfiguration(server.socketURI()))
        #expect(await problem(database, uri)?.reason == .connectionFailed, "it is not there")
        try await admin.execute(script: "CREATE DATABASE \(name)")
        #expect(await problem(database, uri) == nil)
        try await admin.execute(script: "DROP DATABASE \(name) WITH (FORCE)")
        time.advance(by: .seconds(299))
        #expect(await problem(database, uri) == nil, "nobody asked it")
        time.advance(by: .seconds(1))
        #expect(await problem(database, uri)?.reason == .connectionFailed)
        await admin.close()
    }

    /// To migrate many rows takes long, and nothing is wrong any more.
    @Test func whatWentWrongLastIsToldWhileTheNextTryMayFailAlike() async throws {
        let server = try await PostgresServer.shared()
        let name = "later_\(UInt32.random(in: .min ... .max))"
        let (database, uri) = (Self.impatient(.seconds(3)), server.socketURI(database: name))
        let failure = try await eventually("it fails") {
            await problem(database, uri).flatMap { $0.reason == .migrating ? nil : $0 }
        }
        let admin = try await PostgresConnection.connect(try PostgresConfiguration(server.socketURI()))
        try await admin.execute(script: "CREATE DATABASE \(name)")
        await admin.close()
        let other = try await PostgresConnection.connect(try PostgresConfiguration(uri))
        try await other.withTransaction { connection in
            try await connection.query(Self.migrators)
            #expect(await problem(database, uri) == failure)
            _ = try await eventually("it is at work") {
                await problem(database, uri).flatMap { $0.reason == .migrating ? $0 : nil }
            }
        }
        await other.close()
    }

    @Test func policiesAreNotWaitedForForLongEither() async throws {
        let server = try await PostgresServer.shared()
        let uri = server.socketURI(database: try await server.createDatabase())
        _ = try await Migrator.migrate(databaseURI: uri)
        let databases = AppDatabases(
            patience: .seconds(1), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let address = AppDatabase(uri: uri, tlsMode: .disable)
        let other = try await PostgresConnection.connect(try PostgresConfiguration(uri))
        try await other.withTransaction { connection in
            try await connection.execute(script: "LOCK TABLE reminder_policies IN ACCESS EXCLUSIVE MODE")
            await #expect(throws: DatabaseProblem(.connectionFailed, Self.silence)) {
                try await databases.policies(of: "team", in: address)
            }
        }
        await other.close()
        // On a busy machine that may take longer than the patience, too.
        let policies = try await eventually("they are read") { try? await databases.policies(of: "team", in: address) }
        #expect(policies == [])
        await databases.forget(address)()
    }

    private static let silence = "the database could not read the reminder policies: it does not answer"
}
