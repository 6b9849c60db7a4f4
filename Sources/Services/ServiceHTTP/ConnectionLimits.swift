public import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// What a client may take of a service before it is let go.
public struct ConnectionLimits: Sendable {
    /// At once; whoever comes beyond is told 503. Where there is no ingress, everybody's stream of live changes comes
    /// through the api service beside their requests: so it is twice the 10,000 people that are to be served.
    public var connections = 20_000
    /// How long a connection may be silent, between requests or within one, before it is closed.
    public var idle: Duration = .seconds(60)
    /// How long the body of a request may be on its way: then it is answered 408, and the connection closed.
    public var upload: Duration = .seconds(30)
    /// How often a client that has not taken all of an answer is looked at: one that has taken less than 16 KiB more of
    /// it by then is closed.
    public var progress: Duration = .seconds(30)
    /// How long a client may go on sending after its last answer, or without one after its time for an upload was over,
    /// before it is closed.
    public var farewell: Duration = .seconds(10)

    public init() {}
}

extension HTTP1Channel.Configuration {
    /// HTTP/1.1 with these limits; those that are made of one value count their connections together.
    public init(_ limits: ConnectionLimits) {
        let served = ConnectionCount(limit: limits.connections)
        // They are heard out, too, but there is no room for any number of them.
        let refused = ConnectionCount(limit: 1000)
        self.init(
            additionalChannelHandlers: [ConnectionGuard(limits, served: served, refused: refused)],
            idleTimeout: TimeAmount(limits.idle))
    }
}
