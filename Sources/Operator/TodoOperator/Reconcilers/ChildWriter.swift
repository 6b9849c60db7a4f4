internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Brings the children of an app to what they should be, a part at a time, and then removes those that nobody asked for.
struct ChildWriter {
    private let app: TodoApp
    private let context: ReconcileContext
    /// Of these nothing that is there is changed or removed: it is not known what is wanted.
    private let frozen: Set<ResourceType>
    private var changes = Changes()
    private var wanted: Set<ControllerRuntime.ObjectReference> = []
    /// Why a child is not as it should be; nothing more is applied then.
    private(set) var refusal: AppObservation.Refusal?
    /// The live Deployments, by name.
    private(set) var deployments: [String: JSON]

    init(of app: TodoApp, in context: ReconcileContext, freezing frozen: Set<ResourceType> = []) {
        self.app = app
        self.context = context
        self.frozen = frozen
        let store = context.store(DesiredState.deploymentType)
        deployments = app.services.map { AppNames(app).service($0) }.reduce(into: [:]) { found, name in
            found[name] = store?.get(namespace: app.metadata.namespace, name: name)?.json
        }
    }

    /// Applies `children`, in their order.
    /// - Parameter adopted: names of KafkaTopics that are taken over from whoever made them.
    mutating func apply(_ children: [JSON], adopting adopted: Set<String> = []) async throws {
        for child in children.map(KubernetesObject.init) {
            guard refusal == nil, let type = DesiredState.type(of: child) else { continue }
            let reference = ControllerRuntime.ObjectReference(type, ObjectKey(child))
            wanted.insert(reference)
            let known = context.store(type)?.stored(reference.key)
            if frozen.contains(type), known != nil { continue }
            let mayAdopt = type == DesiredState.kafkaTopicType && adopted.contains(child.name)
            switch try await apply(child, reference, known: known, mayAdopt: mayAdopt) {
            case .foreign:
                refusal = .nameTaken(
                    "\(reference) exists and was not made for this TodoApp; delete it or rename the TodoApp")
            case .outcome(.unchanged): break
            case .outcome(.applied(let object)):
                changes.note(
                    reference, isNew: known == nil, isChanged: known?.resourceVersion != object.resourceVersion)
                if type == DesiredState.deploymentType { deployments[child.name] = object.json }
            case .outcome(.stalled):
                refusal = .driftLoop(
                    "\(reference) is changed back again and again; find who else changes it (metadata.managedFields)")
            }
        }
    }

    /// What was done to a Deployment in another way.
    mutating func note(_ deployment: KubernetesObject) { deployments[deployment.name] = deployment.json }

    /// Leaves `children` as they are for now.
    mutating func keep(_ children: [JSON]) {
        for child in children.map(KubernetesObject.init) {
            guard let type = DesiredState.type(of: child) else { continue }
            wanted.insert(ControllerRuntime.ObjectReference(type, ObjectKey(child)))
        }
    }

    /// Removes the children of these types that are not among `children`, then applies these: each by itself, since nothing
    /// else stands on them. Gives why some are not as they should be.
    mutating func replace(_ types: [ResourceType], with children: [JSON]) async throws -> [String] {
        guard refusal == nil else { return [] }
        keep(children)
        for type in types { try await prune(type) }
        return try await tryApply(children)
    }

    /// Applies `children` that nothing else stands on, each by itself. Gives why some are not as they should be.
    mutating func tryApply(_ children: [JSON]) async throws -> [String] {
        guard refusal == nil else { return [] }
        var problems: [String] = []
        for child in children {
            do { try await apply([child]) } catch let error as APIError
                where error.isRefusal || error.isFailedWebhook
            {
                let object = KubernetesObject(child)
                problems.append("\(object.kind) \(object.name): \(error.asRefusal)")
            }
            if let refusal { problems.append(refusal.message) }
            refusal = nil
        }
        return problems
    }

    /// Removes the children that were neither applied nor kept; once everything was.
    /// - Parameter left: kinds of which nothing is removed.
    mutating func prune(except left: [ResourceType]) async throws {
        guard refusal == nil else { return }
        let last = [DesiredState.kafkaType, DesiredState.nodePoolType]
        for type in DesiredState.childTypes where !(last + left).contains(type) { try await prune(type) }
        // Its topics and users have to go while the Kafka is there.
        guard DesiredState.kafkaDependents.allSatisfy({ context.belongings($0).allSatisfy(isWanted($0)) }) else {
            return
        }
        for type in last where !left.contains(type) { try await prune(type) }
    }

    private mutating func prune(_ type: ResourceType) async throws {
        guard !frozen.contains(type) else { return }
        for child in context.belongings(type) where !child.isBeingDeleted && !isWanted(type)(child) {
            try await context.delete(child, type)
            changes.deleted.append(ControllerRuntime.ObjectReference(type, child.key))
        }
    }

    private func isWanted(_ type: ResourceType) -> (StoredObject) -> Bool {
        { [wanted] in wanted.contains(ControllerRuntime.ObjectReference(type, $0.key)) }
    }

    /// One Event for each kind of change that was made.
    func announce() { changes.announce(in: context) }

    private enum Application {
        case outcome(ApplyOutcome)
        /// It is somebody else's and was left as it is.
        case foreign
    }

    /// Applies a child, and takes nothing over that was not made for an app of this name.
    private func apply(
        _ child: KubernetesObject, _ reference: ControllerRuntime.ObjectReference, known: StoredObject?, mayAdopt: Bool
    ) async throws -> Application {
        if known == nil {
            do { return .outcome(try await context.apply(child, reference.type, ifAbsent: true)) } catch let error
                as APIError where error.isConflict
            {
                // The cache shows only what has our label, and may be behind.
            }
        }
        if known?.belongs(to: app.metadata.uid) != true, try await isForeign(reference, mayAdopt: mayAdopt) {
            return .foreign
        }
        return .outcome(try await context.apply(child, reference.type))
    }

    /// Whether the object is somebody else's: not this app's, nor an orphan that was made for an app of this name.
    private func isForeign(_ reference: ControllerRuntime.ObjectReference, mayAdopt: Bool) async throws -> Bool {
        guard let live = try await context.client.find(reference.type, reference.key),
            live.controller?["uid"]?.string != app.metadata.uid
        else { return false }
        if app.isPredecessor(owning: live) { throw AppObservation.Hindrance.predecessor(of: reference) }
        if mayAdopt { return live.controller != nil }
        return live.controller != nil || live.labels[Label.managedBy] != Label.operatorName
            || live.labels[Label.instance] != app.metadata.name
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

    /// By kind, those with pods first: an Event has room for some forty names.
    private static func named(_ objects: [ControllerRuntime.ObjectReference]) -> String {
        var kinds: [String] = []
        for object in objects.reversed() where !kinds.contains(object.type.kind) { kinds.append(object.type.kind) }
        return kinds.map { kind in
            "\(kind) " + objects.filter { $0.type.kind == kind }.map(\.key.name).joined(separator: ", ")
        }.joined(separator: "; ")
    }

    func announce(in context: ReconcileContext) {
        for (verb, action, objects) in [
            ("Created", "Apply", created), ("Updated", "Apply", updated), ("Deleted", "Delete", deleted),
        ] where !objects.isEmpty {
            context.record(.normal, reason: verb, action: action, "\(verb) \(Self.named(objects))")
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
