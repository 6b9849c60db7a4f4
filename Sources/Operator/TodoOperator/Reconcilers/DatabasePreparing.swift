public import TodoResources

/// Brings databases to the schema that the services expect.
public protocol DatabasePreparing: Sendable {
    /// Migrates the database if it has to be, and answers its schema version.
    ///
    /// - Parameters:
    ///   - uri: a PostgreSQL URI, not through a pooler when there is a choice.
    ///   - tlsMode: overrides what the URI says of TLS.
    /// - Throws: what is wrong and what to do about it; never a part of the URI's password.
    func prepare(uri: String, tlsMode: TodoApp.TLSMode) async throws(DatabaseProblem) -> Int
}

/// Why a database cannot be used.
public struct DatabaseProblem: Error, Sendable, Equatable {
    public let reason: ConditionReason
    /// For the person who has to act.
    public let message: String

    public init(_ reason: ConditionReason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
