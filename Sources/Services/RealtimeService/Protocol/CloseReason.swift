/// With which code, and which words for the developer of a client, a connection is closed (RFC 6455, section 7.4).
///
/// Codes from 4400 are of this protocol; each is the HTTP status that says the same, plus 4000.
struct CloseReason: Sendable, Hashable {
    let code: UInt16
    /// At most 123 bytes, since a control frame has no more room.
    let text: String

    static let restarting = CloseReason(code: 1012, text: "restarting; reconnect and resume from your cursor")
    static let apiUnavailable = CloseReason(
        code: 1013, text: "the API cannot be reached; reconnect later and resume from your cursor")
    static let tooSlow = CloseReason(code: 4408, text: "read faster; reconnect and resume from your cursor")
    static let tooManyConnections = CloseReason(code: 4409, text: "too many connections of this person; close others")
    static let outdated = CloseReason(
        code: 4410, text: "your cursor is ahead of what there is, as after a restore; read everything anew")
    static let tooManyMessages = CloseReason(code: 4400, text: "too many messages; a client sends two and then pongs")
    static let nothingToResume = CloseReason(code: 4400, text: "no {\"type\":\"resume\",\"after\":…} came in time")

    static func notAllowed(_ why: String) -> CloseReason { CloseReason(code: 4401, text: why) }
    static func badMessage(_ why: String) -> CloseReason { CloseReason(code: 4400, text: why) }
    static func protocolError(_ why: String) -> CloseReason { CloseReason(code: 1002, text: why) }
    static let binary = CloseReason(code: 1003, text: "messages are text")
    static let notUTF8 = CloseReason(code: 1007, text: "text must be UTF-8")
    static let tooBig = CloseReason(code: 1009, text: "messages have at most \(MessageReader.limit) bytes")
}
