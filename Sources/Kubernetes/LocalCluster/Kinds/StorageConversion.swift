internal import KubernetesClient
internal import StructuredData

/// How an object changes between what is stored and what a version of its resource shows.
enum StorageConversion: Sendable {
    /// Stored as shown.
    case none
    /// A custom resource that may have been stored in another version (conversion strategy `None`: only `apiVersion`
    /// differs) or under an earlier schema.
    case version
    /// The view that `events.k8s.io` has of the core group's events.
    case eventsGroup
    /// `autoscaling/v1` autoscalers, which are stored as `autoscaling/v2`.
    case autoscaler

    func toStorage(_ object: JSON, storage: ResourceType) -> JSON {
        switch self {
        case .none: return object
        case .version: return object.with(apiVersion: storage.apiVersion)
        case .eventsGroup:
            return object.renamed(Self.eventFields.map { ($0.regarding, $0.core) }).with(apiVersion: "v1")
        case .autoscaler: return AutoscalerConversion.toVersion2(object)
        }
    }

    func fromStorage(_ object: JSON, view: ResourceType) -> JSON {
        switch self {
        case .none: return object
        case .version: return object.with(apiVersion: view.apiVersion)
        case .eventsGroup:
            return object.renamed(Self.eventFields.map { ($0.core, $0.regarding) }).with(apiVersion: view.apiVersion)
        case .autoscaler: return AutoscalerConversion.toVersion1(object)
        }
    }

    private static let eventFields: [(regarding: String, core: String)] = [
        ("regarding", "involvedObject"), ("note", "message"), ("reportingController", "reportingComponent"),
        ("deprecatedSource", "source"), ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count"),
    ]
}

extension JSON {
    fileprivate func with(apiVersion: String) -> JSON {
        var object = self
        object["apiVersion"] = .string(apiVersion)
        return object
    }

    /// The same members in the same order, some under another name.
    fileprivate func renamed(_ names: [(from: String, to: String)]) -> JSON {
        guard let members = object else { return self }
        let names = Dictionary(uniqueKeysWithValues: names.map { ($0.from, $0.to) })
        return .object(JSONObject(members.map { (key: names[$0.key] ?? $0.key, value: $0.value) }))
    }
}
