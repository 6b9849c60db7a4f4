internal import CPostgres
internal import Glibc

/// Where the database is and how to talk to it.
///
/// Made from what libpq takes (PostgreSQL documentation, 34.1.1): a URI such as
/// `postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/etc/ca.pem`, or `key=value` pairs.
/// What the string leaves out comes from the `PG…` environment variables and libpq's own defaults.
public struct PostgresConfiguration: Sendable {
    public enum StatementMode: Sendable {
        /// Each statement is parsed once per connection. For direct connections.
        case prepared
        /// Nothing is kept on the server between transactions. For poolers in transaction mode (PgBouncer, Neon's
        /// `-pooler` hosts), where the next transaction may meet another server process.
        case unnamed
    }

    public var statementMode: StatementMode = .prepared

    /// The longest that one address may take to answer, including TLS and login. `connect_timeout` (seconds) in the
    /// string sets it, too.
    public var connectTimeout: Duration = .seconds(10)

    /// How long a cancelled statement may take to end before its connection is given up.
    public var cancelGrace: Duration = .seconds(5)

    /// How many prepared statements a connection keeps.
    public var preparedStatementLimit = 256

    private var options: [String: String]

    /// Throws `PostgresError.invalidConfiguration` when libpq cannot read the string; the error does not quote it.
    public init(_ connectionString: String) throws(PostgresError) {
        options = try Self.parse(connectionString)
        if let seconds = options["connect_timeout"].flatMap(Int.init), seconds > 0 {
            connectTimeout = .seconds(seconds)
        }
        if options["fallback_application_name"] == nil { self["fallback_application_name"] = "todo" }
        // A peer that vanished without a word is noticed within a minute, not after the kernel's two hours.
        for (key, value) in [
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "60000"),
        ] where options[key] == nil {
            options[key] = value
        }
    }

    /// One of libpq's options, by its name: `sslmode`, `user`, `dbname`, …
    public subscript(option: String) -> String? {
        get { options[option] }
        set { options[option] = newValue }
    }

    /// Everything that libpq is told, in a stable order.
    var parameters: [(key: String, value: String)] {
        options.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
    }

    private static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(text, &message) else {
            defer { PQfreemem(message) }
            throw .invalidConfiguration(reason(message.map { String(cString: $0) } ?? "out of memory"))
        }
        defer { PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return options
    }

    /// libpq quotes the place it stumbled over, which may be the password; only names of options are safe to repeat.
    private static func reason(_ message: String) -> String {
        let message = message.onOneLine()
        let safe = ["invalid URI query parameter: ", "invalid connection option "].contains(where: message.hasPrefix)
        let kept = safe ? message : message.prefix { $0 != "\"" }.trimmingSpace()
        return "\(kept) (expected postgresql://user@host/database?sslmode=… or key=value pairs)"
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// Host, port, database and user, for logs; never the password.
    public var description: String {
        let host = options["host"] ?? options["hostaddr"] ?? "default host"
        let port = options["port"] ?? "5432"
        return "\(options["user"] ?? "default user")@\(host):\(port)/\(options["dbname"] ?? "default database")"
    }
}
