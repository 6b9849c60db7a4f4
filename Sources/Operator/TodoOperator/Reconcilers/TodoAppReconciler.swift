public import ControllerRuntime
public import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Brings one `TodoApp` to what its spec says: database first, then the objects of its services, then its status.
public struct TodoAppReconciler: Sendable {
    /// How long until a database that could not be used is tried again, and until one that could is looked at again.
    private static let retryInterval = Duration.seconds(10)
    private static let checkInterval = Duration.seconds(300)

    private let database: any DatabasePreparing
    private let now: @Sendable () -> KubernetesTime

    /// - Parameter now: the wall clock, for conditions.
    public init(database: any DatabasePreparing, now: @escaping @Sendable () -> KubernetesTime = { .now }) {
        self.database = database
        self.now = now
    }

    /// One pass. What the user can mend ends up in conditions; what is thrown is tried again with a back-off.
    public func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        // Owner references do the deleting.
        guard let object = context.object, !object.isBeingDeleted else {
            context.follow([])
            return .done
        }
        let app: TodoApp
        do {
            app = try TodoApp(validating: object.json)
        } catch {
            context.follow([])
            let previous = try? object.status?.decode(TodoApp.Status.self)
            let status = AppStatusRules.status(
                ofUnreadable: previous, generation: object.generation, problem: error.description, now: now().text)
            try await publish(status, previous: previous, in: context)
            return .done
        }
        guard !app.spec.suspend else {
            context.follow([])
            try await publish(
                AppStatusRules.status(ofSuspended: app, now: now().text), previous: app.status, in: context)
            return .done
        }
        return try await pass(app, context)
    }

    private func pass(_ app: TodoApp, _ context: ReconcileContext) async throws -> ReconcileResult {
        let secret = ControllerRuntime.ObjectReference(
            APIToken.secrets, namespace: app.metadata.namespace, name: app.spec.database.secretRef.name)
        context.follow([secret, APIToken.reference(for: app)])
        var observation: AppObservation
        do {
            let inputs = try await prepare(app, secret: secret, in: context)
            observation = AppObservation(database: .ready(schemaVersion: inputs.schemaVersion))
            try await converge(app, to: DesiredState.children(of: app, inputs: inputs.desired), &observation, context)
        } catch let problem as DatabaseProblem {
            observation = AppObservation(database: .failed(problem.reason, problem.message))
            observation.deployment =
                context.store(DesiredState.deploymentType)?
                .get(namespace: app.metadata.namespace, name: AppNames(app).service("api"))?.json
        } catch let error as APIError where error.isForbidden || error.status?.code == 422 {
            observation = AppObservation(
                refusal: .applyFailed("\(error)"), database: .failed(.applyFailed, "\(error)"))
        }
        let status = AppStatusRules.status(of: app, seeing: observation, now: now().text)
        try await publish(status, previous: app.status, in: context)
        // What stands in the way is not watched: it has not our label.
        if observation.refusal != nil { return .requeue(after: Self.retryInterval) }
        if case .failed = observation.database { return .requeue(after: Self.retryInterval) }
        return .requeue(after: Self.checkInterval)
    }

    private struct Inputs {
        let desired: DesiredStateInputs
        let schemaVersion: Int
    }

    /// Secrets read, database migrated: what must be so before a pod of the spec's image may start.
    private func prepare(_ app: TodoApp, secret: ControllerRuntime.ObjectReference, in context: ReconcileContext)
        async throws -> Inputs
    {
        let found = try await context.read(secret)
        let access = try DatabaseSecret(found, reference: secret.key.name, app: app)
        let version = try await database.prepare(uri: access.migrationURI, tlsMode: app.spec.database.tlsMode)
        let token = try await APIToken.ensure(for: app, in: context)
        return Inputs(
            desired: DesiredStateInputs(
                secretChecksum: access.checksum(apiToken: token), databasePorts: access.ports,
                hasDirectURI: access.directURI != nil),
            schemaVersion: version)
    }

    /// Applies `children`, removes those that are no longer wanted, and notes the Deployment.
    private func converge(
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

    /// Why the object may not be taken over: it is there and belongs to somebody else.
    private func foreign(_ reference: ControllerRuntime.ObjectReference, to app: TodoApp, in context: ReconcileContext)
        async throws
        -> String?
    {
        guard let live = try await context.client.find(reference.type, reference.key),
            live.controller?["uid"]?.string != app.metadata.uid
        else { return nil }
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

    /// Writes the status if it has changed, and an Event when `Ready` now says something else.
    private func publish(_ status: TodoApp.Status, previous: TodoApp.Status?, in context: ReconcileContext) async throws
    {
        try await context.updateStatus(JSON(encoding: status))
        func ready(_ status: TodoApp.Status?) -> Condition? {
            status?.conditions?.first { $0.type == ConditionType.ready.rawValue }
        }
        guard let now = ready(status), now.reason != ready(previous)?.reason else { return }
        let isExpected = [ConditionReason.allReady, .rollingOut, .suspended].map(\.rawValue).contains(now.reason)
        context.record(
            isExpected ? .normal : .warning, reason: now.reason, action: "Reconcile", now.message)
    }
}
