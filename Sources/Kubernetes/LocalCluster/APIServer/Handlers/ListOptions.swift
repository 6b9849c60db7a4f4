internal import APIServerKinds
internal import KubernetesSchema
internal import StructuredData

/// The query of a list or watch, checked.
struct ListOptions: Sendable {
    enum Match: String, Sendable {
        case exact = "Exact"
        case notOlderThan = "NotOlderThan"
    }

    var selection: Selection
    var limit: Int?
    var continuation: ContinueToken?
    /// Nil when absent; 0 means whatever is at hand.
    var revision: UInt64?
    var match: Match?
    var sendInitialEvents = false
    /// `sendInitialEvents=false`: changes only.
    var skipsInitialEvents = false
    var allowsBookmarks = false
    var timeoutSeconds: Int?

    init(_ request: ResourceRequest, isWatch: Bool) throws(StatusError) {
        let query = request.query
        selection = try Selection(query, resource: request.resource, name: request.name)
        limit = try query.integer("limit").flatMap { $0 > 0 ? $0 : nil }
        timeoutSeconds = try query.integer("timeoutSeconds").flatMap { $0 > 0 ? $0 : nil }
        allowsBookmarks = query.flag("allowWatchBookmarks")
        if let text = query["resourceVersion"] {
            guard let value = UInt64(text) else {
                throw .badRequest(
                    "invalid resourceVersion \(quoted(text)): strconv.ParseUint: parsing \(quoted(text)): invalid syntax"
                )
            }
            revision = value
        }
        try readMatch(query)
        try readContinue(query)
        if query.contains("sendInitialEvents") { try readInitialEvents(query, isWatch: isWatch) }
    }

    private mutating func readMatch(_ query: Query) throws(StatusError) {
        guard let text = query["resourceVersionMatch"] else { return }
        guard let match = Match(rawValue: text) else {
            throw Self.invalid(
                .notSupported, "Unsupported value: \(quoted(text)): supported values: \"Exact\", \"NotOlderThan\"")
        }
        guard query["continue"] == nil else {
            throw Self.invalid(.forbidden, "Forbidden: resourceVersionMatch is forbidden for continue")
        }
        guard revision != nil || query.contains("sendInitialEvents") else {
            throw Self.invalid(
                .forbidden, "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
        }
        guard match != .exact || revision != 0 else {
            throw Self.invalid(
                .forbidden, "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
        }
        self.match = match
    }

    private mutating func readContinue(_ query: Query) throws(StatusError) {
        guard let text = query["continue"] else { return }
        guard revision == nil || revision == 0 else {
            throw .badRequest("specifying resource version is not allowed when using continue")
        }
        guard let token = ContinueToken(text) else {
            throw .badRequest("continue key is not valid: \(quoted(text))")
        }
        continuation = token
    }

    private mutating func readInitialEvents(_ query: Query, isWatch: Bool) throws(StatusError) {
        guard isWatch else {
            throw .invalidOptions(
                "ListOptions", field: "sendInitialEvents", .forbidden,
                "Forbidden: sendInitialEvents is forbidden for list")
        }
        guard match == .notOlderThan else {
            throw Self.invalid(
                .forbidden,
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        sendInitialEvents = query.flag("sendInitialEvents")
        skipsInitialEvents = !sendInitialEvents
    }

    private static func invalid(_ reason: FieldError.Reason, _ message: String) -> StatusError {
        .invalidOptions("ListOptions", field: "resourceVersionMatch", reason, message)
    }
}

/// Which objects of a list or watch are wanted.
struct Selection: Sendable {
    let labels: LabelSelector
    let fields: FieldSelector
    private let resource: ServedResource

    init(_ query: Query, resource: ServedResource, name: String?) throws(StatusError) {
        self.resource = resource
        do throws(SelectorError) {
            labels =
                try query["labelSelector"].map { text throws(SelectorError) in try LabelSelector(parsing: text) }
                ?? .everything
            fields =
                try query["fieldSelector"].map { text throws(SelectorError) in try FieldSelector(parsing: text) }
                ?? .everything
            try resource.check(fields)
        } catch {
            throw .badRequest(error.message)
        }
        self.name = name ?? fields.requiredName
    }

    /// The one name that is wanted, when the path or the selector says so.
    let name: String?

    var isEverything: Bool { labels.isEmpty && fields.isEmpty && name == nil }

    func includes(_ object: StoredObject) -> Bool {
        if let name, object.name != name { return false }
        guard labels.isEmpty || labels.matches(object.labels) else { return false }
        return fields.isEmpty || includesFields(of: object)
    }

    private func includesFields(of object: StoredObject) -> Bool {
        let isByNameOnly = fields.terms.allSatisfy { ["metadata.name", "metadata.namespace"].contains($0.field) }
        if isByNameOnly {
            return fields.matches {
                $0 == "metadata.name" ? String(object.name) : object.namespace.map(String.init) ?? ""
            }
        }
        guard let json = try? resource.object(from: object) else { return false }
        return fields.matches { resource.fieldValue($0, of: json) }
    }
}
