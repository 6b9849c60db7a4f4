public import StructuredData

/// What Flux and `kubectl apply --prune` make of a custom resource: the rules of kstatus
/// (sigs.k8s.io/cli-utils/pkg/kstatus, README.md).
public enum KStatus: String, Sendable {
    case current = "Current"
    case inProgress = "InProgress"
    case failed = "Failed"
    case terminating = "Terminating"

    public init(of object: JSON) {
        func isTrue(_ type: String) -> Bool { Self.condition(type, of: object)?["status"] == "True" }
        if object.at("metadata", "deletionTimestamp") != nil {
            self = .terminating
        } else if let seen = object.at("status", "observedGeneration"), seen != object.at("metadata", "generation") {
            self = .inProgress
        } else if isTrue("Reconciling") {
            self = .inProgress
        } else if isTrue("Stalled") {
            self = .failed
        } else {
            self = Self.condition("Ready", of: object).map { $0["status"] == "True" } ?? true ? .current : .inProgress
        }
    }

    private static func condition(_ type: String, of object: JSON) -> JSON? {
        object.at("status", "conditions")?.array?.first { $0["type"]?.string == type }
    }
}
