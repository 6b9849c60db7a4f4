/// A mail to one person: text, and the same as HTML (RFC 5322, RFC 2045, RFC 2046). Encoding it is pure.
public struct MailMessage: Sendable, Hashable {
    public struct Mailbox: Sendable, Hashable {
        /// May be empty.
        public var name: String
        public var address: String

        public init(name: String = "", address: String) {
            self.name = name
            self.address = address
        }
    }

    public var from: Mailbox
    public var to: Mailbox
    public var subject: String
    /// Seconds since 1970.
    public var date: Int
    /// What stands between the angle brackets: `0192…@todo.example.com`. The same for each attempt to send a message, so
    /// that who gets it twice can tell.
    public var id: String
    /// Line feeds end lines.
    public var text: String
    public var html: String
    /// Where one POST ends mails of this kind (RFC 8058).
    public var unsubscribeURL: String?

    public init(
        from: Mailbox, to: Mailbox, subject: String, date: Int, id: String, text: String, html: String,
        unsubscribeURL: String? = nil
    ) {
        self.from = from
        self.to = to
        self.subject = subject
        self.date = date
        self.id = id
        self.text = text
        self.html = html
        self.unsubscribeURL = unsubscribeURL
    }

    /// What in a message cannot be sent.
    public struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// The message as it goes over the wire. Nothing that the fields hold can become a header of its own: control
    /// characters in a subject or name are blanks, and an address, id or URL that has any, or a blank, throws.
    public func encoded() throws(Invalid) -> [UInt8] {
        try Self.check(id, as: "the message id", allows: Self.isVisible)
        guard id.contains("@") else { throw Invalid(description: "the message id \"\(id)\" has no @") }
        var lines = [
            "From: \(try Self.field(from))", "To: \(try Self.field(to))",
            "Subject: \(HeaderText.encode(subject, after: "Subject: ".utf8.count))",
            "Date: \(MailDate.text(date))", "Message-ID: <\(id)>", "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated",
        ]
        if let unsubscribeURL {
            try Self.check(unsubscribeURL, as: "the URL to unsubscribe by", allows: Self.isVisible)
            lines += [
                "List-Unsubscribe:\r\n <\(unsubscribeURL)>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            ]
        }
        // An equals sign is never written as it is in quoted-printable, so no part can have the boundary in it.
        let boundary = "=_part"
        lines += ["Content-Type: multipart/alternative; boundary=\"\(boundary)\"", ""]
        for (type, content) in [("plain", text), ("html", html)] {
            lines += [
                "--\(boundary)", "Content-Type: text/\(type); charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable", "", QuotedPrintable.encode(content),
            ]
        }
        lines += ["--\(boundary)--", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// Whether mail can be sent to an address: ASCII, something on both sides of one `@`, and no character that means
    /// something in a header or to a mail server.
    public static func isSendable(_ address: String) -> Bool {
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts.contains("") && address.utf8.count <= 254
            && address.utf8.allSatisfy { isVisible($0) && !special.contains($0) }
    }

    private static let special = Set("<>()[]\\,;:\"".utf8)

    private static func isVisible(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
    }

    private static func check(
        _ text: String, as noun: String, allows isAllowed: (UInt8) -> Bool
    ) throws(Invalid) {
        // RFC 5322, section 2.1.1: a line has at most 998 characters.
        guard !text.isEmpty, text.utf8.count <= 900, text.utf8.allSatisfy(isAllowed) else {
            throw Invalid(description: "\(noun) is empty, too long, or has a character that cannot be sent")
        }
    }

    private static func field(_ mailbox: Mailbox) throws(Invalid) -> String {
        guard isSendable(mailbox.address) else {
            throw Invalid(description: "no mail can be sent to or from \"\(mailbox.address)\"")
        }
        guard !mailbox.name.isEmpty else { return "<\(mailbox.address)>" }
        return "\(HeaderText.phrase(mailbox.name, after: "From: ".utf8.count))\r\n <\(mailbox.address)>"
    }
}
