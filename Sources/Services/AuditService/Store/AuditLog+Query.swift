internal import Crypto
public import FoundationEssentials
internal import Postgres
public import StructuredData
public import TodoModel
internal import TodoStore

/// Which entries somebody wants to see. Only those of the person's own stream, and what the person did in others', are
/// there to be seen.
public struct AuditQuery: Sendable {
    public var person: UUID
    /// Later than that.
    public var after: Instant?
    /// Earlier than that.
    public var before: Instant?
    public var actor: UUID?
    /// A type, or with `*` at its end the beginning of one.
    public var type: String?
    public var subject: UUID?
    public var limit = 50
    /// The last entry of the page before.
    public var cursor: AuditCursor?

    public init(person: UUID) { self.person = person }
}

/// A place in the order in which entries are listed: the newest first, and by event where the time is the same.
public struct AuditCursor: Sendable, Hashable {
    public var time: Instant
    public var event: UUID
}

/// Some entries, opened.
public struct AuditPage: Sendable {
    public let items: [JSON]
    /// Nil at the end.
    public let next: AuditCursor?
}

extension AuditLog {
    /// The entries that `query` asks for, the newest first.
    public func page(_ query: AuditQuery) async throws -> AuditPage {
        let rows = try await pool.batch([.asPerson(query.person), Self.statement(query).query(named: "audit.page")])[1]
        let found = try rows.prefix(query.limit).map { row in
            (entry: try AuditEntry(row), hash: try row.decode("hash", as: [UInt8].self))
        }
        let keys = try await keys.openingKeys(of: Set(found.map(\.entry.user)))
        let items = found.map { entry, hash in
            Self.item(entry, hash, content: keys[entry.user].flatMap { entry.opened(with: $0) })
        }
        let last = rows.count > query.limit ? found.last?.entry : nil
        return AuditPage(items: items, next: last.map { AuditCursor(time: $0.time, event: $0.event) })
    }

    /// Two ways in, by the stream and by the actor, each along its index and no further than the page goes. One row more
    /// than the page tells whether there is another.
    private static func statement(_ query: AuditQuery) -> SQLFragment {
        let limit = query.limit + 1
        let (time, event) = query.upperBound
        var conditions: [SQLFragment] = [
            "e.time > \(query.after.map { PostgresTimestamp($0) } ?? .minusInfinity)",
            "(e.time, e.event_id) < (\(PostgresTimestamp(time)), \(event))",
        ]
        if let actor = query.actor { conditions.append("e.actor_id = \(actor)") }
        if let subject = query.subject { conditions.append("e.subject_id = \(subject)") }
        if let type = query.type {
            conditions.append(
                type.hasSuffix("*") ? "starts_with(e.type, \(String(type.dropLast())))" : "e.type = \(type)")
        }
        let all = SQLFragment.joined(conditions, by: " AND ")
        func branch(_ isMine: SQLFragment) -> SQLFragment {
            """
            (SELECT \(raw: columns), e.hash FROM audit.entries AS e WHERE \(isMine) AND \(all)
            ORDER BY e.time DESC, e.event_id DESC LIMIT \(limit))
            """
        }
        return """
            SELECT * FROM (
            \(branch("e.user_id = \(query.person)")) UNION ALL
            \(branch("e.actor_id = \(query.person) AND e.actor_id <> e.user_id"))
            ) AS e ORDER BY e.time DESC, e.event_id DESC LIMIT \(limit)
            """
    }

    private static func item(_ entry: AuditEntry, _ hash: [UInt8], content: JSON?) -> JSON {
        [
            "id": .string(entry.event.text), "type": .string(entry.type), "time": .string(entry.time.text),
            "recordedAt": .string(entry.recorded.text), "user": .string(entry.user.text),
            "actor": entry.actor.map { .string($0.text) } ?? .null,
            "subject": entry.subject.map { .string($0.text) } ?? .null, "content": content ?? .null,
            "shard": JSON(entry.shard), "index": JSON(entry.index),
            "hash": .string(ChainHash(hash)?.hex ?? ""),
        ]
    }
}

extension AuditQuery {
    /// Entries come before that: the cursor, or the first moment that is too late.
    fileprivate var upperBound: (time: Instant, event: UUID) {
        let end = before ?? Instant(microsecondsSince1970: .max)
        if let cursor, cursor.time < end { return (cursor.time, cursor.event) }
        return (end, AuditEvent.nobody)
    }
}

extension AuditEntry {
    /// What was sealed; nil when there is nothing, or the key is not that of its user.
    fileprivate func opened(with key: SymmetricKey) -> JSON? {
        guard let content, let plain = try? AuditSecrets.open(content, with: key, for: event) else { return nil }
        return try? JSON(parsing: plain)
    }
}
