/// The forms of answer that a client takes, best first (RFC 9110 section 12.5.1, with Kubernetes' `as`, `g`, `v`).
struct Accept: Sendable {
    struct Choice: Sendable, Hashable {
        var type: String
        var parameters: [String: String]
        var quality: Double
    }

    /// What an object or list is turned into.
    enum Form: Sendable, Hashable {
        case object
        case table(version: String)
        /// `PartialObjectMetadata`, or `PartialObjectMetadataList` of a list.
        case metadata(version: String)
    }

    /// How it is written.
    enum Encoding: Sendable, Hashable {
        case json
        case yaml
    }

    let choices: [Choice]

    init(_ header: String) {
        let choices = header.split(separator: ",").map(Self.choice).filter { $0.quality > 0 }
        // A stable sort by quality: the order in the header decides among equals.
        self.choices = choices.enumerated()
            .sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }.map(\.element)
    }

    private static func choice(_ text: Substring) -> Choice {
        var parts = text.split(separator: ";").map { String($0).trimmed }
        let type = parts.isEmpty ? "" : parts.removeFirst().lowercased()
        var parameters: [String: String] = [:]
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            if pair.count == 2 { parameters[pair[0]] = pair[1] }
        }
        return Choice(type: type, parameters: parameters, quality: parameters["q"].flatMap(Double.init) ?? 1)
    }

    /// The first form that the server has; throws 406 when there is none.
    func negotiated() throws(StatusError) -> (form: Form, encoding: Encoding) {
        guard !choices.isEmpty else { return (.object, .json) }
        for choice in choices {
            guard let encoding = choice.encoding else { continue }
            guard let name = choice.parameters["as"] else { return (.object, encoding) }
            guard let form = choice.form(as: name) else { continue }
            return (form, encoding)
        }
        throw .notAcceptable(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"])
    }
}

extension Accept.Choice {
    fileprivate var encoding: Accept.Encoding? {
        switch type {
        case "application/json", "application/*", "*/*", "text/plain": .json
        case "application/yaml": .yaml
        default: nil
        }
    }

    fileprivate func form(as name: String) -> Accept.Form? {
        guard parameters["g"] == "meta.k8s.io", let version = parameters["v"], ["v1", "v1beta1"].contains(version)
        else {
            return nil
        }
        switch name {
        case "Table": return .table(version: version)
        case "PartialObjectMetadata", "PartialObjectMetadataList": return .metadata(version: version)
        default: return nil
        }
    }
}

extension String {
    var trimmed: String {
        guard let start = firstIndex(where: { !$0.isWhitespace }), let end = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[start...end])
    }
}
