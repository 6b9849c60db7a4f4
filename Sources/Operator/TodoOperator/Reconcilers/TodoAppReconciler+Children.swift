internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

extension TodoAppReconciler {
    /// Applies `children`, removes those that are no longer wanted, and notes the Deployments.
    func converge(
        _ app: TodoApp, to children: [JSON], _ observation: inout AppObservation, _ context: ReconcileContext
    ) async throws {
        var changes = Changes()
        defer { changes.announce(in: context) }
        for child in children.map(KubernetesObject.init) {
            guard let type = DesiredState.type(of: child) else { continue }
            let reference = ControllerRuntime.ObjectReference(type, ObjectKey(child))
            let known = context.store(type)?.stored(reference.key)
            switch try await apply(child, reference, known: known, of: app, context) {
            case .foreign:
                observation.refusal = .nameTaken(
                    "\(reference) exists and was not made for this TodoApp; delete it or rename the TodoApp")
                return
            case .outcome(.unchanged): break
            case .outcome(.applied(let object)):
                changes.note(
                    reference, isNew: known == nil, isChanged: known?.resourceVersion != object.resourceVersion)
                if type == DesiredState.deploymentType { observation.deployments[child.name] = object.json }
            case .outcome(.stalled):
                observation.refusal = .driftLoop(
                    "\(reference) is changed back again and again; find who else changes it (metadata.managedFields)")
            }
        }
        try await prune(keeping: children, &changes, context)
    }

    private enum Application {
        case outcome(ApplyOutcome)
        /// It is somebody else's and was left as it is.
        case foreign
    }

    /// Applies a child, and takes nothing over that was not made for an app of this name.
    private func apply(
        _ child: KubernetesObject, _ reference: ControllerRuntime.ObjectReference, known: StoredObject?,
        of app: TodoApp, _ context: ReconcileContext
    ) async throws -> Application {
        if known == nil {
            do { return .outcome(try await context.apply(child, reference.type, ifAbsent: true)) } catch let error
                as APIError where error.isConflict
            {
                // The cache shows only what has our label, and may be behind.
            }
        }
        if known?.controller?.uid != app.metadata.uid, try await isForeign(reference, to: app, in: context) {
            return .foreign
        }
        return .outcome(try await context.apply(child, reference.type))
    }

    /// Whether the object is somebody else's: not this app's, nor an orphan that was made for an app of this name.
    private func isForeign(
        _ reference: ControllerRuntime.ObjectReference, to app: TodoApp, in context: ReconcileContext
    ) async throws -> Bool {
        guard let live = try await context.client.find(reference.type, reference.key),
            live.controller?["uid"]?.string != app.metadata.uid
        else { return false }
        if app.isPredecessor(owning: live) { throw AppObservation.Hindrance.predecessor(of: reference) }
        return live.controller != nil || live.labels[Label.managedBy] != Label.operatorName
            || live.labels[Label.instance] != app.metadata.name
    }

    private func prune(
        keeping children: [JSON], _ changes: inout Changes, _ context: ReconcileContext
    ) async throws {
        let wanted = Set(
            children.map(KubernetesObject.init).compactMap { child in
                DesiredState.type(of: child).map { ControllerRuntime.ObjectReference($0, ObjectKey(child)) }
            })
        for type in DesiredState.childTypes {
            for child in context.children(type) where !child.isBeingDeleted {
                let reference = ControllerRuntime.ObjectReference(type, child.key)
                guard !wanted.contains(reference) else { continue }
                try await context.delete(child, type)
                changes.deleted.append(reference)
            }
        }
    }
}

/// What a pass did to the children: one Event for each kind of change tells it.
private struct Changes {
    var created: [ControllerRuntime.ObjectReference] = []
    var updated: [ControllerRuntime.ObjectReference] = []
    var deleted: [ControllerRuntime.ObjectReference] = []

    mutating func note(_ reference: ControllerRuntime.ObjectReference, isNew: Bool, isChanged: Bool) {
        if isNew { created.append(reference) } else if isChanged { updated.append(reference) }
    }

    func announce(in context: ReconcileContext) {
        for (verb, action, objects) in [
            ("Created", "Apply", created), ("Updated", "Apply", updated), ("Deleted", "Delete", deleted),
        ] where !objects.isEmpty {
            let names = objects.map { "\($0)" }.joined(separator: ", ")
            context.record(.normal, reason: verb, action: action, "\(verb) \(names)")
        }
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
