internal import Concurrency
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import StructuredData

/// Brings each object of one type to its desired state: takes keys off a work queue that changes fill, and calls
/// `reconcile` for them, never twice at once for one key.
///
/// A pass that throws is tried again after a back-off of the key (5 ms to 1000 s); a `TerminalReconcileError` is not.
/// A pass does not begin before the caches show what the last pass over the key wrote; see `Expectations`.
public final class Controller: Sendable {
    public typealias Reconcile = @Sendable (ReconcileContext) async throws -> ReconcileResult

    public struct Options: Sendable {
        public var workers = 4
        /// A pass that takes longer is cancelled and counts as failed.
        public var reconcileTimeout: Duration = .seconds(120)
        public var queue = WorkQueueState<ObjectKey>.Configuration()
        /// How long changes that are not urgent wait for others. Children get on together: a pass for each would come to
        /// the same as one for all.
        public var settling: Duration = .milliseconds(250)
        public init() {}
    }

    struct Sources {
        var informers: [ResourceType: Informer] = [:]
        /// Keys that wait for a cache.
        var parked: Set<ObjectKey> = []
    }

    public let name: String
    public let primary: Informer
    let options: Options
    let queue: WorkQueue<ObjectKey>
    let writer: ObjectWriter
    let events: EventRecorder
    let follower: ObjectFollower
    let time: any TimeSource
    let sources = Lock(Sources())
    private let logger: Logger
    private let metrics: ControllerMetrics
    private let reconcile: Reconcile

    init(
        _ name: String, for primary: Informer, predicate: Predicate, options: Options, client: any ObjectClient,
        fieldManager: String, events: EventRecorder, time: any TimeSource, logger: Logger,
        reconcile: @escaping Reconcile
    ) {
        self.name = name
        self.primary = primary
        self.options = options
        self.events = events
        self.time = time
        self.reconcile = reconcile
        var logger = logger
        logger[metadataKey: "controller"] = "\(name)"
        self.logger = logger
        queue = WorkQueue(name: name, configuration: options.queue, time: time)
        writer = ObjectWriter(client: client, fieldManager: fieldManager, time: time)
        follower = ObjectFollower(client: client, fieldManager: fieldManager, time: time, logger: logger)
        metrics = ControllerMetrics(controller: name, workers: options.workers)
        connect(primary, predicate, .none) { $0.latest.map { [$0.key] } ?? [] }
    }

    /// A pass for `key`, as soon as a worker is free.
    public func enqueue(_ key: ObjectKey, priority: WorkPriority = .normal) { queue.add(key, priority: priority) }

    /// A pass for every object.
    public func enqueueAll() { for key in primary.store.keys { queue.add(key, priority: .low) } }

    /// Neither ready nor running keys; delayed ones may remain.
    public var isIdle: Bool { queue.isIdle }
}

// MARK: - Sources

extension Controller {
    /// Objects of `informer` whose controller owner is of the primary type concern that owner.
    ///
    /// - Parameter progress: of the changes that `predicate` does not admit, those that bring a pass `soon`.
    @discardableResult
    public func owns(
        _ informer: Informer, when predicate: Predicate = .all, soonWhen progress: Predicate = .none
    ) -> Controller {
        let type = primary.type
        connect(informer, predicate, progress) { change in
            [change.new, change.old].compactMap { $0 }.compactMap { Self.owner(of: $0, type) }
        }
        return self
    }

    /// Changes of `informer` concern the keys that `map` gives.
    ///
    /// - Parameter progress: of the changes that `predicate` does not admit, those that bring a pass `soon`.
    @discardableResult
    public func watches(
        _ informer: Informer, when predicate: Predicate = .all, soonWhen progress: Predicate = .none,
        map: @escaping @Sendable (StoreChange) -> [ObjectKey]
    ) -> Controller {
        connect(informer, predicate, progress, map)
        return self
    }

    private func connect(
        _ informer: Informer, _ predicate: Predicate, _ progress: Predicate,
        _ map: @escaping @Sendable (StoreChange) -> [ObjectKey]
    ) {
        sources.withLock { $0.informers[informer.type] = informer }
        informer.onChange { [weak self] change in
            guard let self, let latest = change.latest else { return }
            let reference = ObjectReference(informer.type, latest.key)
            let urgency: Urgency? = predicate.admits(change) ? .atOnce : progress.admits(change) ? .soon : nil
            let keys = urgency.map { writer.keysForPass(Set(map(change)), after: change, of: reference, $0) } ?? []
            release(writer.observe(reference, present: change.new, gone: change.old))
            for key in keys { add(key, urgency, priority: change.isInitial ? .low : .normal) }
        }
        // An API that comes or goes changes what can be done for every object, as does a list that had been refused.
        let before = Lock((isAvailable: true, isKnown: true))
        informer.onStatusChange { [weak self, weak informer] status in
            guard let informer else { return }
            let now = (isAvailable: status.isAvailable, isKnown: informer.isKnown)
            let flipped = before.withLock { before in
                defer { before = now }
                return before != now
            }
            if flipped { self?.enqueueAll() }
        }
    }

    private func add(_ key: ObjectKey, _ urgency: Urgency?, priority: WorkPriority = .normal) {
        switch urgency {
        case nil: break
        case .soon: queue.add(key, after: options.settling, priority: priority)
        case .atOnce: queue.add(key, priority: priority)
        }
    }

    private func release(_ keys: [ObjectKey]) {
        guard !keys.isEmpty else { return }
        let parked = sources.withLock { sources in keys.filter { sources.parked.remove($0) != nil } }
        for key in parked { queue.add(key) }
    }

    private static func owner(of object: StoredObject, _ type: ResourceType) -> ObjectKey? {
        guard let owner = object.controller, owner.kind == type.kind, !owner.name.isEmpty,
            owner.apiVersion.split(separator: "/").dropLast().first ?? "" == type.group
        else { return nil }
        return ObjectKey(namespace: type.namespaced ? object.key.namespace : nil, name: owner.name)
    }
}

// MARK: - Running

extension Controller {
    /// Returns once the cache of the primary type is filled and of each other type it is known whether it will be.
    func whenReady() async throws {
        try await primary.whenSynced()
        for informer in sources.withLock({ Array($0.informers.values) }) { try await informer.whenSettled() }
    }

    /// Works until the queue is shut down or the task cancelled, and the passes under way have ended.
    func run() async {
        logger.info("controller started", metadata: ["workers": "\(options.workers)"])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<options.workers {
                group.addTask { while let taken = await self.queue.next() { await self.process(taken) } }
            }
        }
    }

    private func process(_ taken: WorkQueueState<ObjectKey>.Taken) async {
        let key = taken.key
        defer { queue.done(key) }
        switch writer.verdict(key) {
        case .wait(let until):
            _ = sources.withLock { $0.parked.insert(key) }
            queue.add(key, at: until)
            // What it waits for may have come in between.
            if writer.verdict(key) == .satisfied { release([key]) }
            return
        case .check(let references): for reference in references { await refresh(reference) }
        case .satisfied: break
        }
        _ = sources.withLock { $0.parked.remove(key) }
        metrics.activeWorkers.increment()
        let started = time.now
        writer.beginPass(key)
        await settle(taken, await pass(taken))
        add(key, writer.endPass(key))
        metrics.duration.record(time.now - started)
        metrics.activeWorkers.decrement()
    }

    /// The cache does not show a write of ours: reads the object live and tells the cache.
    private func refresh(_ reference: ObjectReference) async {
        guard let informer = sources.withLock({ $0.informers[reference.type] }) else { return }
        logger.warning("the cache lags behind; reading \(reference) live")
        let deadline = time.now.advanced(by: .seconds(10))
        let client = writer.client
        let live = try? await time.run(until: deadline) { try await client.find(reference.type, reference.key) }
        if let object = live ?? nil { informer.learn(object) }
    }

    private func pass(_ taken: WorkQueueState<ObjectKey>.Taken) async -> Result<ReconcileResult, any Error> {
        let context = context(taken)
        do {
            let deadline = time.now.advanced(by: options.reconcileTimeout)
            return .success(try await time.run(until: deadline) { try await self.reconcile(context) })
        } catch { return .failure(error) }
    }

    private func context(_ taken: WorkQueueState<ObjectKey>.Taken) -> ReconcileContext {
        let stored = primary.store.stored(taken.key)
        var logger = logger
        logger[metadataKey: "kind"] = "\(primary.type.kind)"
        logger[metadataKey: "namespace"] = taken.key.namespace.map { "\($0)" }
        logger[metadataKey: "name"] = "\(taken.key.name)"
        logger[metadataKey: "generation"] = stored.map { "\($0.generation)" }
        return ReconcileContext(
            key: taken.key, object: stored?.object, attempt: taken.attempt, logger: logger, controller: self)
    }

    private func settle(
        _ taken: WorkQueueState<ObjectKey>.Taken, _ result: Result<ReconcileResult, any Error>
    ) async {
        let key = taken.key
        switch result {
        case .success(.done):
            metrics.count(.success)
            queue.forget(key)
        case .success(.requeue(let delay)):
            metrics.count(.requeueAfter)
            queue.forget(key)
            // Of many that wait for something, none holds up what somebody has changed.
            queue.add(key, after: delay, priority: .low)
        case .failure(let error):
            if Task.isCancelled { return }  // we are stopping: no fault of the object's
            // As a rule we are; but a lease that was renewed at the last moment is held on.
            if error is FenceError { return _ = queue.addRateLimited(key) }
            metrics.count(.error)
            metrics.errors.increment()
            if error is DeadlineExceeded { metrics.timeouts.increment() }
            let logger = context(taken).logger
            if error is any TerminalReconcileError {
                metrics.terminalErrors.increment()
                queue.forget(key)
                logger.error("reconcile failed for good: \(error)")
            } else {
                let delay = queue.addRateLimited(key)
                let level: Logger.Level = isRace(error, taken) ? .debug : .error
                logger.log(level: level, "reconcile failed: \(error)", metadata: ["retryAfter": "\(delay)"])
            }
        }
    }

    /// Whether the failure is ordinary business among processes that change the same objects, which the next pass
    /// mends: a conflict, or something that has just gone or come. Something that stays away is none.
    private func isRace(_ error: any Error, _ taken: WorkQueueState<ObjectKey>.Taken) -> Bool {
        guard let error = error as? APIError else { return false }
        if error.isConflict || error.isNamespaceTerminating { return true }
        let isGoing = primary.store.stored(taken.key)?.isBeingDeleted ?? true
        if isGoing, error.isNotFound || error.isForbidden { return true }
        return taken.attempt < Self.raceAttempts && (error.isAlreadyExists || error.isNotFound)
    }

    /// With the back-off of a key, about the first second and a half.
    private static let raceAttempts = 8
}
