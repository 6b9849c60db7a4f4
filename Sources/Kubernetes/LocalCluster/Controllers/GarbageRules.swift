internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// What becomes of an object that has owners: a pure function of what is known of them (kubernetes/pkg/controller/
/// garbagecollector, `attemptToDeleteItem`).
enum GarbageRules {
    static let foreground = "foregroundDeletion"
    static let orphan = "orphan"

    enum Owner: Sendable, Equatable {
        case present
        /// It is deleted in the foreground and waits for what it owns.
        case waiting
        case absent
    }

    enum Verdict: Equatable {
        case keep
        /// Some owners are left: the references to the others go.
        case dropReferences(uids: Set<String>)
        case delete(DeleteOptions.Propagation)
    }

    /// - Parameter owners: by uid, each owner of `object`.
    static func verdict(
        of object: KubernetesObject, owners: [String: Owner], hasDependents: Bool
    ) -> Verdict {
        let uids = object.ownerReferences.compactMap { $0["uid"]?.string }
        guard !uids.isEmpty, !(object.isBeingDeleted && !object.finalizers.contains(foreground)) else { return .keep }
        // One that is being deleted in the foreground ends by itself.
        guard !object.isBeingDeleted else { return .keep }
        let states = uids.map { owners[$0] ?? .present }
        if states.contains(.present) {
            let dead = Set(zip(uids, states).filter { $1 != .present }.map(\.0))
            return dead.isEmpty ? .keep : .dropReferences(uids: dead)
        }
        if states.contains(.waiting), hasDependents { return .delete(.foreground) }
        if object.finalizers.contains(orphan) { return .delete(.orphan) }
        return .delete(object.finalizers.contains(foreground) ? .foreground : .background)
    }

    /// What a deleted owner with `foregroundDeletion` still waits for.
    static func blocks(_ dependent: KubernetesObject, owner uid: String) -> Bool {
        dependent.ownerReferences.contains {
            $0["uid"]?.string == uid && $0["blockOwnerDeletion"]?.bool == true
        }
    }

    /// The owners that `dependent` was in the way of and no longer is.
    /// - Parameter present: nil when it is gone.
    static func unblocked(from former: KubernetesObject, to present: KubernetesObject?) -> [JSON] {
        former.ownerReferences.filter { owner in
            guard let uid = owner["uid"]?.string, blocks(former, owner: uid) else { return false }
            return !(present.map { blocks($0, owner: uid) } ?? false)
        }
    }

    /// `Gizmo.example.com`, of an owner reference.
    static func kind(of owner: JSON) -> String {
        let group = (owner["apiVersion"]?.string ?? "").split(separator: "/").dropLast().last ?? ""
        return "\(owner["kind"]?.string ?? "").\(group)"
    }

    /// The kind (`Gizmo.example.com`) of which a definition makes objects.
    static func kind(definedBy definition: KubernetesObject) -> String? {
        guard let group = definition.json.at("spec", "group")?.string,
            let kind = definition.json.at("spec", "names", "kind")?.string
        else { return nil }
        return "\(kind).\(group)"
    }

    /// By the kind of every owner.
    static let ownerKind = StoreIndex("ownerKind") { object in object.ownerReferences.map { kind(of: $0) } }

    /// What the collector keeps of an object.
    static func trimmed(_ object: KubernetesObject) -> KubernetesObject {
        var metadata = JSONObject()
        for key in [
            "name", "namespace", "uid", "resourceVersion", "ownerReferences", "finalizers", "deletionTimestamp",
        ] {
            metadata[key] = object.metadata[key]
        }
        var json: JSON = ["metadata": .object(metadata)]
        json["apiVersion"] = object.json["apiVersion"]
        json["kind"] = object.json["kind"]
        return KubernetesObject(json)
    }

    /// What the collector keeps of a definition: also what it defines.
    static func trimmedDefinition(_ definition: KubernetesObject) -> KubernetesObject {
        var kept = trimmed(definition)
        kept.json["spec"] = [
            "group": definition.json.at("spec", "group") ?? .null,
            "names": ["kind": definition.json.at("spec", "names", "kind") ?? .null],
        ]
        return kept
    }
}
