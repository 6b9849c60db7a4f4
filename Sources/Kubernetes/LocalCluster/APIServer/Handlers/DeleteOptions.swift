internal import APIServerKinds
internal import KubernetesSchema
internal import StructuredData

/// What a DELETE asks for: in its body, or in its query when there is none.
struct DeleteOptions: Sendable {
    enum Propagation: String, Sendable {
        case orphan = "Orphan"
        case background = "Background"
        case foreground = "Foreground"
    }

    var gracePeriodSeconds: Int?
    var uid: String?
    var resourceVersion: String?
    var propagation: Propagation?
    var isDryRun = false
    /// The deprecated `orphanDependents: false` answers 202 while the object lingers.
    var answersAccepted = false

    init() {}

    init(_ request: ResourceRequest) throws(StatusError) {
        let body = request.request.body.isEmpty ? JSON.null : try request.parsedBody().json
        try self.init(body, request.query)
    }

    init(_ body: JSON, _ query: Query) throws(StatusError) {
        guard body.isNull || body.object != nil else { throw .badRequest("the body is not a DeleteOptions object") }
        if let kind = body["kind"]?.string, kind != "DeleteOptions" {
            throw .badRequest("the body is not a DeleteOptions object: \(kind)")
        }
        let asked = try query.integer("gracePeriodSeconds")
        gracePeriodSeconds = body["gracePeriodSeconds"]?.int ?? asked
        if let seconds = gracePeriodSeconds, seconds < 0 { gracePeriodSeconds = 1 }
        uid = body.at("preconditions", "uid")?.string
        resourceVersion = body.at("preconditions", "resourceVersion")?.string
        let dryRun = (body["dryRun"]?.array?.compactMap(\.string) ?? []) + query.all("dryRun")
        if let wrong = dryRun.first(where: { $0 != "All" }) {
            throw .invalidOptions(
                "DeleteOptions", field: "dryRun", .notSupported,
                "Unsupported value: \(quoted(wrong)): supported values: \"All\"")
        }
        isDryRun = !dryRun.isEmpty
        try readPropagation(body, query)
    }

    private mutating func readPropagation(_ body: JSON, _ query: Query) throws(StatusError) {
        let orphan =
            body["orphanDependents"]?.bool
            ?? (query.contains("orphanDependents") ? query.flag("orphanDependents") : nil)
        guard let text = body["propagationPolicy"]?.string ?? query["propagationPolicy"] else {
            propagation = orphan.map { $0 ? .orphan : .background }
            answersAccepted = orphan == false
            return
        }
        guard orphan == nil else {
            throw .invalidOptions(
                "DeleteOptions", field: "propagationPolicy", .invalid,
                "Invalid value: \(quoted(text)): orphanDependents and deletionPropagation cannot be both set")
        }
        guard let value = Propagation(rawValue: text) else {
            throw .invalidOptions(
                "DeleteOptions", field: "propagationPolicy", .notSupported,
                "Unsupported value: \(quoted(text)): supported values: \"Background\", \"Foreground\", \"Orphan\"")
        }
        propagation = value
    }

    /// The finalizers of an object once the propagation policy is taken into account.
    func finalizers(of object: JSON) -> [String] {
        let present = object.at("metadata", "finalizers")?.array?.compactMap(\.string) ?? []
        var result = present.filter { $0 != Self.orphanFinalizer && $0 != Self.foregroundFinalizer }
        switch propagation {
        case .orphan: result.append(Self.orphanFinalizer)
        case .foreground: result.append(Self.foregroundFinalizer)
        case .background: break
        case nil: result += present.filter { $0 == Self.orphanFinalizer || $0 == Self.foregroundFinalizer }
        }
        return result
    }

    static let orphanFinalizer = "orphan"
    static let foregroundFinalizer = "foregroundDeletion"
}
