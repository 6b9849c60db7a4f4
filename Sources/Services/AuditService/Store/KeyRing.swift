internal import Concurrency
internal import Crypto
internal import FoundationEssentials
internal import Postgres
internal import ServiceHTTP
internal import TodoModel

/// The users' keys. Each is made with the user's first entry, and dropped with the user.
///
/// Whoever writes may use a key from memory: what a key seals that has been dropped since is lost, as it should be.
/// Whoever reads asks the database each time.
final class KeyRing: Sendable {
    /// What is held in memory, until there are too many or they have been there too long: a key that another replica
    /// drops should not live on here.
    private struct Memory {
        static let largest = 20_000
        static let lifetime: Duration = .seconds(600)

        var keys: [UUID: SymmetricKey] = [:]
        var since = ContinuousClock.now

        mutating func add(_ more: [UUID: SymmetricKey]) {
            if keys.count + more.count > Self.largest || since.duration(to: .now) > Self.lifetime {
                self = Memory()
            }
            keys.merge(more) { $1 }
        }
    }

    private let pool: PostgresPool
    private let secrets: AuditSecrets
    private let memory = Lock(Memory())

    init(pool: PostgresPool, secrets: AuditSecrets) {
        self.pool = pool
        self.secrets = secrets
    }

    /// The keys to seal with; makes those that there are not. None for users who were erased.
    func sealingKeys(of users: Set<UUID>) async throws -> [UUID: SymmetricKey] {
        var keys: [UUID: SymmetricKey] = [:]
        memory.withLock { memory in
            for user in users { keys[user] = memory.keys[user] }
        }
        let missing = users.filter { keys[$0] == nil }
        guard !missing.isEmpty else { return keys }
        let found = try await fetch(Array(missing), making: true)
        keys.merge(found) { $1 }
        memory.withLock { $0.add(found) }
        return keys
    }

    /// The keys to read with. None for users who were erased.
    func openingKeys(of users: Set<UUID>) async throws -> [UUID: SymmetricKey] {
        users.isEmpty ? [:] : try await fetch(Array(users), making: false)
    }

    /// Drops the key, for good. Nothing sealed with it can be read again.
    func erase(_ user: UUID) async throws {
        try await pool.batch([
            .asLog,
            """
            INSERT INTO audit.keys (user_id, erased_at) VALUES (\(user), now())
            ON CONFLICT (user_id) DO UPDATE SET wrapped = NULL, erased_at = now() WHERE audit.keys.wrapped IS NOT NULL
            """,
        ])
        memory.withLock { $0.keys[user] = nil }
    }

    /// Throws `WrongMasterKey` unless the master key is the one that wrapped what is there.
    func checkMasterKey() async throws { _ = try await sealingKeys(of: [AuditEvent.nobody]) }

    private func fetch(_ users: [UUID], making isMaking: Bool) async throws -> [UUID: SymmetricKey] {
        var keys: [UUID: SymmetricKey] = [:]
        var absent = Set(users)
        let select: PostgresQuery = "SELECT user_id, wrapped FROM audit.keys WHERE user_id = ANY(\(users))"
        func take(_ rows: PostgresRows?) throws {
            guard let rows else { return }
            for row in rows {
                let (user, wrapped) = try row.decode(UUID.self, [UInt8]?.self)
                absent.remove(user)
                guard let wrapped else { continue }
                do { keys[user] = try secrets.unwrap(wrapped, of: user) } catch { throw WrongMasterKey() }
            }
        }
        try take(try await pool.batch([.asLog, select.named("audit.keys")]).last)
        guard isMaking, !absent.isEmpty else { return keys }
        let made = try absent.map { (user: $0, wrapped: try secrets.makeKey(of: $0).wrapped) }
        // Another replica may be making the same: who comes second takes the first one's.
        let insert: PostgresQuery = """
            INSERT INTO audit.keys (user_id, wrapped)
            SELECT * FROM unnest(\(made.map(\.user)), \(made.map(\.wrapped))) ORDER BY 1
            ON CONFLICT (user_id) DO NOTHING
            """
        try take(try await pool.batch([.asLog, insert.named("audit.new-keys"), select.named("audit.keys")]).last)
        return keys
    }
}

/// The users' keys in the database were wrapped with another master key.
struct WrongMasterKey: UnfitDatabase, CustomStringConvertible {
    let description = "TODO_AUDIT_KEY is not the key that this log was begun with: set it to that one"
}

extension PostgresQuery {
    /// Opens the fence for the log's own work, until the transaction ends.
    static let asLog: PostgresQuery = "SELECT set_config('app.audit', 'on', true)"

    /// Lets the rest of the transaction see what that person may.
    static func asPerson(_ user: UUID) -> PostgresQuery {
        "SELECT set_config('app.user_id', \(user.text), true)"
    }
}
