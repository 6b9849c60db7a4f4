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
/// | `DATABASE_POOLED` | see above | a pooler in transaction mode is in between |
/// | `POOL_SIZE` | 16 | connections to the database, 1 to 1000 |
/// | `PORT` | 8080 | where to listen; 0 takes a free one |
/// | `TODO_BIND_ADDRESS` | every address, IPv4 and IPv6 | |
/// | `TODO_API_URL` | required | the api service, which knows whose tokens are whose |
/// | `TODO_AUDIT_KEY` | required | wraps the users' keys: 32 random bytes in Base64. Lost, it takes all content along |
/// | `TODO_AUDIT_SIGNING_KEY` | required | signs checkpoints: 32 random bytes in Base64, the seed of an Ed25519 key |
/// | `TODO_AUDIT_CHECKPOINT_SECONDS` | 60 | how often checkpoints are signed, 1 to 86400 |
/// | `TODO_AUDIT_RETENTION_DAYS` | 400 | entries that are older are dropped once a day, when the sidecar calls; 30 to 3650 |
/// | `APP_API_TOKEN` | | what the sidecar proves itself with; without, whoever reaches the port may deliver events |
/// | `LOG_LEVEL` | info | |
public struct AuditServiceConfiguration: Sendable {
    public var database: PostgresConfiguration
    public var poolSize: Int
    public var bindAddress: String
    public var port: Int
    public var apiURL: String
    public var secrets: AuditSecrets
    public var checkpointInterval: Duration
    /// How long entries are kept.
    public var retention: Duration
    public var sidecarToken: AppToken?
    public var logLevel: Logger.Level
    public var limits = ConnectionLimits()
    /// The longest that something waits for a connection to the database.
    public var poolWait: Duration = .seconds(5)
    /// How long requests are still answered after the service was told to stop and says that it is not ready.
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
        apiURL = try reader.url("TODO_API_URL", "set it to where the api service is, such as http://todo-api")
        secrets = try Self.secrets(reader)
        let seconds = try reader.integer("TODO_AUDIT_CHECKPOINT_SECONDS", in: 1...86_400, default: 60)
        checkpointInterval = .seconds(seconds)
        retention = .seconds(
            86_400 * (try reader.integer("TODO_AUDIT_RETENTION_DAYS", in: 30...3650, default: 400)))
        sidecarToken = AppToken(environment: environment)
        logLevel = try reader.choice("LOG_LEVEL") ?? .info
    }

    private static func secrets(_ reader: EnvironmentReader) throws(EnvironmentError) -> AuditSecrets {
        let (master, seed) = (try reader.key("TODO_AUDIT_KEY"), try reader.key("TODO_AUDIT_SIGNING_KEY"))
        guard let secrets = AuditSecrets(master: master, signingSeed: seed) else {
            throw EnvironmentError(
                "TODO_AUDIT_SIGNING_KEY", "is not the seed of an Ed25519 key")
        }
        return secrets
    }
}
