public import Dapr
public import Logging
public import Postgres
public import ServiceHTTP
public import ServiceRunning
internal import TodoStore

/// What the service takes from its environment.
///
/// | variable | default | meaning |
/// | --- | --- | --- |
/// | `DATABASE_URI` | required | PostgreSQL, as libpq writes it |
/// | `DATABASE_TLS_MODE` | as the URI says | `disable`, `require` or `verify-full` |
/// | `DATABASE_DIRECT_URI` | | the same database without a pooler; that there is one says that `DATABASE_URI` has one |
/// | `DATABASE_POOLED` | see above | a pooler in transaction mode is in between; also said by `pgbouncer=true` in the URI |
/// | `POOL_SIZE` | 16 | connections to the database, 1 to 1000 |
/// | `PORT` | 8080 | where to listen; 0 takes a free one |
/// | `TODO_BIND_ADDRESS` | every address, IPv4 and IPv6 | |
/// | `TODO_API_TOKEN` | required | a bearer token that opens an account of its own, with all scopes |
/// | `TODO_API_TOKEN_PREVIOUS` | | the same before a rotation: taken, too |
/// | `SIGN_UP` | closed | `open` or `closed`: whether anybody can make an account |
/// | `RATE_LIMIT` | 200 | requests each second of one token in the long run, ten times that at once; 0 for no limit |
/// | `OIDC_ISSUER` | | an OpenID Connect provider whose tokens are taken, too: `https://…`, as its tokens name it |
/// | `OIDC_AUDIENCE` | | whom those tokens must be for; needed with an issuer |
/// | `OIDC_CA` | | certificate authorities in PEM that its certificate is held against; else those of the system |
/// | `BIN_DAYS` | 30 | how long what was deleted can be restored; once a day, when the sidecar calls, older things are purged |
/// | `APP_API_TOKEN` | | what the sidecar proves itself with; without, it cannot call |
/// | `TODO_AUDIT_URL` | | where the audit service is: `/v1/audit` is passed on to it |
/// | `TODO_NOTIFICATION_URL` | | where the notification service is: its paths are passed on to it |
/// | `TODO_REALTIME_URL` | | where the realtime service is: `/v1/stream` is passed on to it |
/// | `LOG_LEVEL` | info | |
public struct TaskServiceConfiguration: Sendable {
    public var database: PostgresConfiguration
    public var poolSize: Int
    public var bindAddress: String
    public var port: Int
    public var apiToken: String
    /// Taken, too: after a rotation.
    public var previousAPIToken: String?
    public var isSignUpOpen: Bool
    /// Requests each second of one token, in the long run; 0 for no limit.
    public var rateLimit: Int
    /// Whose tokens are taken, besides our own.
    public var identityProvider: IdentityProviderAddress?
    /// How long a deleted task stays in the bin.
    public var binLifetime: Duration
    public var sidecarToken: AppToken?
    /// `http://host:port`; nil where an ingress sends `/v1/audit` past this service.
    public var auditURL: String?
    /// `http://host:port`; nil where there is none, or an ingress sends its paths past this service.
    public var notificationURL: String?
    /// Nil where an ingress sends `/v1/stream` past this service.
    public var realtime: SocketTarget?
    public var logLevel: Logger.Level
    public var limits = ConnectionLimits()
    /// The longest that a request waits for a connection to the database.
    public var poolWait: Duration = .seconds(2)
    /// The longest that one request may take, from its last byte to the answer; that for changes takes longer.
    public var requestDeadline: Duration = .seconds(10)
    /// What a password costs to try: scrypt's N (RFC 7914), a power of two; 32 MiB as it is.
    public var passwordCost = 1 << 15
    /// How long requests are still answered after the service was told to stop and says that it is not ready, so that
    /// whoever routes to it has time to notice.
    public var drainDelay: Duration = .seconds(2)
    /// The longest that requests under way may take after that.
    public var stopDeadline: Duration = .seconds(15)

    /// Throws on the first variable that cannot be used.
    public init(environment: [String: String]) throws(EnvironmentError) {
        let reader = EnvironmentReader(environment)
        database = try DatabaseAddress.configuration(from: reader)
        poolSize = try reader.integer("POOL_SIZE", in: 1...1000, default: 16)
        bindAddress = reader.bindAddress
        port = try reader.integer("PORT", in: 0...65535, default: 8080)
        apiToken = try reader.required("TODO_API_TOKEN", "set it to the token that requests must bear")
        previousAPIToken = reader["TODO_API_TOKEN_PREVIOUS"]
        isSignUpOpen = try reader.choice("SIGN_UP", of: SignUpPolicy.self) == .open
        rateLimit = try reader.integer("RATE_LIMIT", in: 0...1_000_000, default: 200)
        identityProvider = try Self.identityProvider(reader)
        binLifetime = .seconds(86_400 * (try reader.integer("BIN_DAYS", in: 1...3650, default: 30)))
        sidecarToken = AppToken(environment: environment)
        auditURL = try reader.address("TODO_AUDIT_URL").map { "http://\($0.host):\($0.port)" }
        notificationURL = try reader.address("TODO_NOTIFICATION_URL").map { "http://\($0.host):\($0.port)" }
        realtime = try reader.address("TODO_REALTIME_URL")
        logLevel = try reader.choice("LOG_LEVEL") ?? .info
    }

    private static func identityProvider(
        _ reader: EnvironmentReader
    ) throws(EnvironmentError) -> IdentityProviderAddress? {
        guard let issuer = reader["OIDC_ISSUER"] else { return nil }
        guard issuer.hasPrefix("https://") || issuer.hasPrefix("http://127.0.0.1:") else {
            throw EnvironmentError("OIDC_ISSUER", "must begin with https://")
        }
        let audience = try reader.required("OIDC_AUDIENCE", "set it to whom the provider's tokens are for")
        return IdentityProviderAddress(issuer: issuer, audience: audience, authorities: reader["OIDC_CA"])
    }

    private enum SignUpPolicy: String, CaseIterable { case open, closed }
}

/// An OpenID Connect provider, and for whom its tokens must be.
public struct IdentityProviderAddress: Sendable, Hashable {
    public let issuer: String
    public let audience: String
    /// Certificate authorities in PEM; nil for those of the system.
    public let authorities: String?
    /// Keys that are older are fetched anew.
    public var freshness: Duration = .seconds(3600)
    /// Keys that are older are good for nothing, however long the provider does not answer.
    public var lifetime: Duration = .seconds(86_400)

    public init(issuer: String, audience: String, authorities: String? = nil) {
        self.issuer = issuer
        self.audience = audience
        self.authorities = authorities
    }
}

extension EnvironmentReader {
    /// `http://host:port`.
    func address(_ name: String) throws(EnvironmentError) -> SocketTarget? {
        guard let text = self[name] else { return nil }
        guard let match = text.wholeMatch(of: /http:\/\/([^:\/]+):([0-9]+)\/?/), let port = Int(match.2),
            (1...65535).contains(port)
        else {
            throw EnvironmentError(name, "must be http://host:port, not \"\(text)\"")
        }
        return SocketTarget(host: String(match.1), port: port)
    }
}
