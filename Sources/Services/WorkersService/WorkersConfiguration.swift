public import Logging
public import Postgres
public import ServiceRunning
internal import TodoStore

/// What the workers take from their environment.
///
/// | variable | default | meaning |
/// | --- | --- | --- |
/// | `DATABASE_URI` | required | PostgreSQL, as libpq writes it |
/// | `DATABASE_TLS_MODE` | as the URI says | `disable`, `require` or `verify-full` |
/// | `DATABASE_DIRECT_URI` | | the same database without a pooler; that there is one says that `DATABASE_URI` has one |
/// | `DATABASE_POOLED` | see above | a pooler in transaction mode is in between |
/// | `POOL_SIZE` | 4 | connections to the database, 2 to 100 |
/// | `PORT` | 8080 | where `/livez`, `/readyz` and `/metrics` are; 0 takes a free one |
/// | `TODO_BIND_ADDRESS` | every address, IPv4 and IPv6 | |
/// | `LOG_LEVEL` | info | |
public struct WorkersConfiguration: Sendable {
    public var database: PostgresConfiguration
    /// Without a pooler, to be woken up by; nil when only a pooler is known.
    public var direct: PostgresConfiguration?
    public var poolSize: Int
    public var bindAddress: String
    public var port: Int
    public var logLevel: Logger.Level

    /// Throws on the first variable that cannot be used.
    public init(environment: [String: String]) throws(EnvironmentError) {
        let reader = EnvironmentReader(environment)
        database = try DatabaseAddress.configuration(from: reader)
        direct = try DatabaseAddress.direct(from: reader)
        poolSize = try reader.integer("POOL_SIZE", in: 2...100, default: 4)
        bindAddress = reader.bindAddress
        port = try reader.integer("PORT", in: 0...65535, default: 8080)
        logLevel = try reader.choice("LOG_LEVEL") ?? .info
    }
}
