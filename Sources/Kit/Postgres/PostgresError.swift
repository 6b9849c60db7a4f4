/// Why a database call failed. Cancellation is not among these: a cancelled task gets `CancellationError`.
///
/// The description is one line for logs and never holds a parameter's value.
public enum PostgresError: Error, Sendable, Hashable {
    /// The server refused a statement.
    case server(ServerError)
    /// No connection could be made; the text says to whom and why. `isPermanent` when trying again cannot help: login
    /// refused, no such database, TLS refused.
    case connectionFailed(String, isPermanent: Bool)
    /// The connection ended while `statement` was under way. Whether it took effect is unknown.
    case connectionLost(String, statement: String)
    /// The connection or the pool has been closed by this program.
    case closed
    /// No connection of the pool became free, or could be made, in time; `cause` is the last failure to connect.
    case poolExhausted(waited: Duration, cause: String?)
    /// A column does not hold what the caller asked for.
    case decoding(DecodingError)
    /// The server rolled a transaction back at `COMMIT`, because an error in it had been ignored.
    case rolledBack
    /// The connection string or an option cannot be used.
    case invalidConfiguration(String)
    /// The call does not fit the statement or the state of the connection.
    case misuse(String)
}

extension PostgresError {
    /// What the server said (PostgreSQL documentation, 55.8), without anything that may quote a parameter.
    public struct ServerError: Sendable, Hashable {
        /// Five characters; PostgreSQL documentation, appendix A.
        public var sqlState: String
        public var severity: String
        public var message: String
        public var detail: String?
        public var hint: String?
        public var schema: String?
        public var table: String?
        public var column: String?
        public var constraint: String?
        /// The name of the query, or the beginning of its text when it has none.
        public var statement: String
    }

    public struct DecodingError: Sendable, Hashable {
        public var column: String
        public var expected: String
        public var found: String
        public var reason: String
    }
}

extension PostgresError {
    /// The server's code, when the server spoke.
    public var sqlState: String? {
        if case .server(let error) = self { error.sqlState } else { nil }
    }

    /// The constraint that a row would have broken.
    public var constraint: String? {
        if case .server(let error) = self { error.constraint } else { nil }
    }

    public var isUniqueViolation: Bool { sqlState == "23505" }
    public var isForeignKeyViolation: Bool { sqlState == "23503" }
    public var isCheckViolation: Bool { sqlState == "23514" }
    public var isUndefinedTable: Bool { sqlState == "42P01" }
    public var isQueryCanceled: Bool { sqlState == "57014" }
    public var isLockNotAvailable: Bool { sqlState == "55P03" }

    /// Running the same transaction again may succeed: serialization failure or deadlock.
    public var isTransactionRetryable: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// The database could not be reached, or the connection went away: nothing is wrong with the statement.
    public var isConnectionFailure: Bool {
        switch self {
        case .connectionFailed, .connectionLost, .poolExhausted: true
        case .server(let error):
            error.sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P05"].contains(error.sqlState)
        default: false
        }
    }
}

extension PostgresError {
    /// No attempt to connect can succeed before somebody changes the configuration.
    var isPermanent: Bool {
        if case .connectionFailed(_, isPermanent: true) = self { true } else { false }
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .server(let error): error.description
        case .connectionFailed(let why, _): "cannot connect to PostgreSQL: \(why)"
        case .connectionLost(let why, let statement): "connection to PostgreSQL lost in \(statement): \(why)"
        case .closed: "the PostgreSQL connection is closed"
        case .poolExhausted(let waited, let cause?):
            "no PostgreSQL connection within \(waited): \(cause)"
        case .poolExhausted(let waited, nil):
            "no PostgreSQL connection within \(waited): all are in use; raise the pool size or look for slow statements"
        case .decoding(let error):
            "column \(error.column) is \(error.found), not \(error.expected): \(error.reason)"
        case .rolledBack: "the transaction was rolled back at COMMIT because an error in it had been ignored"
        case .invalidConfiguration(let why): "PostgreSQL configuration: \(why)"
        case .misuse(let why): why
        }
    }
}

extension PostgresError.ServerError: CustomStringConvertible {
    public var description: String {
        var text = "\(statement): \(message) (SQLSTATE \(sqlState)"
        if let constraint { text += ", constraint \(constraint)" }
        text += ")"
        if let detail { text += " \(detail)" }
        if let hint { text += " Hint: \(hint)" }
        return text
    }
}
