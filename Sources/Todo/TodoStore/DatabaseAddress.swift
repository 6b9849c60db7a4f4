internal import Glibc
public import Postgres
public import ServiceRunning

/// How the connection to the database is protected; the words of libpq's `sslmode`.
public enum DatabaseTLSMode: String, Sendable, CaseIterable {
    case disable
    /// Encrypted, to whoever answers.
    case require
    /// Encrypted, to a server whose certificate is trusted and bears the host's name.
    case verifyFull = "verify-full"
}

/// A database's URI, understood.
public struct DatabaseAddress: Sendable {
    public private(set) var configuration: PostgresConfiguration

    /// Whether what one transaction sets up is there for the next one, as `LISTEN` needs: not so through a pooler in
    /// transaction mode, as far as is known.
    public var keepsSessions: Bool { configuration.statementMode != .unnamed }

    /// - Parameters:
    ///   - uri: what libpq takes; besides, `pgbouncer=true` in its query says that a pooler is in between.
    ///   - tlsMode: overrides what the URI says; nil leaves it.
    ///   - isPooled: no state is kept on the server between transactions.
    /// - Throws: `DatabaseError.invalidURI`; `.tlsRefused` when certificates are to be verified and there are no authorities.
    public init(uri: String, tlsMode: DatabaseTLSMode? = nil, isPooled: Bool = false) throws(DatabaseError) {
        let (plain, saysPooled) = Self.withoutPoolerOption(uri)
        do {
            var configuration = try PostgresConfiguration(plain)
            if isPooled || saysPooled { configuration.statementMode = .unnamed }
            if let tlsMode { configuration["sslmode"] = tlsMode.rawValue }
            self.configuration = configuration
        } catch {
            throw .invalidURI("the database URI cannot be read: \(error)")
        }
        try checkPorts()
        try trustSystemAuthorities()
    }

    /// libpq looks at them no earlier than when it connects.
    private func checkPorts() throws(DatabaseError) {
        let ports = configuration["port"]?.split(separator: ",") ?? []
        for port in ports where UInt16(port) ?? 0 == 0 {
            throw .invalidURI("the port in the database URI is not a number from 1 to 65535")
        }
    }

    /// libpq before version 16 has no word for the system's authorities, and without a file it trusts nobody.
    private mutating func trustSystemAuthorities() throws(DatabaseError) {
        guard configuration["sslmode"] == DatabaseTLSMode.verifyFull.rawValue, configuration["sslrootcert"] == nil,
            getenv("PGSSLROOTCERT") == nil
        else { return }
        guard let bundle = Self.systemBundles.first(where: { access($0, R_OK) == 0 }) else {
            throw .tlsRefused(
                "the database's certificate cannot be verified: this machine has no certificate authorities; install "
                    + "ca-certificates, or name a file by sslrootcert= in the database URI")
        }
        configuration["sslrootcert"] = bundle
    }

    /// Where Debian, Red Hat and Alpine keep the authorities that they trust.
    private static let systemBundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]

    /// Prisma and others write `pgbouncer=true`; libpq refuses options that it does not know.
    private static func withoutPoolerOption(_ uri: String) -> (uri: String, isPooled: Bool) {
        guard uri.hasPrefix("postgres"), let mark = uri.firstIndex(of: "?") else { return (uri, false) }
        let options = uri[uri.index(after: mark)...].split(separator: "&")
        let kept = options.filter { !$0.hasPrefix("pgbouncer=") }
        guard kept.count < options.count else { return (uri, false) }
        let query = kept.isEmpty ? "" : "?" + kept.joined(separator: "&")
        return (uri[..<mark] + query, options.contains("pgbouncer=true"))
    }
}

extension DatabaseAddress {
    /// How a service reaches the database without a pooler; nil when it knows of none.
    public static func direct(from reader: EnvironmentReader) throws(EnvironmentError) -> PostgresConfiguration? {
        guard let uri = reader["DATABASE_DIRECT_URI"] else {
            let only = try configuration(from: reader)
            return only.statementMode == .unnamed ? nil : only
        }
        let mode = try reader.choice("DATABASE_TLS_MODE", of: DatabaseTLSMode.self)
        do {
            let address = try DatabaseAddress(uri: uri, tlsMode: mode)
            return address.keepsSessions ? address.configuration : nil
        } catch {
            throw EnvironmentError("DATABASE_DIRECT_URI", error.message)
        }
    }

    /// How a service reaches the database: by `DATABASE_URI`, `DATABASE_TLS_MODE`, and, where a pooler in transaction mode
    /// is in between, `DATABASE_POOLED` or a `DATABASE_DIRECT_URI` that is another.
    public static func configuration(from reader: EnvironmentReader) throws(EnvironmentError) -> PostgresConfiguration {
        let uri = try reader.required("DATABASE_URI", "set it to postgresql://user:password@host:5432/database")
        let mode = try reader.choice("DATABASE_TLS_MODE", of: DatabaseTLSMode.self)
        let hasOther = reader["DATABASE_DIRECT_URI"].map { $0 != uri } ?? false
        let isPooled = try reader.flag("DATABASE_POOLED") ?? hasOther
        do {
            return try DatabaseAddress(uri: uri, tlsMode: mode, isPooled: isPooled).configuration
        } catch {
            throw EnvironmentError("DATABASE_URI", error.message)
        }
    }
}
