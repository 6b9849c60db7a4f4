internal import Postgres

/// Why a database cannot be used, in words for the person who has to act; never with a password.
public enum DatabaseError: Error, Sendable, Hashable {
    case invalidURI(String)
    case cannotConnect(String)
    /// One side wants TLS and the other does not, or the certificate is not trusted.
    case tlsRefused(String)
    case authenticationFailed(String)
    /// A later release has migrated the database.
    case newerSchema(found: Int, known: Int)
    /// The database has yet to be migrated.
    case olderSchema(found: Int, needed: Int)
    /// A migration that was applied is not the one of this release.
    case editedMigration(version: Int, name: String)
    /// A statement failed; `sqlState` is nil when the connection broke.
    case migrationFailed(String, sqlState: String?)

    public var message: String {
        switch self {
        case .invalidURI(let text), .cannotConnect(let text), .tlsRefused(let text), .authenticationFailed(let text),
            .migrationFailed(let text, _):
            text
        case .newerSchema(let found, let known):
            "the database has schema version \(found), this release knows up to \(known): run the release that "
                + "migrated it, or a later one"
        case .olderSchema(let found, let needed):
            "the database has schema version \(found), this release needs \(needed): migrate it first (the operator "
                + "does, before it rolls out a release)"
        case .editedMigration(let version, let name):
            "migration \(version) (\(name)) in the database is not the one of this release: the database was migrated "
                + "by a build that was never released; use another database, or restore a backup"
        }
    }
}

extension DatabaseError {
    /// Somebody else held what was to be changed.
    var isLocked: Bool {
        if case .migrationFailed(_, sqlState: "55P03") = self { true } else { false }
    }
}

extension DatabaseError: CustomStringConvertible {
    public var description: String { message }
}

extension DatabaseError {
    /// What a failure of the PostgreSQL client means here; `task` completes "the database could not …".
    public init(_ error: any Error, doing task: String) {
        switch error {
        case let error as DatabaseError: self = error
        case PostgresError.connectionFailed(let why, _): self = Self.refusal(why)
        case PostgresError.poolExhausted(_, let cause?): self = Self.refusal(cause)
        case PostgresError.invalidConfiguration(let why): self = .invalidURI("the database URI cannot be used: \(why)")
        case let error as PostgresError where error.isConnectionFailure:
            self = .cannotConnect("\(error)")
        case let error as PostgresError:
            self = .migrationFailed(
                "the database could not \(task): \(error)\(Self.advice(error))", sqlState: error.sqlState)
        default: self = .migrationFailed("the database could not \(task): \(error)", sqlState: nil)
        }
    }

    private static func advice(_ error: PostgresError) -> String {
        if error.isLockNotAvailable {
            return "; another migration is under way, or somebody holds the tables: it will be tried again"
        }
        if error.sqlState == "42501" {
            return "; let the user own the schema: GRANT CREATE, USAGE ON SCHEMA public TO that user"
        }
        return ""
    }

    /// libpq 15 tells refusals apart by their text only.
    private static func refusal(_ why: String) -> DatabaseError {
        func says(_ texts: String...) -> Bool { texts.contains { why.contains($0) } }
        if says("server does not support SSL") {
            return .tlsRefused(
                "the database does not speak TLS: switch TLS on there, or set the TLS mode to disable (\(why))")
        }
        if says("pg_hba.conf") && says("no encryption", "SSL off") {
            return .tlsRefused("the database lets nobody in without TLS: set the TLS mode to require (\(why))")
        }
        if says("certificate", "does not match host name") {
            return .tlsRefused(
                "the database's certificate is not trusted: name its authority by sslrootcert= in the database URI, "
                    + "and the host as the certificate does (\(why))")
        }
        if says("SSL") { return .tlsRefused("TLS with the database failed (\(why))") }
        if says("authentication failed", "no password supplied", "pg_hba.conf", "role \"", "authentication method") {
            return .authenticationFailed(
                "the database refuses the login: check user and password in the database URI (\(why))")
        }
        return .cannotConnect("cannot connect to the database: check host, port and database name (\(why))")
    }
}
