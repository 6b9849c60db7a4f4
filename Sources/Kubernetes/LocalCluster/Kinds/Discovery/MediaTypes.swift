/// The media types of an Accept header (RFC 9110 section 12.5.1), in the order written.
struct MediaTypes {
    struct Entry: Hashable {
        /// `application/json`, in lower case.
        let name: String
        let parameters: [String: String]
    }

    let entries: [Entry]

    init(_ accept: String) {
        entries = accept.split(separator: ",").map { part in
            let pieces = part.split(separator: ";").map { $0.trimmingSpaces() }
            var parameters: [String: String] = [:]
            for piece in pieces.dropFirst() {
                let pair = piece.split(separator: "=", maxSplits: 1)
                if pair.count == 2 { parameters[pair[0].lowercased()] = String(pair[1]) }
            }
            return Entry(name: pieces.first?.lowercased() ?? "", parameters: parameters)
        }
    }

    /// The version of aggregated discovery that is asked for before plain JSON; nil when plain JSON is.
    var aggregatedDiscovery: String? {
        for entry in entries where ["application/json", "*/*", "application/*"].contains(entry.name) {
            if entry.parameters["as"] == nil { return nil }
            if entry.parameters["g"] == "apidiscovery.k8s.io", entry.parameters["as"] == "APIGroupDiscoveryList",
                let version = entry.parameters["v"], ["v2", "v2beta1"].contains(version)
            {
                return version
            }
        }
        return nil
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
