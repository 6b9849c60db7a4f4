public import FoundationEssentials
internal import Postgres

/// What requests with an `Idempotency-Key` were answered, so that one that is repeated is answered the same.
public struct RequestStore: Sendable {
    let database: TodoDatabase

    /// How long an answer is kept.
    static let lifetime = "1 day"

    public struct Answer: Sendable, Hashable {
        public let status: Int
        /// A JSON object of header fields.
        public let headers: [UInt8]
        public let body: [UInt8]

        public init(status: Int, headers: [UInt8], body: [UInt8]) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// Claims a key for the transaction that the store is in, waiting for another one that has it; nil when the request is
    /// new. Otherwise returns what it was answered.
    ///
    /// Throws `idempotencyKeyReused` when the key came with another request.
    public func claim(_ key: String, fingerprint: [UInt8], of user: UUID) async throws -> Answer? {
        let expired: SQLFragment = """
            DELETE FROM idempotency_keys k WHERE k.user_id = \(user) AND k.key = \(key)
            AND k.created_at < now() - interval '\(raw: Self.lifetime)'
            """
        let insert: SQLFragment = """
            INSERT INTO idempotency_keys (user_id, key, fingerprint) VALUES (\(user), \(key), \(fingerprint))
            ON CONFLICT (user_id, key) DO NOTHING RETURNING key
            """
        let select: SQLFragment = """
            SELECT k.fingerprint, k.status, k.headers, k.body FROM idempotency_keys k
            WHERE k.user_id = \(user) AND k.key = \(key)
            """
        let results = try await database.read(
            as: .user(user),
            [
                expired.query(named: "request.expire"), insert.query(named: "request.claim"),
                select.query(named: "request.answer"),
            ])
        guard results[1].isEmpty, let row = results[2].first else { return nil }
        let (known, status, headers, body) = try row.decode(
            [UInt8].self, Int?.self, PostgresJSON?.self, [UInt8]?.self)
        guard known == fingerprint else { throw StoreError.idempotencyKeyReused }
        guard let status, let headers, let body else { return nil }
        return Answer(status: status, headers: headers.bytes, body: body)
    }

    /// Keeps what the request with a claimed key is answered.
    public func keep(_ answer: Answer, for key: String, of user: UUID) async throws {
        let statement: SQLFragment = """
            UPDATE idempotency_keys SET status = \(Int16(clamping: answer.status)),
                headers = \(String(decoding: answer.headers, as: UTF8.self))::json, body = \(answer.body)
            WHERE user_id = \(user) AND key = \(key)
            """
        _ = try await database.rows(as: .user(user), "request.keep", statement)
    }
}
