extension SMTPServer.Mail {
    /// What stands between the angle brackets; empty when there is none.
    public var messageID: String {
        let text = header("Message-ID")
        return text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : ""
    }

    public var subject: String { header("Subject") }

    /// The part for people who read text.
    public var plainText: String {
        let parts = text.split(separator: "Content-Transfer-Encoding: quoted-printable\r\n\r\n")
        guard parts.count > 1, let part = parts[1].split(separator: "\r\n--=_part").first else { return "" }
        return String(part).replacing("=\r\n", with: "").replacing("=3D", with: "=")
    }

    /// The address that follows `name: ` on a line of its own.
    public func link(_ name: String) -> String? {
        let line = plainText.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }
        return line.map { String($0.dropFirst(name.count + 2)) }
    }

    private func header(_ name: String) -> String {
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
        let line = lines.first { $0.lowercased().hasPrefix("\(name.lowercased()): ") }
        return line.map { String($0.dropFirst(name.count + 2)) } ?? ""
    }
}
