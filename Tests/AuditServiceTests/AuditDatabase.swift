import Crypto
import Dapr
import FoundationEssentials
import Logging
import Postgres
import PostgresServer
import StructuredData
import Telemetry
import Testing
import TodoModel

@testable import AuditService

/// A database of the test's own with the schema of the log, used by a login that row-level security binds.
struct AuditDatabase: Sendable {
    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    static let master = [UInt8](repeating: 1, count: 32)
    static let seed = [UInt8](repeating: 2, count: 32)

    let server: PostgresServer
    let name: String
    let uri: String

    static func make(on server: PostgresServer? = nil, isMigrated: Bool = true) async throws -> AuditDatabase {
        let shared = try await PostgresServer.shared()
        let server = server ?? shared
        let name =
            isMigrated
            ? try await server.createDatabase("audit") { _ = try await AuditSchema.migrate(databaseURI: $0) }
            : try await server.createDatabase(owner: "app")
        let uri = "postgresql://app:app-secret@localhost:\(server.port)/\(name)?sslmode=disable"
        return AuditDatabase(server: server, name: name, uri: uri)
    }

    /// As the superuser, whom nothing binds.
    @discardableResult
    func psql(_ sql: String) async throws -> String { try await server.psql(sql, database: name) }

    /// A replica's log, on a pool of its own.
    ///
    /// - Parameter patience: the longest that it waits for a connection; on a busy machine those are long in coming.
    func withLog<Value>(
        master: [UInt8] = AuditDatabase.master, patience: Duration = .seconds(60),
        _ body: (AuditLog) async throws -> Value
    ) async throws -> Value {
        var limits = PostgresPool.Limits(size: 8)
        limits.waitDeadline = patience
        let pool = PostgresPool(try PostgresConfiguration(uri), limits: limits)
        let secrets = try #require(AuditSecrets(master: master, signingSeed: Self.seed))
        let log = AuditLog(pool: pool, secrets: secrets, metrics: PrometheusRegistry(), logger: Self.quiet)
        do {
            let value = try await body(log)
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }
}

extension AuditLog {
    /// The lines of an export, without line feeds.
    func exported() async throws -> [String] {
        var bytes: [UInt8] = []
        try await export { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func verified() async throws -> ExportVerifier.Summary {
        let key = Array(secrets.signing.publicKey.rawRepresentation)
        return try await ExportVerifier(trusted: [key]).verify(MemorySource(try await exported()))
    }
}

/// Events as the api service makes them.
struct Events {
    private var ids = UUIDv7Generator()

    mutating func id() -> UUID { ids.next(at: Instant.now()) }

    mutating func task(
        of user: UUID, by actor: UUID? = nil, title: String = "water the plants", kind: TodoEvent.Kind = .taskCreated,
        subject: UUID? = nil, time: Instant = .now()
    ) -> JSON {
        TodoEvent(
            id: id(), kind: kind, user: user, actor: actor ?? user, seq: 1, time: time, members: [user],
            subject: subject ?? id(), body: ["title": .string(title)]
        ).json
    }

    mutating func erasure(of user: UUID) -> JSON {
        [
            "specversion": "1.0", "id": .string(id().text), "source": .string("/users/\(user.text)"),
            "type": .string(AuditLog.erasure), "time": .string(Instant.now().text),
            "partitionkey": .string(user.text), "data": ["user": .string(user.text), "actor": .string(user.text)],
        ]
    }

    /// What the sidecar sends (Dapr, bulk subscribe).
    static func bulk(_ events: [JSON]) -> [UInt8] {
        let entries = events.enumerated().map { number, event -> JSON in
            [
                "entryId": .string(String(number)), "event": event, "metadata": [:],
                "contentType": "application/cloudevents+json",
            ]
        }
        let body: JSON = [
            "id": "b1", "type": "com.dapr.event.sent.bulk", "topic": "task-events", "pubsubname": "todo-pubsub",
            "metadata": [:], "entries": .array(entries),
        ]
        return body.encoded()
    }
}

extension EventDelivery {
    /// The statuses that a bulk delivery is answered.
    func statuses(_ events: [JSON]) async throws -> [String] {
        let delivery = try Delivery(body: Events.bulk(events))
        let answer = delivery.answer(await handle(delivery.events))
        return (answer["statuses"]?.array ?? []).compactMap { $0["status"]?.string }
    }
}
