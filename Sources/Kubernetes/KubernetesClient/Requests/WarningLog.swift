internal import HTTPTypes

/// The server's warnings, each text told once: a controller repeats its requests, and the warning with them.
struct WarningLog: Sendable {
    private static let header = HTTPField.Name("Warning")
    private static let capacity = 256
    private var seen: Set<String> = []

    /// The texts of `Warning: 299 - "text"` (RFC 7234 section 5.5), the one form that the API server sends.
    static func texts(in headers: HTTPFields) -> [String] {
        guard let header else { return [] }
        return headers[values: header].compactMap { value in
            guard let start = value.firstIndex(of: "\""), let end = value.lastIndex(of: "\""), start < end else {
                return nil
            }
            return String(value[value.index(after: start)..<end]).replacing("\\\"", with: "\"")
        }
    }

    mutating func isNew(_ text: String) -> Bool {
        if seen.count >= Self.capacity { seen = [] }
        return seen.insert(text).inserted
    }
}
