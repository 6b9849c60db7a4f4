internal import NIOCore

/// How long and how much a connection may; the same for all, so held once.
final class ConnectionRules: Sendable {
    /// For the token, and for the resume after it.
    let handshakeTime: TimeAmount
    let pingInterval: TimeAmount
    /// How long after a ping that was not answered by anything the connection counts as lost.
    let pongTime: TimeAmount
    /// How often the API is asked whether the person may still listen and has everything.
    let checkInterval: TimeAmount
    /// The same when events have only begun to come in; it grows with their age, up to `checkInterval`.
    let firstCheckInterval: TimeAmount
    /// How long a client may take to read on, with the buffers full.
    let stallTime: TimeAmount
    /// How long the client has to answer a close, and to read what was sent before it.
    let closeTime: TimeAmount
    /// Events kept for a connection while it catches up; with more, it catches up again.
    let heldEvents: Int
    /// A client may send a burst of so many frames, and then one in each `frameInterval`.
    let frameBurst: Int
    let frameInterval: TimeAmount = .milliseconds(100)

    init(
        handshakeTime: TimeAmount = .seconds(5), pingInterval: TimeAmount = .seconds(30),
        pongTime: TimeAmount = .seconds(15), checkInterval: TimeAmount = .seconds(40),
        firstCheckInterval: TimeAmount = .seconds(1), stallTime: TimeAmount = .seconds(15),
        closeTime: TimeAmount = .seconds(10), heldEvents: Int = 256,
        frameBurst: Int = 50
    ) {
        self.handshakeTime = handshakeTime
        self.pingInterval = pingInterval
        self.pongTime = pongTime
        self.checkInterval = checkInterval
        self.firstCheckInterval = firstCheckInterval
        self.stallTime = stallTime
        self.closeTime = closeTime
        self.heldEvents = heldEvents
        self.frameBurst = frameBurst
    }
}
