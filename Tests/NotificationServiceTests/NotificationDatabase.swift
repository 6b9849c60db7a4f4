import Concurrency
import FoundationEssentials
import Logging
import Postgres
import PostgresServer
import StructuredData
import Telemetry
import Testing
import TodoModel
import TodoStore

@testable import NotificationService

/// A database of the test's own, used by a login that row-level security binds, with a clock that goes on when a test
/// says so.
struct NotificationDatabase: Sendable {
    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    let uri: String
    let name: String
    let pool: PostgresPool
    let database: TodoDatabase
    let clock = TestClock()
    let ada: User
    let ben: User

    var store: NotificationStore { database.notifications }

    static func with<Value>(_ body: (NotificationDatabase) async throws -> Value) async throws -> Value {
        let server = try await PostgresServer.shared()
        let name = try await server.createDatabase("todo") { _ = try await Migrator.migrate(databaseURI: $0) }
        let uri = "postgresql://app:app-secret@localhost:\(server.port)/\(name)?sslmode=disable"
        var limits = PostgresPool.Limits(size: 12)
        limits.waitDeadline = .seconds(60)  // on a busy machine connections are long in coming
        let pool = PostgresPool(try PostgresConfiguration(uri), limits: limits)
        let database = TodoDatabase(pool: pool)
        let ada = try await database.accounts.create(.init(email: "ada@example.com", name: "Ada"), password: nil)
        let ben = try await database.accounts.create(.init(email: "ben@example.com", name: "Ben"), password: nil)
        let one = NotificationDatabase(uri: uri, name: name, pool: pool, database: database, ada: ada, ben: ben)
        let result: Result<Value, any Error>
        do { result = .success(try await body(one)) } catch { result = .failure(error) }
        await pool.close()
        return try result.get()
    }

    /// As the superuser, whom nothing binds.
    @discardableResult
    func psql(_ sql: String) async throws -> String { try await PostgresServer.shared().psql(sql, database: name) }

    func channel(
        _ kind: NotificationChannel.Kind = .webhook, _ target: String, of user: User? = nil, isVerified: Bool = true
    ) async throws -> NotificationChannel {
        try await store.create(
            kind, target: target, secret: [UInt8](repeating: 7, count: 32), isVerified: isVerified,
            of: (user ?? ada).id, at: clock.now)
    }

    func notice(_ kinds: [String] = ["webhook"], of user: User? = nil, title: String = "Water the plants") -> Notice {
        let reminder = database.makeID()
        return Notice(
            user: (user ?? ada).id, reminder: reminder, fired: clock.now, kinds: kinds,
            content: [
                "type": "reminder.fired", "timestamp": JSON(clock.now),
                "data": ["reminder": ["id": JSON(reminder)], "task": ["title": .string(title)]],
            ])
    }

    func engine(_ senders: [NotificationChannel.Kind: any ChannelSender]) -> DeliveryEngine {
        DeliveryEngine(
            store: store, senders: senders, metrics: NotificationMetrics(PrometheusRegistry()), logger: Self.quiet,
            now: { [clock] in clock.now })
    }

    /// How many deliveries there are in each state.
    func states() async throws -> [String: Int] {
        var states: [String: Int] = [:]
        for user in [ada, ben] {
            for delivery in try await store.deliveries(of: user.id, limit: 100_000) {
                states[delivery.state.rawValue, default: 0] += 1
            }
        }
        return states
    }

    private func nextDue() async throws -> Instant? {
        var times: [Instant] = []
        for kind in NotificationChannel.Kind.allCases {
            if let time = try await store.nextDue(kind, .unlimited) { times.append(time) }
        }
        return times.min()
    }

    /// Lets time go on, sending what falls due, until nothing is pending or the time is up.
    func run(_ engine: DeliveryEngine, for limit: Duration) async throws {
        let end = clock.now + limit
        while clock.now <= end, let due = try await nextDue(), due <= end {
            clock.set(max(clock.now, due))
            // An engine that holds back something, such as all mails, looks again later.
            if try await engine.deliverDue() == 0 { clock.advance(.seconds(5)) }
        }
        clock.set(max(clock.now, end))
    }
}

extension ClaimQuota {
    static let unlimited = ClaimQuota(limit: 1000, perChannel: 1000, perPerson: 1000, perHost: 1000)
}

final class TestClock: Sendable {
    private let time = Lock(Instant("2026-11-21T12:00:00Z") ?? .now())

    var now: Instant { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    func set(_ instant: Instant) { time.withLock { $0 = instant } }
}

/// A channel that does as it is told.
final class ScriptedSender: ChannelSender {
    private let seen = Lock<[UUID]>([])
    private let script: @Sendable (ClaimedDelivery) async throws(AttemptFailure) -> Void

    init(_ script: @escaping @Sendable (ClaimedDelivery) async throws(AttemptFailure) -> Void = { _ in }) {
        self.script = script
    }

    /// The ids of all attempts.
    var attempts: [UUID] { seen.withLock { $0 } }

    func send(_ claimed: ClaimedDelivery) async throws(AttemptFailure) {
        seen.withLock { $0.append(claimed.delivery.id) }
        try await script(claimed)
    }
}
