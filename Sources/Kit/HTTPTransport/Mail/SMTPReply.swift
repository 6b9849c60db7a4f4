/// What a mail server said last (RFC 5321, section 4.2).
public struct SMTPReply: Sendable, Equatable {
    /// What the dialogue had come to.
    public enum Stage: Sendable, Equatable {
        /// Greeting, EHLO, STARTTLS or AUTH: nothing of the message.
        case session
        case sender
        case recipient
        /// The message itself.
        case message
    }

    /// Three digits; 0 when nothing was said.
    public private(set) var code = 0
    /// The line without its code.
    public private(set) var text = ""
    public private(set) var stage = Stage.session

    private static let longestText = 500
    private static let goAhead = 354
    /// The answer to QUIT, by which libcurl ends what has failed.
    private static let closing = 221

    init() {}

    var isRefusal: Bool { code >= 400 }
    /// Whether the message may be on its way.
    var hasGoneAhead: Bool { code == Self.goAhead || stage == .message }

    /// One line of the server's. Of a reply of several lines the last one stays.
    mutating func take(_ line: UnsafeRawBufferPointer) {
        guard line.count >= 3, let code = Int(String(decoding: line.prefix(3), as: UTF8.self)), code != Self.closing
        else { return }
        if self.code == Self.goAhead { stage = .message }
        self.code = code
        let text = String(decoding: line.dropFirst(4).prefix(Self.longestText), as: UTF8.self)
        self.text =
            String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
            .trimmed
    }

    /// - Parameter detail: what libcurl says was refused.
    mutating func place(by detail: String) {
        if code == Self.goAhead { stage = .message }
        guard stage == .session else { return }
        if detail.hasPrefix("MAIL failed") {
            stage = .sender
        } else if detail.hasPrefix("RCPT failed") {
            stage = .recipient
        } else if detail.hasPrefix("DATA failed") {
            stage = .message
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return String(self[first...last])
    }
}
