/// Why a request got no answer, or a body did not end. The text in a case names the host and says what to look at.
public enum HTTPTransportError: Error, Sendable, Equatable {
    case invalidURL(String)
    /// A header or a body that cannot be sent as given; nothing was sent.
    case invalidRequest(String)
    /// No connection: name not found, refused, unreachable, a proxy that said no. Nothing was sent.
    case connect(String)
    /// The peer's certificate or the handshake was not accepted.
    case tls(String)
    case timeout(Timeout)
    /// The connection broke after the request was sent; whether the server acted on it is not known.
    case connectionLost(String)
    /// The server answered, but not with HTTP that this client accepts.
    case malformedResponse(String)
    case bodyTooLarge(limit: Int)
    case cancelled
    /// The transport was shut down.
    case closed

    public enum Timeout: Sendable, Equatable { case connect, idle, total }
}

extension HTTPTransportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidURL(let why), .invalidRequest(let why), .connect(let why), .tls(let why),
            .connectionLost(let why), .malformedResponse(let why):
            why
        case .timeout(.connect): "no connection within the connect deadline; check that the server is reachable"
        case .timeout(.idle): "the server stayed silent for longer than the idle deadline"
        case .timeout(.total): "the request took longer than its total deadline"
        case .bodyTooLarge(let limit): "the response body is larger than the limit of \(limit) bytes"
        case .cancelled: "the request was cancelled"
        case .closed: "the HTTP transport is closed"
        }
    }
}
