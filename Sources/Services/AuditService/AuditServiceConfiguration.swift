public import Dapr
internal import FoundationEssentials
public import Logging
public import Postgres
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
/// | `TODO_BIND_ADDRESS` | 0.0.0.0 | |
/// | `TODO_API_URL` | required | the api service, which knows whose tokens are whose |
/// | `TODO_AUDIT_KEY` | required | wraps the users' keys: 32 random bytes in Base64. Lost, it takes all content along |
/// | `TODO_AUDIT_SIGNING_KEY` | required | signs checkpoints: 32 random bytes in Base64, the seed of an Ed25519 key |
/// | `TODO_AUDIT_CHECKPOINT_SECONDS` | 60 | how often checkpoints are signed, 1 to 86400 |
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
    public var sidecarToken: AppToken?
    public var logLevel: Logger.Level
    /// How long requests are still answered after the service was told to stop and says that it is not ready.
    public var drainDelay: Duration = .seconds(2)
    /// How long a connection may be silent before it is closed.
    public var idleTimeout: Duration = .seconds(60)
    /// The longest that requests under way may take after that.
    public var stopDeadline: Duration = .seconds(15)

    /// Throws on the first variable that cannot be used.
    public init(environment: [String: String]) throws(AuditServiceConfigurationError) {
        let reader = EnvironmentReader(environment)
        database = try Self.database(reader)
        poolSize = try reader.integer("POOL_SIZE", in: 1...1000, default: 16)
        bindAddress = reader["TODO_BIND_ADDRESS"] ?? "0.0.0.0"
        port = try reader.integer("PORT", in: 0...65535, default: 8080)
        apiURL = try Self.url(reader)
        secrets = try Self.secrets(reader)
        let seconds = try reader.integer("TODO_AUDIT_CHECKPOINT_SECONDS", in: 1...86_400, default: 60)
        checkpointInterval = .seconds(seconds)
        sidecarToken = AppToken(environment: environment)
        logLevel = try reader.choice("LOG_LEVEL", among: Logger.Level.allCases) ?? .info
    }

    private static func url(_ reader: EnvironmentReader) throws(AuditServiceConfigurationError) -> String {
        let url = try reader.required("TODO_API_URL", "set it to where the api service is, such as http://todo-api")
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw AuditServiceConfigurationError(
                variable: "TODO_API_URL", message: "must begin with http:// or https://")
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    private static func secrets(_ reader: EnvironmentReader) throws(AuditServiceConfigurationError) -> AuditSecrets {
        func key(_ name: String) throws(AuditServiceConfigurationError) -> [UInt8] {
            let advice = "32 random bytes in Base64, as of openssl rand -base64 32"
            let text = try reader.required(name, "set it to \(advice)")
            guard let key = Data(base64Encoded: text), key.count == 32 else {
                throw AuditServiceConfigurationError(variable: name, message: "must be \(advice)")
            }
            return Array(key)
        }
        let (master, seed) = (try key("TODO_AUDIT_KEY"), try key("TODO_AUDIT_SIGNING_KEY"))
        guard let secrets = AuditSecrets(master: master, signingSeed: seed) else {
            throw AuditServiceConfigurationError(
                variable: "TODO_AUDIT_SIGNING_KEY", message: "is not the seed of an Ed25519 key")
        }
        return secrets
    }

    private static func database(_ reader: EnvironmentReader) throws(AuditServiceConfigurationError)
        -> PostgresConfiguration
    {
        let uri = try reader.required("DATABASE_URI", "set it to postgresql://user:password@host:5432/database")
        let mode = try reader.choice("DATABASE_TLS_MODE", among: DatabaseTLSMode.allCases)
        let isPooled = try reader.choice("DATABASE_POOLED", among: Flag.allCases)
        let hasOther = reader["DATABASE_DIRECT_URI"].map { $0 != uri } ?? false
        do {
            return try DatabaseAddress(uri: uri, tlsMode: mode, isPooled: isPooled.map { $0 == .true } ?? hasOther)
                .configuration
        } catch {
            throw AuditServiceConfigurationError(variable: "DATABASE_URI", message: error.message)
        }
    }

    private enum Flag: String, CaseIterable { case `true`, `false` }
}

/// Which variable cannot be used, and what to do; never with a secret.
public struct AuditServiceConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    public let variable: String
    public let message: String

    public var description: String { "\(variable): \(message)" }
}

/// Reads variables. One that is empty counts as not set.
private struct EnvironmentReader {
    let variables: [String: String]

    init(_ variables: [String: String]) { self.variables = variables.filter { !$0.value.isEmpty } }

    subscript(name: String) -> String? { variables[name] }

    func required(_ name: String, _ advice: String) throws(AuditServiceConfigurationError) -> String {
        guard let value = variables[name] else {
            throw AuditServiceConfigurationError(variable: name, message: "is not set; \(advice)")
        }
        return value
    }

    func integer(
        _ name: String, in range: ClosedRange<Int>, default fallback: Int
    ) throws(AuditServiceConfigurationError) -> Int {
        guard let text = variables[name] else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw AuditServiceConfigurationError(
                variable: name,
                message: "must be a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return value
    }

    /// Nil when it is not set.
    func choice<Value: RawRepresentable<String>>(
        _ name: String, among values: [Value]
    ) throws(AuditServiceConfigurationError) -> Value? {
        guard let text = variables[name] else { return nil }
        guard let value = values.first(where: { $0.rawValue == text }) else {
            let known = values.map(\.rawValue).joined(separator: ", ")
            throw AuditServiceConfigurationError(variable: name, message: "must be one of \(known), not \"\(text)\"")
        }
        return value
    }
}
