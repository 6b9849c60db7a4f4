extension Gzip {
    /// Whether the value of `Accept-Encoding` takes gzip (RFC 9110, section 12.5.3): named, or meant by `*`, and not with
    /// the weight 0.
    public static func isAccepted(by header: String?) -> Bool {
        var weights: [String: Bool] = [:]
        for coding in (header ?? "").lowercased().split(separator: ",") {
            let parts = coding.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            guard let name = parts.first else { continue }
            weights[name] = !parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
        }
        return weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? false
    }
}
