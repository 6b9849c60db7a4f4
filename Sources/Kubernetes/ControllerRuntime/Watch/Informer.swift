internal import Concurrency
public import KubernetesClient
public import Logging
internal import Metrics

/// Keeps a `Store` equal to one collection of the server and tells of each change.
///
/// Runs a `Reflector`: see there for what is promised about failures. Of a type that is `optional` it first asks
/// whether the server has it and whether it may be listed and watched, asks again every half minute while not, and
/// empties the store when the type goes away.
public final class Informer: Sendable {
    public typealias Handler = @Sendable (StoreChange) -> Void

    /// What is followed, and how.
    public struct Options: Sendable {
        /// Nil follows all namespaces.
        public var namespace: String?
        public var labelSelector: String?
        public var fieldSelector: String?
        /// The cluster may lack the type, as the kinds of another operator.
        public var isOptional: Bool
        public var indices: [StoreIndex]
        public var transform: Store.Transform?
        public var reflector = Reflector.Configuration()
        /// How often an optional type that is absent is looked for.
        public var probeInterval: Duration = .seconds(30)

        public init(
            namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
            isOptional: Bool = false, indices: [StoreIndex] = [], transform: Store.Transform? = nil
        ) {
            self.namespace = namespace
            self.labelSelector = labelSelector
            self.fieldSelector = fieldSelector
            self.isOptional = isOptional
            self.indices = indices
            self.transform = transform
        }
    }

    private struct State {
        var reflector: Reflector
        var status = InformerStatus.starting
        /// Listing works and watching does not: the store is kept by listing alone, and that must be seen.
        var watchDenied = false
        /// The store was filled, and not emptied since.
        var isListed = false
        var otherVersions: [String] = []
        var handlers: [Handler] = []
        var statusHandlers: [@Sendable (InformerStatus) -> Void] = []
    }

    public let type: ResourceType
    public let store: Store
    public let options: Options
    private let client: any ObjectClient
    private let time: any TimeSource
    private let logger: Logger
    private let metrics: InformerMetrics
    private let state: Lock<State>
    /// Held while the store changes and all are told: what is learned comes in between no two effects of one answer,
    /// and nobody hears of it after what came later.
    private let order = Lock(())
    private let firstSync = Latch()
    private let settled = Latch()

    /// `fieldManager` is whose fields `StoredObject.ownedDigest` covers.
    public init(
        _ type: ResourceType, client: any ObjectClient, fieldManager: String, options: Options = Options(),
        time: any TimeSource = SystemTime(), logger: Logger
    ) {
        self.type = type
        self.client = client
        self.options = options
        self.time = time
        var logger = logger
        logger[metadataKey: "kind"] = "\(type.kind)"
        self.logger = logger
        store = Store(type, fieldManager: fieldManager, indices: options.indices, transform: options.transform)
        metrics = InformerMetrics(type)
        state = Lock(State(reflector: Reflector(options.reflector)))
    }

    public var status: InformerStatus { state.withLock { $0.status } }
    /// Whether an object that the store lacks is known not to be there, as far as a cache can know: all were listed, maybe
    /// long ago, or the server does not have the type.
    public var isKnown: Bool { state.withLock { $0.isListed || $0.status == .absent } }
    /// In which of the usual versions the server has an optional type that is `absent`: that of an older release of
    /// its operator, mostly.
    public var otherVersions: [String] { state.withLock { $0.otherVersions } }
    /// No sign of the server on this watch for so long that liveness should fail if the server answers others.
    public var isMute: Bool { state.withLock { $0.reflector.isMute(time.now) } }

    /// Calls `handler` for every change from now on, in order and after the store has it; it must be quick.
    public func onChange(_ handler: @escaping Handler) { state.withLock { $0.handlers.append(handler) } }

    /// Calls `handler` whenever `status` has changed.
    public func onStatusChange(_ handler: @escaping @Sendable (InformerStatus) -> Void) {
        state.withLock { $0.statusHandlers.append(handler) }
    }

    /// Returns once the store holds the first complete list.
    public func whenSynced() async throws { try await firstSync.wait() }

    /// Returns once the first complete list is there or it is known that there will be none for now.
    public func whenSettled() async throws { try await settled.wait() }

    /// Gives the store a state that was read live, so that a cache that lags behind catches up on one object.
    public func learn(_ object: KubernetesObject) { apply([.upsert(object, .read)]) }

    /// Follows the collection until the task is cancelled.
    public func run() async {
        while !Task.isCancelled {
            if options.isOptional {
                guard await waitUntilServed() else { return }
                set(.starting)
            }
            await follow()
            guard !Task.isCancelled else { return }
            // Nothing else says that there are no objects any more.
            guard options.isOptional, status == .absent else { continue }
            state.withLock { $0.isListed = false }
            apply([.retain([])])
        }
    }
}

// MARK: - Following

extension Informer {
    /// Runs the reflector until cancelled, or until the API of an optional type is gone.
    private func follow() async {
        state.withLock { $0.reflector = Reflector(options.reflector) }
        var command = handle(.start)
        while let current = command, !Task.isCancelled {
            if options.isOptional, status == .absent { return }
            command = await execute(current)
        }
    }

    private func execute(_ command: Reflector.Command) async -> Reflector.Command? {
        switch command {
        case .sleep(let deadline):
            guard (try? await time.sleep(until: deadline)) != nil else { return nil }
            return handle(.woke)
        case .list(let request):
            do {
                let page = try await time.run(until: request.deadline) { try await self.list(request) }
                return handle(.page(page))
            } catch is DeadlineExceeded { return handle(.deadlinePassed) } catch {
                return Task.isCancelled ? nil : handle(.failed(WatchFailure(error)))
            }
        case .watch(let request):
            do {
                let next = try await time.run(until: request.deadline) { try await self.watch(request) }
                return next ?? handle(.ended)
            } catch is DeadlineExceeded { return handle(.deadlinePassed) } catch {
                return Task.isCancelled ? nil : handle(.failed(WatchFailure(error)))
            }
        }
    }

    private func list(_ request: Reflector.ListRequest) async throws -> ObjectList {
        let options = ListOptions(
            labelSelector: options.labelSelector, fieldSelector: options.fieldSelector, limit: request.limit,
            continueToken: request.continueToken, resourceVersion: request.notOlderThan,
            resourceVersionMatch: request.notOlderThan == nil ? nil : .notOlderThan)
        return try await client.list(type, namespace: self.options.namespace, options: options)
    }

    /// Returns the next command when an event gave one, nil when the server ended the watch.
    private func watch(_ request: Reflector.WatchRequest) async throws -> Reflector.Command? {
        let options = WatchOptions(
            labelSelector: options.labelSelector, fieldSelector: options.fieldSelector,
            resourceVersion: request.resourceVersion, timeoutSeconds: request.timeoutSeconds)
        let next = Lock<Reflector.Command?>(nil)
        try await client.watch(type, namespace: self.options.namespace, options: options) { event in
            guard let command = self.handle(.event(event)) else { return true }
            next.withLock { $0 = command }
            return false
        }
        return next.withLock { $0 }
    }

    private func handle(_ input: Reflector.Input) -> Reflector.Command? {
        if case .ended = input { watchWorks() }
        let now = time.now
        let output = state.withLock { $0.reflector.handle(input, now: now) { Double.random(in: 0..<1) } }
        apply(output.effects)
        return output.command
    }
}

// MARK: - Effects

extension Informer {
    private func apply(_ effects: [Reflector.Effect]) {
        order.withLock { _ in for effect in effects { apply(effect) } }
        if !effects.isEmpty { metrics.objects.record(store.count) }
    }

    private func apply(_ effect: Reflector.Effect) {
        switch effect {
        case .upsert(let object, let origin):
            do { tell(try store.upsert(object, origin)) } catch {
                report(.undecodable("\(ObjectKey(object)): \(error)"))
            }
        case .delete(let key, let uid): tell(store.delete(key, uid: uid))
        case .retain(let keys): for change in store.retain(keys) { tell(change) }
        case .version(let version):
            store.setResourceVersion(version)
            watchWorks()
        case .synced(let version):
            store.setResourceVersion(version)
            let watches = state.withLock { state in
                state.isListed = true
                return !state.watchDenied
            }
            if watches { set(.synced) }
            firstSync.open()
            metrics.lists.increment()
        case .report(let problem): report(problem)
        }
    }

    private func tell(_ change: StoreChange?) {
        guard let change else { return }
        for handler in state.withLock({ $0.handlers }) { handler(change) }
    }

    private func report(_ problem: WatchProblem) {
        metrics.count(problem)
        logger.log(level: problem.level, "\(problem)")
        switch problem {
        case .listFailed(.absent): set(.absent)
        case .listFailed(.forbidden(let why)): set(.forbidden(why))
        case .watchFailed(.forbidden(let why)):
            state.withLock { $0.watchDenied = true }
            set(.forbidden(why))
        case .listFailed(let failure) where failure != .expired: set(.failing("\(failure)"))
        default: break
        }
    }

    private func watchWorks() {
        let wasDenied = state.withLock { state in
            defer { state.watchDenied = false }
            return state.watchDenied
        }
        if wasDenied { set(.synced) }
    }

    private func set(_ status: InformerStatus) {
        let handlers = state.withLock { state -> [@Sendable (InformerStatus) -> Void] in
            guard state.status != status else { return [] }
            state.status = status
            return state.statusHandlers
        }
        if status == .synced || !status.isAvailable { settled.open() }
        for handler in handlers { handler(status) }
    }
}

// MARK: - Optional types

extension Informer {
    /// Returns true once the server has the type and lets us list and watch it; false when cancelled.
    private func waitUntilServed() async -> Bool {
        var backoff = Backoff(base: .milliseconds(100), limit: .seconds(5))
        // Discovery may name for a while what is not served yet, or no more.
        var isDenied = status == .absent
        while !Task.isCancelled {
            let probed = await probe()
            if probed == .starting, !isDenied { return true }
            if probed != .starting { set(probed) }
            isDenied = false
            // Controllers wait for an answer, be it no: so one is asked for soon.
            let delay =
                if case .failing = probed {
                    backoff.next(random: .random(in: 0..<1))
                } else {
                    options.probeInterval * Double.random(in: 0.5..<1)
                }
            guard (try? await time.sleep(until: time.now.advanced(by: delay))) != nil else { return false }
        }
        return false
    }

    private func probe() async -> InformerStatus {
        do {
            return try await time.run(until: time.now.advanced(by: options.reflector.listTimeout)) { [self] in
                guard try await client.serves(type) else {
                    let others = try await findOtherVersions()
                    state.withLock { $0.otherVersions = others }
                    return .absent
                }
                for verb in ["list", "watch"] {
                    guard try await client.isAllowed(verb, type, namespace: options.namespace) else {
                        return .forbidden("\(verb) \(type.plural).\(type.group)")
                    }
                }
                return .starting
            }
        } catch { return .failing("\(error)") }
    }

    private func findOtherVersions() async throws -> [String] {
        var found: [String] = []
        for version in ["v1", "v2alpha1", "v1beta2", "v1beta1", "v1alpha1"] where version != type.version {
            let other = ResourceType(
                group: type.group, version: version, kind: type.kind, plural: type.plural, namespaced: type.namespaced)
            if try await client.serves(other) { found.append(version) }
        }
        return found
    }
}
