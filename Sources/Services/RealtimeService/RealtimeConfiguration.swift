internal import Dapr
internal import NIOCore
public import ServiceRunning

/// What the service takes from its environment.
///
/// | variable | default | meaning |
/// | --- | --- | --- |
/// | `TODO_API_URL` | required | where the API is, such as `http://todo-api:8080` |
/// | `PORT` | 8080 | where to listen, for clients, probes and the sidecar; 0 takes a free one |
/// | `TODO_BIND_ADDRESS` | every address, IPv4 and IPv6 | |
/// | `APP_API_TOKEN` | | what the sidecar shows; without it, its calls are not checked |
/// | `DAPR_HTTP_PORT`, `DAPR_API_TOKEN` | | of the sidecar, which is asked for its subscriptions; without it, nobody is |
/// | `TODO_ALLOWED_ORIGINS` | | origins besides the host's own, separated by commas: `https://todo.example.com` |
/// | `MAX_CONNECTIONS` | 12000 | WebSockets of this process |
/// | `MAX_CONNECTIONS_PER_USER` | 50 | |
/// | `DRAIN_SECONDS` | 10 | over how long connections are sent away before the process ends |
/// | `LOG_LEVEL` | info | |
public struct RealtimeConfiguration: Sendable {
    public var apiURL: String
    public var bindAddress: String
    public var port: Int
    public var appToken: String?
    /// Nil where there is none to ask.
    var sidecar: DaprClient.Configuration?
    /// In lower case.
    public var allowedOrigins: Set<String>
    public var maxConnections: Int
    public var maxConnectionsPerUser: Int
    public var drainTime: Duration
    /// Requests to the API at once.
    public var apiConcurrency = 64
    /// How long a client may take for its first request.
    public var requestTime: Duration = .seconds(10)
    var rules = ConnectionRules()

    /// Throws on the first variable that cannot be used.
    public init(environment: [String: String]) throws(EnvironmentError) {
        let reader = EnvironmentReader(environment)
        apiURL = try reader.url("TODO_API_URL", "set it to the address of the API, http://host:port")
        bindAddress = reader.bindAddress
        port = try reader.integer("PORT", in: 0...65535, default: 8080)
        appToken = reader["APP_API_TOKEN"]
        let hasSidecar = reader["DAPR_HTTP_PORT"] != nil || reader["DAPR_HTTP_ENDPOINT"] != nil
        sidecar = hasSidecar ? DaprClient.Configuration(environment: environment) : nil
        allowedOrigins = Set(
            (reader["TODO_ALLOWED_ORIGINS"] ?? "").lowercased().split { $0 == "," || $0 == " " }.map(String.init))
        maxConnections = try reader.integer("MAX_CONNECTIONS", in: 1...1_000_000, default: 12_000)
        maxConnectionsPerUser = try reader.integer("MAX_CONNECTIONS_PER_USER", in: 1...1_000_000, default: 50)
        drainTime = .seconds(try reader.integer("DRAIN_SECONDS", in: 0...600, default: 10))
    }
}
