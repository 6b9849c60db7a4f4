/// What libpq says when it cannot connect, taken apart. libpq 15 gives a text only; asked to be verbose it includes the
/// server's SQLSTATE: `connection to server at … failed: FATAL:  28P01: password authentication failed for user "app"`.
struct ConnectFailure: Error, Hashable {
    var message: String
    var sqlState: String?

    init(_ text: String) {
        let text = text.onOneLine()
        // The place in the server's source is of no use to whoever reads this.
        var message = text.firstRange(of: " LOCATION:").map { String(text[..<$0.lowerBound]) } ?? text
        // libpq puts two spaces after the severity, and only there.
        if let match = message.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
            sqlState = String(match.1)
            message.replaceSubrange(match.range, with: ": ")
        }
        self.message = message
    }

    /// Trying again changes nothing before somebody changes the configuration: login refused, no such database, or TLS
    /// that one side cannot or may not speak.
    var isPermanent: Bool {
        if let sqlState { return sqlState.hasPrefix("28") || sqlState == "3D000" || sqlState == "42501" }
        return Self.permanentTexts.contains { message.contains($0) }
    }

    private static let permanentTexts = [
        "server does not support SSL", "certificate verify failed", "does not match host name",
        "root certificate file", "no password supplied", "private key file", "invalid sslmode value",
        "SSL error: ", "authentication method", "could not read",
    ]
}
