internal import StructuredData

extension CustomResourceDefinition {
    /// A name that another definition of the group has already.
    struct NameConflict: Sendable, Hashable {
        /// `PluralConflict`, `SingularConflict`, …
        let reason: String
        let message: String
    }

    /// The names of this definition that `others`, of the same group, have taken.
    func nameConflicts(with others: [InstalledDefinition]) -> [NameConflict] {
        let resourceNames = Set(others.flatMap(\.definition.resourceNames))
        let kinds = Set(others.flatMap { [$0.definition.kind, $0.definition.listKind] })
        func conflict(_ reason: String, _ name: String, _ taken: Set<String>) -> [NameConflict] {
            guard !name.isEmpty, taken.contains(name) else { return [] }
            return [NameConflict(reason: reason, message: "\(quoted(name)) is already in use")]
        }
        return conflict("PluralConflict", plural, resourceNames)
            + conflict("SingularConflict", names["singular"].text, resourceNames)
            + shortNames.flatMap { conflict("ShortNamesConflict", $0, resourceNames) }
            + conflict("KindConflict", kind, kinds)
            + conflict("ListKindConflict", listKind, kinds)
    }

    private var shortNames: [String] { names["shortNames"].elements.compactMap(\.string) }
    private var resourceNames: [String] { [plural, names["singular"].text] + shortNames }

    /// The definition with its status brought up to date for the outcome of naming.
    func withStatus(conflicts: [NameConflict], now: String) -> JSON {
        var crd = json
        crd.withObject("status") { status in
            if let conflict = conflicts.first {
                Self.setCondition("NamesAccepted", "False", conflict.reason, conflict.message, now, in: &status)
                Self.setCondition("Established", "False", "NotAccepted", "not all names are accepted", now, in: &status)
                status.setDefault("acceptedNames", ["kind": "", "plural": ""])
            } else {
                Self.setCondition("NamesAccepted", "True", "NoConflicts", "no conflicts found", now, in: &status)
                Self.setCondition(
                    "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now,
                    in: &status)
                status["acceptedNames"] = names
            }
            if let url = approval {
                Self.setCondition(
                    "KubernetesAPIApprovalPolicyConformant", "True", "ApprovedAnnotation", "approved in \(url)", now,
                    in: &status)
            }
        }
        crd = Self.addingStoredVersion(to: crd)
        return crd
    }

    /// The approval of an API in a group that belongs to Kubernetes.
    private var approval: String? {
        isInProtectedGroup
            ? json.at("metadata", "annotations", "api-approved.kubernetes.io")?.string : nil
    }

    var isInProtectedGroup: Bool {
        ["k8s.io", "kubernetes.io"].contains { group == $0 || group.hasSuffix(".\($0)") }
    }

    /// Notes the storage version among the versions in which objects may be stored.
    static func addingStoredVersion(to json: JSON) -> JSON {
        guard let storage = CustomResourceDefinition(json).storageVersionName else { return json }
        var crd = json
        crd.withObject("status") { status in
            var stored = status["storedVersions"].elements
            guard !stored.contains(.string(storage)) else { return }
            stored.append(.string(storage))
            status["storedVersions"] = .array(stored)
        }
        return crd
    }

    /// Sets one condition; its transition time moves only with its status.
    private static func setCondition(
        _ type: String, _ value: String, _ reason: String, _ message: String, _ now: String, in status: inout JSON
    ) {
        var conditions = status["conditions"].elements
        var condition: JSON = [
            "lastTransitionTime": .string(now), "message": .string(message), "reason": .string(reason),
            "status": .string(value), "type": .string(type),
        ]
        if let index = conditions.firstIndex(where: { $0["type"].text == type }) {
            if conditions[index]["status"].text == value {
                condition["lastTransitionTime"] = conditions[index]["lastTransitionTime"] ?? .string(now)
            }
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
        status["conditions"] = .array(conditions)
    }
}
