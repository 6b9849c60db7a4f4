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

    /// Writes what has to change; true when anything was written, which brings the next pass. That something is gone would
    /// bring none.
    func settle(
        owner: KubernetesObject, reference: JSON, _ type: ResourceType, client: KubernetesClient, by manager: String,
        _ context: ReconcileContext
    ) async throws(APIError) -> Bool {
        var hasWritten = false
        for object in adoptable {
            let references = object.ownerReferences + [reference]
            if try await write(references, of: object, type, client, manager, context) { hasWritten = true }
        }
        for object in releasable {
            let others = object.ownerReferences.filter { $0["uid"]?.string != owner.uid }
            if try await write(others, of: object, type, client, manager, context) { hasWritten = true }
        }
        return hasWritten
    }

    /// False when there is nothing to write to.
    private func write(
        _ references: [JSON], of object: KubernetesObject, _ type: ResourceType, _ client: KubernetesClient,
        _ manager: String, _ context: ReconcileContext
    ) async throws(APIError) -> Bool {
        let change: JSON = [
            "metadata": ["uid": JSON(object.uid), "ownerReferences": references.isEmpty ? .null : .array(references)]
        ]
        do {
            let written = try await client.patch(
                type, namespace: object.namespace, name: object.name, .merge(change),
                options: WriteOptions(fieldManager: manager))
            context.expect(written, type)
            return true
        } catch {
            // Gone, or another object of that name: not ours to adopt.
            guard error.isNotFound || error.isConflict else { throw error }
            return false
        }
    }
}
