internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

extension TodoAppReconciler {
    /// Applies `children`, removes those that are no longer wanted, and notes the Deployment.
    func converge(
        _ app: TodoApp, to children: [JSON], _ observation: inout AppObservation, _ context: ReconcileContext
    ) async throws {
        for child in children {
            let desired = KubernetesObject(child)
            guard let type = DesiredState.type(of: desired) else { continue }
            let reference = ControllerRuntime.ObjectReference(type, ObjectKey(desired))
            let known = context.store(type)?.stored(reference.key)
            let isOurs = known?.object.controller?["uid"]?.string == app.metadata.uid
            if !isOurs, let other = try await foreign(reference, to: app, in: context) {
                observation.refusal = .nameTaken(other)
                return
            }
            var live = known?.object.json
            switch try await context.apply(desired, type) {
            case .unchanged: break
            case .applied(let object):
                live = object.json
                announce(
                    reference, isNew: known == nil, changed: known?.resourceVersion != object.resourceVersion, context)
            case .stalled:
                observation.refusal = .driftLoop(
                    "\(reference) is changed back again and again; find who else changes it (metadata.managedFields)")
            }
            if type == DesiredState.deploymentType { observation.deployment = live }
        }
        try await prune(keeping: children, context)
    }

    /// Makes sure that the object may be taken over: there is none, or it is an orphan that was made for an app of this
    /// name. Answers why not when it is somebody else's.
    private func foreign(
        _ reference: ControllerRuntime.ObjectReference, to app: TodoApp, in context: ReconcileContext
    ) async throws -> String? {
        guard let live = try await context.client.find(reference.type, reference.key),
            live.controller?["uid"]?.string != app.metadata.uid
        else { return nil }
        if app.isPredecessor(owning: live) { throw AppObservation.Hindrance.predecessor(of: reference) }
        let isOrphan =
            live.controller == nil && live.labels[Label.managedBy] == Label.operatorName
            && live.labels[Label.instance] == app.metadata.name
        if isOrphan { return nil }
        return "\(reference) exists and was not made for this TodoApp; delete it or rename the TodoApp"
    }

    private func prune(keeping children: [JSON], _ context: ReconcileContext) async throws {
        let wanted = Set(
            children.map(KubernetesObject.init).compactMap { child in
                DesiredState.type(of: child).map { ControllerRuntime.ObjectReference($0, ObjectKey(child)) }
            })
        for type in DesiredState.childTypes {
            for child in context.children(type) where !child.isBeingDeleted {
                let reference = ControllerRuntime.ObjectReference(type, child.key)
                guard !wanted.contains(reference) else { continue }
                try await context.delete(child, type)
                context.record(.normal, reason: "Deleted", action: "Delete", "Deleted \(reference)")
            }
        }
    }

    private func announce(
        _ reference: ControllerRuntime.ObjectReference, isNew: Bool, changed: Bool, _ context: ReconcileContext
    ) {
        guard isNew || changed else { return }
        let verb = isNew ? "Created" : "Updated"
        context.record(.normal, reason: verb, action: "Apply", "\(verb) \(reference)")
    }
}

extension TodoApp {
    /// Whether the object belongs to an app of this name that was deleted: Kubernetes is about to remove it.
    func isPredecessor(owning object: KubernetesObject) -> Bool {
        guard let owner = object.controller, owner["kind"]?.string == TodoGroup.todoApp.kind else { return false }
        return owner["name"]?.string == metadata.name && owner["uid"]?.string != metadata.uid
    }
}

extension AppObservation.Hindrance {
    static func predecessor(of reference: ControllerRuntime.ObjectReference) -> Self {
        .predecessor(
            "waiting until Kubernetes has removed \(reference), which belongs to a deleted TodoApp of this name")
    }
}
