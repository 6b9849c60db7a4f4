internal import Concurrency
public import KubernetesClient
public import Logging
public import StructuredData

/// One pass over one key: what it is about, and the ways to act.
public struct ReconcileContext: Sendable {
    public let key: ObjectKey
    /// The object as the cache has it; nil when it is gone.
    public let object: KubernetesObject?
    /// 1, and one more for each failed pass before this one.
    public let attempt: Int
    /// Has kind, namespace, name and generation.
    public let logger: Logger
    private let controller: Controller

    init(key: ObjectKey, object: KubernetesObject?, attempt: Int, logger: Logger, controller: Controller) {
        self.key = key
        self.object = object
        self.attempt = attempt
        self.logger = logger
        self.controller = controller
    }

    /// The API server; writes are refused when this process does not lead. For children prefer `apply` and `delete`,
    /// which write only what changes.
    public var client: any ObjectClient { controller.writer.client }
    public var fieldManager: String { controller.writer.fieldManager }
    public var time: any TimeSource { controller.time }

    /// The cache of a type that the controller owns or watches.
    public func store(_ type: ResourceType) -> Store? { informer(type)?.store }

    /// How far the cache of a type can be relied on; nil for a type without one. `absent` and `forbidden` belong into
    /// a condition.
    public func status(of type: ResourceType) -> InformerStatus? { informer(type)?.status }

    /// Whether an object of the type that its cache lacks is known not to be there; see `Informer.isKnown`.
    public func knows(_ type: ResourceType) -> Bool { informer(type)?.isKnown ?? false }

    /// The versions in which the server has a type that is `absent`.
    public func otherVersions(of type: ResourceType) -> [String] { informer(type)?.otherVersions ?? [] }

    /// The objects of a type that `object` owns, as the cache has them, sorted by key.
    public func children(_ type: ResourceType) -> [StoredObject] {
        guard let uid = object?.uid, !uid.isEmpty else { return [] }
        return store(type)?.list(ownedBy: uid) ?? []
    }

    private func informer(_ type: ResourceType) -> Informer? {
        controller.sources.withLock { $0.informers[type] }
    }
}

// MARK: - Writing

extension ReconcileContext {
    /// Makes `desired` so, unless it is so already, by forced server-side apply; owns exactly its fields. Throws
    /// `WriteError.unavailable` when the server does not have the type.
    ///
    /// What comes of it is in the outcome: that the cache then shows it brings no further pass.
    ///
    /// - Parameter ifAbsent: only where there is no object of that name. Throws `isConflict` where there is one, which
    ///   stays as it is. For objects that the cache does not have: others may have made one that is not watched.
    @discardableResult
    public func apply(
        _ desired: KubernetesObject, _ type: ResourceType, ifAbsent: Bool = false
    ) async throws -> ApplyOutcome {
        let outcome = try await controller.writer.apply(
            desired, type, ifAbsent: ifAbsent, cache: informer(type), for: key)
        if case .stalled(let until, isNew: true) = outcome {
            let seconds = (until - time.now).components.seconds
            let name = ObjectReference(type, ObjectKey(desired)).description
            logger.warning("\(name) is being changed back again and again; waiting \(seconds) s")
            record(
                .warning, reason: "ChangedBackRepeatedly", action: "Apply",
                "\(name) was applied and changed back more than 5 times within a minute. Find who else changes it "
                    + "(managedFields). Next try in \(seconds) s.")
        }
        return outcome
    }

    /// Makes an object once and for all, as one with a random value in it. Throws `isAlreadyExists` when there is one.
    public func create(_ object: KubernetesObject, _ type: ResourceType) async throws -> KubernetesObject {
        try await controller.writer.create(object, type, cache: informer(type), for: key)
    }

    /// Whether somebody keeps undoing what is applied to this object.
    public func isStalled(_ type: ResourceType, _ key: ObjectKey) -> Bool {
        controller.writer.isStalled(ObjectReference(type, key))
    }

    /// Makes the object's status equal to `status`, unless it is so already, without a resource version.
    @discardableResult
    public func updateStatus(_ status: JSON) async throws -> ApplyOutcome {
        guard let object else { return .unchanged }
        return try await controller.writer.applyStatus(status, of: object, cache: controller.primary)
    }

    /// Deletes a child that the cache has. That it is gone already is fine.
    public func delete(
        _ child: StoredObject, _ type: ResourceType, propagation: DeleteOptions.Propagation = .background
    ) async throws {
        try await controller.writer.delete(
            ObjectReference(type, child.key), uid: child.uid, propagation: propagation, cache: informer(type), for: key)
    }

    /// Makes sure that the object has the finalizer. Returns true when it had to be added.
    @discardableResult
    public func addFinalizer(_ name: String) async throws -> Bool {
        guard let object else { return false }
        return note(try await finalizers.add(name, to: object, controller.primary.type))
    }

    /// Lets the object go. Returns true when the finalizer had to be removed.
    @discardableResult
    public func removeFinalizer(_ name: String) async throws -> Bool {
        guard let object else { return false }
        return note(try await finalizers.remove(name, from: object, controller.primary.type))
    }

    /// Takes a finalizer of somebody else's off a child, where it is sure that nobody else will.
    public func release(_ child: StoredObject, _ type: ResourceType, from finalizer: String) async throws {
        try await finalizers.remove(finalizer, from: child.object, type)
    }

    /// No pass over the key begins before the cache of the type shows what the server answered to a write that was made in
    /// another way than those above.
    ///
    /// - Parameter isNew: the write made the object. One that was there and that the cache has no longer is gone.
    public func expect(_ written: KubernetesObject, _ type: ResourceType, isNew: Bool = false) {
        controller.writer.expect(
            written, ObjectReference(type, ObjectKey(written)), cache: informer(type), for: key, wasThere: !isNew)
    }

    private var finalizers: Finalizers { Finalizers(client: client, fieldManager: fieldManager) }

    private func note(_ written: KubernetesObject?) -> Bool {
        guard let written else { return false }
        expect(written, controller.primary.type)
        return true
    }
}

// MARK: - Telling and following

extension ReconcileContext {
    /// Writes an Event about the object, when it can be; never waits.
    public func record(_ severity: EventNote.Severity, reason: String, action: String, _ text: String) {
        guard let object else { return }
        controller.events.record(EventNote(severity, reason: reason, action: action, text), about: object)
    }

    /// From now on changes of exactly these objects, each followed by its name, bring a pass over this key: for what
    /// the object refers to by name, such as Secrets. An empty set ends it. How soon, see `ObjectFollower`.
    public func follow(_ references: Set<ObjectReference>) {
        let controller = controller
        controller.follower.follow(references, for: key) { [weak controller] key in controller?.enqueue(key) }
    }

    /// Whether `follow` was told of it.
    public func isFollowed(_ reference: ObjectReference) -> Bool {
        controller.follower.isFollowed(reference, for: key)
    }

    /// The object as far as it is known: from the cache of `follow` once that is filled, else read live.
    public func read(_ reference: ObjectReference) async throws -> KubernetesObject? {
        let known = controller.follower.cached(reference)
        let object = if let known { known.object } else { try await client.find(reference.type, reference.key) }
        controller.follower.note(object?.resourceVersion ?? "", of: reference, seenBy: key)
        return object
    }
}

extension KubernetesObject {
    /// The entry for `metadata.ownerReferences` of an object that this one controls.
    public var controllerReference: JSON {
        [
            "apiVersion": JSON(apiVersion), "kind": JSON(kind), "name": JSON(name), "uid": JSON(uid),
            "controller": true, "blockOwnerDeletion": true,
        ]
    }
}
