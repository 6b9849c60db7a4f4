/// Why a mail was not taken. The text is for whoever has to act.
public enum SMTPError: Error, Sendable, Equatable {
    /// The message or its recipient was refused for good (5xx): sending it again is no use.
    case rejected(SMTPReply)
    /// Not now (4xx); or the server does not want this client at all (5xx to greeting, STARTTLS, AUTH or MAIL FROM),
    /// which says nothing of the message.
    case deferred(SMTPReply)
    /// The server could not be talked with. Once the message was on its way, it may have been taken.
    case transport(HTTPTransportError)
    case invalidMessage(String)

    init(_ reply: SMTPReply) {
        let isForGood = reply.code >= 500 && (reply.stage == .recipient || reply.stage == .message)
        self = isForGood ? .rejected(reply) : .deferred(reply)
    }

    /// Sending the same message again is no use.
    public var isPermanent: Bool {
        switch self {
        case .rejected, .invalidMessage: true
        case .deferred, .transport: false
        }
    }

    /// It would have happened to any message.
    public var isAboutServer: Bool {
        switch self {
        case .transport: true
        case .deferred(let reply): reply.code == 421 || reply.stage == .session || reply.stage == .sender
        case .rejected, .invalidMessage: false
        }
    }
}

extension SMTPError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .rejected(let reply): "the mail server refused the message: \(reply.code) \(reply.text)"
        case .deferred(let reply) where reply.stage == .session:
            "the mail server did not let us in: \(reply.code) \(reply.text)"
        case .deferred(let reply): "the mail server did not take the message now: \(reply.code) \(reply.text)"
        case .transport(let error): "the mail server could not be talked with: \(error)"
        case .invalidMessage(let why): why
        }
    }
}
