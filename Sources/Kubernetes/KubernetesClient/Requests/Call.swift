internal import HTTPTypes

/// One request to the API server, before credentials and retries.
struct Call: Sendable {
    static let json = "application/json"

    /// The API's name for what is done: `get`, `list`, `apply`.
    var verb: String
    var method: HTTPRequest.Method
    /// Below the server's address, percent-encoded.
    var path: String
    var query = Query()
    var body: [UInt8]?
    var contentType = json
    var accept = json

    /// Reads can be repeated without harm.
    var isSafe: Bool { method == .get || method == .head }

    /// Asks the server to store something. Access reviews are posted, but nothing comes of them.
    var isWrite: Bool { !isSafe && !path.hasPrefix("/apis/authorization.k8s.io/") }

    var pathAndQuery: String { query.text.isEmpty ? path : "\(path)?\(query.text)" }
}

/// One finished HTTP exchange, for metrics such as `rest_client_requests_total`.
public struct RequestRecord: Sendable, Hashable {
    public var verb: String
    /// `GET`, `PATCH`, …
    public var method: String
    /// `host:port` of the server.
    public var host: String
    public var path: String
    /// The HTTP status, or nil when there was no answer.
    public var code: Int?
    /// From the request to the head of the response.
    public var duration: Duration

    public init(verb: String, method: String, host: String, path: String, code: Int?, duration: Duration) {
        self.verb = verb
        self.method = method
        self.host = host
        self.path = path
        self.code = code
        self.duration = duration
    }
}
