/// Keeps parameter values out of what the server said. The server quotes them in the message of data errors (`invalid
/// input syntax for type uuid: "…"`) and in the detail of constraint errors (`Key (email)=(…) already exists`).
extension PostgresError.ServerError {
    /// Classes whose detail speaks of the server, not of the data: connections, transactions, authorisation, roll-back,
    /// syntax, resources, prerequisites, intervention, system, internals (PostgreSQL documentation, appendix A).
    private static let classesWithSafeDetail: Set<String> = ["08", "25", "28", "40", "42", "53", "55", "57", "58"]
    /// Data exceptions and errors raised by functions of the application: the message may quote data.
    private static let classesWithQuotingMessage: Set<String> = ["22", "P0"]

    static func redactedMessage(_ message: String, sqlState: String) -> String {
        guard classesWithQuotingMessage.contains(String(sqlState.prefix(2))) else { return message }
        // A scalar: with a combining mark behind it, a quote is another Character.
        guard let quote = message.unicodeScalars.firstIndex(where: { $0 == "\"" || $0 == "'" }) else { return message }
        return message[..<quote].trimmingSpace() + " …"
    }

    static func redactedDetail(_ detail: String?, sqlState: String) -> String? {
        classesWithSafeDetail.contains(String(sqlState.prefix(2))) ? detail : nil
    }
}

extension StringProtocol {
    func trimmingSpace() -> String {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map(index(after:)) ?? startIndex
        return start < end ? String(self[start..<end]) : ""
    }

    /// libpq's messages span lines with tabs; ours are one line.
    func onOneLine() -> String {
        split { $0.isNewline || $0 == "\t" }.map { $0.trimmingSpace() }.filter { !$0.isEmpty }.joined(separator: " ")
    }
}
