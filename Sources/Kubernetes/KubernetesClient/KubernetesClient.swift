public import HTTPTransport
public import HTTPTypes
public import Logging
internal import StructuredData

/// A client of one cluster's API. A value: copies share connections and credentials.
///
/// Every call throws `APIError`, which names verb and path and keeps the server's `Status`. Requests that the server
/// says it has not processed (429, `Retry-After`) and safe ones whose connection broke are sent again, within
/// `requestTimeout`. A 401 renews the credentials once.
public struct KubernetesClient: Sendable {
    /// What is the same for all requests of a client.
    public struct Options: Sendable {
        /// `todo-operator/1.0.0`; the server records its first part as the default field manager.
        public var userAgent: String
        /// Gets the server's warnings; nil drops them.
        public var logger: Logger?
        /// Called after every HTTP exchange, on the calling task.
        public var observer: (@Sendable (RequestRecord) -> Void)?
        public var clock: ClientClock
        /// Largest answer that is read, in bytes. Watches are bounded per event instead.
        public var maximumResponseBytes: Int

        public init(
            userAgent: String = "todo-operator", logger: Logger? = nil,
            observer: (@Sendable (RequestRecord) -> Void)? = nil, clock: ClientClock = .system,
            maximumResponseBytes: Int = 512 << 20
        ) {
            self.userAgent = userAgent
            self.logger = logger
            self.observer = observer
            self.clock = clock
            self.maximumResponseBytes = maximumResponseBytes
        }
    }

    /// Longest time for a call with all its retries; watches have their own. Lower it for calls that are worthless
    /// when late, such as the renewal of a lease.
    public var requestTimeout: Duration = .seconds(60)

    /// How often a request that may be sent again is. 0 for callers with a back-off of their own.
    public var maximumRetries = 5

    /// Asked just before each time that a write is sent, retries too; false refuses it with `APIError.Cause.fenced`.
    /// Nil lets all through. For a leader that must not write when it no longer is one; the client that renews the
    /// lease is a copy without it.
    public var mayWrite: (@Sendable () -> Bool)?

    let core: ClientCore

    /// `transport` nil makes a `CurlTransport` with the configuration's TLS and proxy.
    public init(
        configuration: ClusterConfiguration, transport: (any HTTPTransport)? = nil, options: Options = Options()
    ) {
        core = ClientCore(configuration: configuration, transport: transport, options: options)
    }

    public var configuration: ClusterConfiguration { core.configuration }

    /// Sends any request and gives the whole answer, errors included. For what has no method here: `/openapi/v3`,
    /// `/healthz`. `path` is percent-encoded and may have a query.
    public func raw(
        _ method: HTTPRequest.Method = .get, path: String, body: [UInt8]? = nil,
        contentType: String = "application/json", accept: String = "application/json"
    ) async throws(APIError) -> RawResponse {
        let call = Call(
            verb: method.rawValue.lowercased(), method: method, path: path, body: body, contentType: contentType,
            accept: accept)
        let response = try await send(call)
        return RawResponse(
            contentType: response.headers[.contentType] ?? "", body: try await core.collect(response, call))
    }

    func send(_ call: Call, timeout: Duration? = nil) async throws(APIError) -> ClientResponse {
        try await core.send(
            call, timeout: timeout ?? requestTimeout, retries: RetryPolicy(maximumRetries: maximumRetries),
            mayWrite: mayWrite)
    }

    func json(_ call: Call) async throws(APIError) -> JSON {
        let response = try await send(call)
        let bytes = try await core.collect(response, call)
        do { return try JSON(parsing: bytes) } catch {
            throw core.error(call, .malformedResponse("\(error)"))
        }
    }

    func object(_ call: Call) async throws(APIError) -> KubernetesObject {
        let json = try await json(call)
        guard json["kind"]?.string != nil else { throw core.error(call, .malformedResponse("an object without kind")) }
        return KubernetesObject(json)
    }
}

/// A successful answer as it came.
public struct RawResponse: Sendable, Hashable {
    public var contentType: String
    public var body: [UInt8]
}
