internal import Concurrency
public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// Runs informers, controllers, the election and the event recorder of one process.
///
///     let manager = Manager(client: client, options: .init(name: "todo-operator"), logger: logger)
///     let apps = manager.informer(.todoApp)
///     let deployments = manager.informer(.deployment, .init(labelSelector: "…"))
///     manager.controller("todoapp", for: apps, predicate: .ignoringStatus) { context in … }.owns(deployments)
///     try await manager.run()
///
/// Informers run at once; controllers only while this process leads. On graceful shutdown passes under way may end
/// within `drainLimit`, then the lease is given back. When leadership is lost nothing is drained: `onLeadershipLost`
/// is called at once and `run` throws.
public final class Manager: Sendable, Service {
    public struct Options: Sendable {
        /// Names the process in Events and, unless told otherwise, its fields in server-side apply.
        public var name: String
        public var fieldManager: String
        /// Unlike that of any other process: the pod's name and something random.
        public var identity: String
        /// Where the Lease is; nil runs without election.
        public var election: LeaderElector.Options?
        /// How long passes under way may go on after a graceful stop.
        public var drainLimit: Duration = .seconds(5)
        /// Called at the moment that leadership is lost. A process should end in it (`_exit`), so that nothing holds
        /// it up.
        public var onLeadershipLost: @Sendable (LeaderElector.LeadershipLost) -> Void = { _ in }

        public init(
            name: String, fieldManager: String? = nil, identity: String? = nil,
            election: LeaderElector.Options? = nil
        ) {
            self.name = name
            self.fieldManager = fieldManager ?? name
            let random = String(UInt64.random(in: .min ... .max), radix: 16)
            self.identity = identity ?? election?.identity ?? "\(name)_\(random)"
            self.election = election
        }
    }

    struct Parts {
        var informers: [Informer] = []
        var controllers: [Controller] = []
    }

    public let options: Options
    /// Open while this process may write.
    public let fence: any Fence
    /// The client that controllers use: its writes pass the fence.
    public let client: any ObjectClient
    public let events: EventRecorder
    let unfenced: any ObjectClient
    let time: any TimeSource
    let logger: Logger
    let elector: LeaderElector?
    let parts = Lock(Parts())
    let stopping = Latch()

    public init(
        client: any ObjectClient, options: Options, time: any TimeSource = SystemTime(), logger: Logger
    ) {
        self.options = options
        self.time = time
        self.logger = logger
        unfenced = client
        elector = options.election.map { LeaderElector(client: client, options: $0, time: time, logger: logger) }
        fence = elector?.fence ?? OpenFence()
        self.client = FencedClient(client, fence: fence, time: time)
        events = EventRecorder(
            client: self.client, controller: options.name, instance: options.identity, time: time, logger: logger)
    }

    public var isLeading: Bool { elector?.isLeading ?? true }

    /// An informer that runs with this manager. To be called before `run`.
    public func informer(_ type: ResourceType, _ options: Informer.Options = .init()) -> Informer {
        let informer = Informer(
            type, client: unfenced, fieldManager: self.options.fieldManager, options: options, time: time,
            logger: logger)
        parts.withLock { $0.informers.append(informer) }
        return informer
    }

    /// A controller for the objects of `primary`. To be called before `run`.
    @discardableResult
    public func controller(
        _ name: String, for primary: Informer, predicate: Predicate = .ignoringStatus,
        options: Controller.Options = .init(), reconcile: @escaping Controller.Reconcile
    ) -> Controller {
        let controller = Controller(
            name, for: primary, predicate: predicate, options: options, client: client,
            fieldManager: self.options.fieldManager, events: events, time: time, logger: logger,
            reconcile: reconcile)
        parts.withLock { $0.controllers.append(controller) }
        return controller
    }

    /// Asks a running manager to stop in order.
    public func stop() { stopping.open() }
}
