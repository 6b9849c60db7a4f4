internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Which objects belong to a controller: those that it owns and selects. What it selects and nobody owns it adopts;
/// what it owns and no longer selects it lets go.
struct Adoption {
    /// By namespace, the objects without a controller.
    static let orphans = StoreIndex("orphans") { $0.controller == nil ? [$0.namespace ?? ""] : [] }

    let owned: [KubernetesObject]
    let adoptable: [KubernetesObject]
    let releasable: [KubernetesObject]

    init(owner: KubernetesObject, selector: LabelSelector, in store: Store) {
        let children = store.list(ownedBy: owner.uid).map(\.object).filter { $0.isControlled(by: owner.uid) }
        owned = children.filter { selector.matches($0.labels) }
        releasable = children.filter { !selector.matches($0.labels) && !$0.isBeingDeleted }
        adoptable = store.list(index: Self.orphans.name, value: owner.namespace ?? "").map(\.object)
            .filter { selector.matches($0.labels) && !$0.isBeingDeleted }
    }

    /// Writes what has to change; true when anything was written.
    func settle(
        owner: KubernetesObject, reference: JSON, _ type: ResourceType, client: KubernetesClient,
        unseen: UnseenWrites, by manager: String
    ) async throws(APIError) -> Bool {
        for object in adoptable {
            try await write(object.ownerReferences + [reference], of: object, type, client, unseen, owner, manager)
        }
        for object in releasable {
            let others = object.ownerReferences.filter { $0["uid"]?.string != owner.uid }
            try await write(others, of: object, type, client, unseen, owner, manager)
        }
        return !adoptable.isEmpty || !releasable.isEmpty
    }

    private func write(
        _ references: [JSON], of object: KubernetesObject, _ type: ResourceType, _ client: KubernetesClient,
        _ unseen: UnseenWrites, _ owner: KubernetesObject, _ manager: String
    ) async throws(APIError) {
        let change: JSON = [
            "metadata": ["uid": JSON(object.uid), "ownerReferences": references.isEmpty ? .null : .array(references)]
        ]
        do {
            let written = try await client.patch(
                type, namespace: object.namespace, name: object.name, .merge(change),
                options: WriteOptions(fieldManager: manager))
            unseen.note(written, for: ObjectKey(owner))
        } catch {
            // Gone, or another object of that name: not ours to adopt.
            guard error.isNotFound || error.isConflict else { throw error }
        }
    }
}
