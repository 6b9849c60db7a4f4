internal import StructuredData

/// What a client says.
enum ClientMessage: Equatable {
    case authenticate(Credential)
    /// Nil: from the beginning.
    case resume(after: StreamCursor?)

    /// Throws what is wrong with it.
    init(_ text: String) throws(CloseReasonError) {
        let json: JSON
        do {
            json = try JSON(parsing: text)
        } catch {
            throw CloseReasonError(reason: .badMessage("messages are JSON"))
        }
        switch json["type"]?.string {
        case "auth":
            guard let credential = json["token"]?.string.flatMap({ Credential(token: $0) }) else {
                throw CloseReasonError(reason: .badMessage("auth needs a token"))
            }
            self = .authenticate(credential)
        case "resume":
            self = .resume(after: try Self.cursor(json["after"]))
        default: throw CloseReasonError(reason: .badMessage("a message has the type auth or resume"))
        }
    }

    private static func cursor(_ json: JSON?) throws(CloseReasonError) -> StreamCursor? {
        switch json {
        case nil, .null: return nil
        case .string(""): return nil
        case .string(let text):
            if let cursor = StreamCursor(text) { return cursor }
            fallthrough
        default: throw CloseReasonError(reason: .badMessage("after is the cursor of a ready, or null"))
        }
    }
}

struct CloseReasonError: Error {
    let reason: CloseReason
}

/// What a person shows to be let in: sent on to the API, which knows whether it is good.
enum Credential: Sendable, Hashable {
    case token(String)
    /// The value of the cookie `todo_session`.
    case session(String)

    static let cookieName = "todo_session"

    /// Nil for what cannot be a token, and could be something else in a header.
    init?(token: some StringProtocol) {
        guard Self.isPlain(token) else { return nil }
        self = .token(String(token))
    }

    init?(cookie: some StringProtocol) {
        guard Self.isPlain(cookie), !cookie.utf8.contains(UInt8(ascii: ";")) else { return nil }
        self = .session(String(cookie))
    }

    private static func isPlain(_ text: some StringProtocol) -> Bool {
        (1...4096).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
