internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// What belongs to an app: what it owns, and what outlives it and says by an annotation whose it is. What an app of the
/// same name left behind belongs to nobody until it is applied again.
extension StoreIndex {
    static let appUID = StoreIndex(Label.appUID) { object in object.annotations[Label.appUID].map { [$0] } ?? [] }
}

extension Store {
    /// Sorted by key.
    func list(belongingTo uid: String) -> [StoredObject] {
        guard !uid.isEmpty else { return [] }
        let owned = list(ownedBy: uid)
        guard DesiredState.keptTypes.contains(type) else { return owned }
        let kept = list(index: StoreIndex.appUID.name, value: uid).filter { $0.controller == nil }
        return (owned + kept).sorted { $0.key < $1.key }
    }
}

extension StoredObject {
    func belongs(to uid: String?) -> Bool {
        if let controller { return controller.uid == uid }
        return uid != nil && object.annotations[Label.appUID] == uid
    }
}

extension ReconcileContext {
    /// The objects of a type that belong to the app which this pass is about.
    func belongings(_ type: ResourceType) -> [StoredObject] {
        store(type)?.list(belongingTo: object?.uid ?? "") ?? []
    }

    /// Makes the object somebody's or, with nil, nobody's. The version does not matter: nobody else writes owners.
    func own(_ object: KubernetesObject, _ type: ResourceType, by owner: JSON?) async throws -> KubernetesObject {
        let patch: JSON = [
            "metadata": ["ownerReferences": owner.map { [$0] } ?? .null, "uid": .string(object.uid)]
        ]
        return try await client.patch(
            type, namespace: object.namespace, name: object.name, .merge(patch), subresource: nil,
            options: WriteOptions(fieldManager: fieldManager))
    }
}

extension StoreChange {
    /// The apps that a change of such an object concerns: its owner or, where it has none, that of its label.
    var apps: [ObjectKey] {
        [new, old].compactMap { stored in
            guard let stored else { return nil }
            if let owner = stored.controller {
                guard owner.kind == TodoGroup.todoApp.kind, owner.apiVersion == TodoGroup.todoApp.apiVersion else {
                    return nil
                }
                return ObjectKey(namespace: stored.key.namespace, name: owner.name)
            }
            return stored.object.labels[Label.instance].map { ObjectKey(namespace: stored.key.namespace, name: $0) }
        }
    }
}
