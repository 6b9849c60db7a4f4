internal import HTTPTypes

/// HTTP/1.1 and, by ALPN, HTTP/2 over libcurl: one thread and one pool of connections per transport.
///
/// - A response is handed out when its head is there; a body that is not read holds the server back.
/// - Cancelling the task, or letting go of a response, ends the transfer: the server sees it.
/// - Redirects are not followed, cookies are not kept, nothing is sent twice unless that is safe: a request on a kept
///   connection that the server closed is repeated only when it is idempotent or nothing of it was sent.
/// - A connection that brings nothing for any of its streams, while a request on it meets its idle deadline or is given
///   up after 3 seconds without an answer, is closed: what comes later must not wait on it.
/// - What was read from a response stays readable after the transport is let go of; `close` ends everything at once.
public final class CurlTransport: HTTPTransport {
    private let configuration: Configuration
    private let reactor: CurlReactor

    public init(configuration: Configuration = Configuration()) {
        self.configuration = configuration
        reactor = CurlReactor(configuration: configuration)
        reactor.start()
    }

    deinit { reactor.stop(waiting: false) }

    public func send(_ request: ClientRequest) async throws(HTTPTransportError) -> ClientResponse {
        guard !Task.isCancelled else { throw .cancelled }
        let plan = try RequestPlan(request, tlsServerName: configuration.tls.serverName)
        let transfer = CurlTransfer(plan, of: request, configuration: configuration, reactor: reactor)
        let reader = ExchangeReader(transfer.exchange, sender: transfer, owner: self)
        guard reactor.submit(.start(transfer)) else { throw .closed }
        guard case .raw(let bytes) = try await reader.head() else { throw .malformedResponse("no response head") }
        let head = try ParsedHead(bytes)
        return ClientResponse(
            status: head.status, headers: head.headers,
            body: ResponseBody { () async throws(HTTPTransportError) in try await reader.next() })
    }

    /// Fails what is in flight with `.closed`, closes all connections and ends the thread. Later requests fail with
    /// `.closed` too. Returns when the thread has ended; a second call does nothing.
    public func close() { reactor.stop(waiting: true) }
}
