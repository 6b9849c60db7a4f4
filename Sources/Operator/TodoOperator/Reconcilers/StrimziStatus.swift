internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// What Strimzi says of one of its objects (contracts, section 5: the conditions differ by kind).
enum StrimziStatus: Equatable {
    case ready
    /// Strimzi has not looked at the present spec, or is at it.
    case pending(String)
    /// In Strimzi's own words.
    case failed(String)

    init(_ object: JSON?) {
        let kind = object?["kind"]?.string ?? "it"
        guard let status = object?["status"] else {
            let since = object?.at("metadata", "creationTimestamp")?.string.map { " since \($0)" } ?? ""
            self = .pending(
                "Strimzi has not taken it up\(since); see whether its operator runs and watches this namespace")
            return
        }
        let conditions = status["conditions"]?.array ?? []
        func find(_ type: String, _ status: String) -> JSON? {
            conditions.first { $0["type"]?.string == type && $0["status"]?.string == status }
        }
        guard status["observedGeneration"]?.int == object?.at("metadata", "generation")?.int else {
            self = .pending(
                find("ReconciliationPaused", "True") == nil
                    ? "Strimzi is at it" : "the annotation strimzi.io/pause-reconciliation keeps Strimzi from it")
            return
        }
        if find("Ready", "True") != nil || find("Unmanaged", "True") != nil {
            self = .ready
        } else if let condition = find("NotReady", "True") ?? find("Ready", "False") {
            let reason = condition["reason"]?.string ?? ""
            let message = condition["message"]?.string ?? ""
            let words = [reason, message].filter { !$0.isEmpty }.joined(separator: ": ")
            self = reason == "Creating" ? .pending("Strimzi is creating it") : .failed(words)
        } else {
            self = .pending("Strimzi has not said yet whether the \(kind) is ready")
        }
    }
}

extension StrimziStatus {
    /// Whether Strimzi has let go of it, as `strimzi.io/managed: "false"` asks.
    static func isUnmanaged(_ object: JSON) -> Bool {
        object.at("status", "conditions")?.array?.contains { $0["type"] == "Unmanaged" && $0["status"] == "True" }
            ?? false
    }
}

extension Predicate {
    /// Of an object of Strimzi's: it became ready, or says something else.
    static let strimziMoved = Predicate { change in
        guard let old = change.old?.object.json, let new = change.new?.object.json else { return true }
        return StrimziStatus(old) != StrimziStatus(new)
            || StrimziStatus.isUnmanaged(old) != StrimziStatus.isUnmanaged(new)
            || old.at("status", "listeners") != new.at("status", "listeners")
    }
}
