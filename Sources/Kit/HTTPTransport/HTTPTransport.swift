public import HTTPTypes

/// Sends HTTP requests. `CurlTransport` uses the network; `InMemoryTransport` answers from a closure, for tests and for
/// servers in the same process.
public protocol HTTPTransport: Sendable {
    /// Returns as soon as the response head is there; the body follows as it is read.
    /// Cancelling the task, or dropping the response before its body's end, ends the transfer.
    func send(_ request: ClientRequest) async throws(HTTPTransportError) -> ClientResponse
}

/// One request.
public struct ClientRequest: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
    }

    public var method: HTTPRequest.Method
    /// Absolute URL: `https://host:port/path?query`.
    public var url: String
    public var headers: HTTPFields
    public var body: Body
    /// Longest time until connected; nil means the transport's default.
    public var connectTimeout: Duration?
    /// Longest time without a byte in either direction once connected; nil means none.
    public var idleTimeout: Duration?
    /// Longest time from the call to the last byte of the body; nil means none.
    public var totalTimeout: Duration?
    /// Whether doing it twice is as good as once. Only then is it sent again when a kept connection turns out to be
    /// closed. As the method says (RFC 9110, section 9.2.2) unless set.
    public var isIdempotent: Bool
    /// The address to connect to (`192.0.2.1`, `2001:db8::1`), whatever the URL's host resolves to now: for who checked
    /// what it resolved to. Host header and TLS name stay the URL's.
    public var address: String?

    public init(
        method: HTTPRequest.Method = .get, url: String, headers: HTTPFields = [:], body: Body = .none,
        connectTimeout: Duration? = nil, idleTimeout: Duration? = nil, totalTimeout: Duration? = nil,
        isIdempotent: Bool? = nil, address: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.totalTimeout = totalTimeout
        self.isIdempotent =
            isIdempotent ?? [.get, .head, .put, .delete, .options, .trace].contains(method)
        self.address = address
    }
}

/// The head of a response and the body behind it.
public struct ClientResponse: Sendable {
    public var status: HTTPResponse.Status
    public var headers: HTTPFields
    public var body: ResponseBody

    public init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: ResponseBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A response body: an asynchronous sequence of chunks, read once. Not reading it holds the sender back.
public struct ResponseBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    private let next: @Sendable () async throws(HTTPTransportError) -> [UInt8]?

    /// `next` gives one non-empty chunk a call and nil at the end. It is called by one task at a time.
    public init(next: @escaping @Sendable () async throws(HTTPTransportError) -> [UInt8]?) { self.next = next }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let read: @Sendable () async throws(HTTPTransportError) -> [UInt8]?
        public mutating func next() async throws(HTTPTransportError) -> [UInt8]? { try await read() }
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(HTTPTransportError) -> [UInt8]? { try await read() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(read: next) }

    /// The whole body. Throws `bodyTooLarge` past `limit` bytes.
    public func collect(upTo limit: Int) async throws(HTTPTransportError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = try await next() {
            guard bytes.count + chunk.count <= limit else { throw .bodyTooLarge(limit: limit) }
            if bytes.isEmpty { bytes = chunk } else { bytes.append(contentsOf: chunk) }
        }
        return bytes
    }
}
