public import FoundationEssentials
internal import Postgres
public import TodoModel

/// Where people are reminded, and what is to be sent there.
///
/// The clock is the caller's, so that tests can have days pass; replicas' clocks may differ by much less than a lease.
public struct NotificationStore: Sendable {
    let database: TodoDatabase

    /// What a webhook is signed with.
    public struct Secrets: Sendable, Hashable {
        public var current: [UInt8]
        /// Signs, too, until receivers had time to learn the current one.
        public var former: [UInt8]?

        public init(current: [UInt8], former: [UInt8]? = nil) {
            self.current = current
            self.former = former
        }
    }

    /// In the order in which they were made.
    public func channels(of user: UUID) async throws -> [NotificationChannel] {
        let statement: SQLFragment = """
            SELECT \(raw: NotificationChannel.columns(of: "c")) FROM notification_channels c
            WHERE c.user_id = \(user) ORDER BY c.id
            """
        return try await database.rows(as: .user(user), "channel.list", statement).map { try NotificationChannel($0) }
    }

    /// Throws `notFound`.
    public func channel(_ id: UUID, of user: UUID) async throws -> NotificationChannel {
        let statement: SQLFragment = """
            SELECT \(raw: NotificationChannel.columns(of: "c")) FROM notification_channels c
            WHERE c.user_id = \(user) AND c.id = \(id)
            """
        return try await one("channel.get", statement, of: user)
    }

    /// Throws `invalid` naming `target` when the person has it already, or has `NotificationChannel.limit` of them.
    ///
    /// - Parameter isVerified: whether reminders may go there at once.
    public func create(
        _ kind: NotificationChannel.Kind, target: String, secret: [UInt8], isVerified: Bool, of user: UUID,
        at now: Instant
    ) async throws -> NotificationChannel {
        let statement: SQLFragment = """
            INSERT INTO notification_channels AS c (user_id, id, kind, target, secret, created_at, verified_at)
            SELECT \(user), \(database.makeID()), \(kind.rawValue), \(target), \(secret), \(now.timestamp),
                CASE WHEN \(isVerified) THEN \(now.timestamp) END
            WHERE (SELECT count(*) FROM notification_channels o WHERE o.user_id = \(user))
                < \(NotificationChannel.limit)
            RETURNING \(raw: NotificationChannel.columns(of: "c"))
            """
        do {
            let rows = try await database.rows(as: .user(user), "channel.create", statement)
            guard let row = rows.first else {
                throw StoreError.invalid("target", "is one too many: at most \(NotificationChannel.limit) are kept")
            }
            return try NotificationChannel(row)
        } catch let error as PostgresError where error.isUniqueViolation {
            throw StoreError.invalid("target", "is a channel already")
        }
    }

    /// Pauses a channel, or goes on with one; who goes on starts without failures. Throws `notFound`.
    ///
    /// - Parameter reason: nil when the person wants it.
    public func setPaused(
        _ isPaused: Bool, because reason: String? = nil, _ id: UUID, of user: UUID, at now: Instant
    ) async throws -> NotificationChannel {
        let statement: SQLFragment = """
            UPDATE notification_channels c SET
                paused_at = CASE WHEN \(isPaused) THEN COALESCE(c.paused_at, \(now.timestamp)) END,
                paused_because = CASE WHEN \(isPaused) THEN \(reason) END,
                failures = CASE WHEN \(isPaused) THEN c.failures ELSE 0 END,
                blocked_until = CASE WHEN \(isPaused) THEN c.blocked_until END
            WHERE c.user_id = \(user) AND c.id = \(id) RETURNING \(raw: NotificationChannel.columns(of: "c"))
            """
        return try await one("channel.pause", statement, of: user)
    }

    /// Throws `notFound` when it is gone. A second time changes nothing.
    public func verify(_ id: UUID, of user: UUID, at now: Instant) async throws -> NotificationChannel {
        let statement: SQLFragment = """
            UPDATE notification_channels c SET verified_at = COALESCE(c.verified_at, \(now.timestamp))
            WHERE c.user_id = \(user) AND c.id = \(id) RETURNING \(raw: NotificationChannel.columns(of: "c"))
            """
        return try await one("channel.verify", statement, of: user)
    }

    /// Throws `notFound`.
    public func secrets(_ id: UUID, of user: UUID, at now: Instant) async throws -> Secrets {
        let statement: SQLFragment = """
            SELECT c.secret, CASE WHEN c.former_until > \(now.timestamp) THEN c.former_secret END
            FROM notification_channels c WHERE c.user_id = \(user) AND c.id = \(id)
            """
        let row = try await database.rows(as: .user(user), "channel.secrets", statement).first
        guard let row else { throw StoreError.notFound }
        let (current, former) = try row.decode([UInt8].self, [UInt8]?.self)
        return Secrets(current: current, former: former)
    }

    /// A new secret; the one before goes on signing, too, until `end`. Throws `notFound`.
    public func rotate(_ id: UUID, to secret: [UInt8], formerUntil end: Instant, of user: UUID) async throws {
        let statement: SQLFragment = """
            UPDATE notification_channels c
            SET former_secret = c.secret, former_until = \(end.timestamp), secret = \(secret)
            WHERE c.user_id = \(user) AND c.id = \(id)
            """
        let rows = try await database.rows(as: .user(user), "channel.rotate", statement)
        if rows.affected == 0 { throw StoreError.notFound }
    }

    /// With it, what was still to be sent there is skipped. Throws `notFound`.
    public func delete(_ id: UUID, of user: UUID) async throws {
        let delete: SQLFragment = "DELETE FROM notification_channels WHERE user_id = \(user) AND id = \(id)"
        let skip: SQLFragment = """
            UPDATE deliveries SET state = 'skipped', next_attempt_at = NULL, claim = NULL,
                last_error = 'the channel was removed'
            WHERE user_id = \(user) AND channel_id = \(id) AND state = 'pending'
            """
        let results = try await database.read(
            as: .user(user), [skip.query(named: "channel.skip"), delete.query(named: "channel.delete")])
        if results[1].affected == 0 { throw StoreError.notFound }
    }

    private func one(_ name: String, _ statement: SQLFragment, of user: UUID) async throws -> NotificationChannel {
        guard let row = try await database.rows(as: .user(user), name, statement).first else {
            throw StoreError.notFound
        }
        return try NotificationChannel(row)
    }
}

extension NotificationChannel {
    static func columns(of row: String) -> String {
        [
            "user_id", "id", "kind", "target", "created_at", "verified_at", "paused_at", "paused_because", "failures",
            "blocked_until",
        ].map { "\(row).\($0)" }.joined(separator: ", ")
    }

    init(columns: inout ColumnReader) throws(PostgresError) {
        let (user, id) = (try columns.next(UUID.self), try columns.next(UUID.self))
        guard let kind = Kind(rawValue: try columns.next(String.self)) else {
            throw .misuse("a channel is of a kind that this release does not know")
        }
        self.init(
            user: user, id: id, kind: kind, target: try columns.next(), created: try columns.instant(),
            verified: try columns.instantIfAny(), paused: try columns.instantIfAny(),
            pausedBecause: try columns.next(), failures: Int(try columns.next(Int32.self)),
            blockedUntil: try columns.instantIfAny())
    }

    init(_ row: PostgresRow) throws(PostgresError) {
        var columns = ColumnReader(row)
        try self.init(columns: &columns)
    }
}
