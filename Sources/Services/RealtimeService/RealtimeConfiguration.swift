internal import NIOCore

/// What the service takes from its environment.
///
/// | variable | default | meaning |
/// | --- | --- | --- |
/// | `TODO_API_URL` | required | where the API is, such as `http://todo-api:8080` |
/// | `PORT` | 8080 | where to listen, for clients, probes and the sidecar; 0 takes a free one |
/// | `TODO_BIND_ADDRESS` | 0.0.0.0 | |
/// | `APP_API_TOKEN` | | what the sidecar shows; without it, its calls are not checked |
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
    public init(environment: [String: String]) throws(RealtimeConfigurationError) {
        let variables = environment.filter { !$0.value.isEmpty }
        func integer(_ name: String, _ range: ClosedRange<Int>, _ fallback: Int) throws(RealtimeConfigurationError)
            -> Int
        {
            guard let text = variables[name] else { return fallback }
            guard let value = Int(text), range.contains(value) else {
                throw RealtimeConfigurationError(
                    variable: name,
                    message: "must be a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
            }
            return value
        }
        guard let url = variables["TODO_API_URL"] else {
            throw RealtimeConfigurationError(
                variable: "TODO_API_URL", message: "is not set; set it to the address of the API, http://host:port")
        }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw RealtimeConfigurationError(
                variable: "TODO_API_URL", message: "must begin with http:// or https://, not \"\(url)\"")
        }
        apiURL = url.hasSuffix("/") ? String(url.dropLast()) : url
        bindAddress = variables["TODO_BIND_ADDRESS"] ?? "0.0.0.0"
        port = try integer("PORT", 0...65535, 8080)
        appToken = variables["APP_API_TOKEN"]
        allowedOrigins = Set(
            (variables["TODO_ALLOWED_ORIGINS"] ?? "").lowercased().split { $0 == "," || $0 == " " }.map(String.init))
        maxConnections = try integer("MAX_CONNECTIONS", 1...1_000_000, 12_000)
        maxConnectionsPerUser = try integer("MAX_CONNECTIONS_PER_USER", 1...1_000_000, 50)
        drainTime = .seconds(try integer("DRAIN_SECONDS", 0...600, 10))
    }
}

/// Which variable cannot be used, and what to do; never with a secret.
public struct RealtimeConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    public let variable: String
    public let message: String

    public var description: String { "\(variable): \(message)" }
}
