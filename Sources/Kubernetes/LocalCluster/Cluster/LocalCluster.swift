public import APIServer
internal import Concurrency
public import ControllerRuntime
internal import Glibc
internal import KubernetesSchema
public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// A cluster of one machine: the API server, what kube-controller-manager, scheduler, kubelet and kube-proxy do, and a
/// kubeconfig for people. A container is a process; see `ContainerLauncher` for what that means.
///
///     let cluster = try await LocalCluster(configuration: configuration, logger: logger)
///     try await cluster.run()          // a ServiceLifecycle service
///
/// or `start()` and `stop()`, as tests do. After a stop or a crash the next cluster on the same data folder goes on
/// with the same objects: its pods are started again, once.
public final class LocalCluster: Service {
    public struct Configuration: Sendable {
        /// Where objects, keys and logs are kept; nil keeps objects in memory and logs in a folder that goes with the
        /// cluster.
        public var dataFolder: String?
        public var host = "127.0.0.1"
        /// Where the API is served; 0 takes a free port.
        public var port = 6_443
        /// More names and addresses under which clients reach the API, for its certificate.
        public var hosts: [String] = []
        /// Written when the cluster runs, mode 0600; nil writes none.
        public var kubeconfigPath: String?
        /// The images that can run, and the program that each stands for. A name without a tag stands for all its tags.
        public var programs: [String: String] = [:]
        /// Where Services get their addresses.
        public var serviceRange = "127.96.0.0/16"
        /// How long processes may take to end when the cluster stops.
        public var stopPatience: Duration = .seconds(5)
        /// Whether Dapr and Strimzi are played: their kinds are installed, pods with `dapr.io/enabled: "true"` get a sidecar,
        /// and a Kafka becomes ready at once. Topics and states are kept in the data folder.
        public var runsStandIns = false
        /// Variables of this process that containers get too.
        public var inheritedVariables = ["PATH", "LD_LIBRARY_PATH", "TZ"]

        public init() {}
    }

    public let configuration: Configuration
    /// For clients in this process and for tests' faults.
    public let server: APIServer
    let access: ClusterAccess
    let authority: CertificateAuthority
    let ready = Latch()
    let listening = Latch()
    let stopping = Latch()
    let port = Lock(0)
    let proxy: ServiceProxy
    let running = Lock<Task<Void, any Error>?>(nil)
    private let failure = Lock<(any Error)?>(nil)

    /// Reads the data folder. Nothing runs and nothing is written to the network before `run`.
    /// - Throws: `StorageError`; `LocalClusterError` when the configuration cannot work.
    public init(
        configuration: Configuration, time: any TimeSource = SystemTime(), logger: Logger = Logger(label: "cluster")
    ) async throws {
        self.configuration = configuration
        var serverConfiguration = APIServer.Configuration()
        serverConfiguration.dataFolder = configuration.dataFolder
        serverConfiguration.advertisedAddress = "\(configuration.host):\(configuration.port)"
        serverConfiguration.now = { time.wallClock }
        guard let range = AddressRange(configuration.serviceRange) else {
            throw LocalClusterError("\(configuration.serviceRange) is no range of addresses such as 127.96.0.0/16")
        }
        serverConfiguration.serviceRange = range
        server = try await APIServer(configuration: serverConfiguration, logger: logger)
        authority =
            try configuration.dataFolder.map { try CertificateAuthority(folder: "\($0)/pki") }
            ?? CertificateAuthority()
        access = ClusterAccess(
            client: Self.client(of: server, as: .system("kube-controller-manager")), time: time, logger: logger)
        proxy = ServiceProxy(time: time, logger: logger)
    }

    /// A client in this process that is taken for `user`.
    static func client(of server: APIServer, as user: UserInfo) -> KubernetesClient {
        KubernetesClient(
            configuration: ClusterConfiguration(server: "https://cluster.local"), transport: server.transport(as: user),
            options: KubernetesClient.Options(userAgent: user.name.split(separator: ":").last.map(String.init) ?? ""))
    }

    /// The administrator's client, in this process.
    public var client: KubernetesClient { Self.client(of: server, as: .admin) }

    /// `https://127.0.0.1:6443`, once it runs.
    public var address: String { "https://\(configuration.host):\(port.withLock { $0 })" }

    // MARK: - Running

    /// Runs in the background; returns once the API answers and the controllers work.
    /// - Throws: what `run` threw when it could not start.
    public func start() async throws {
        let task = Task {
            // Also when it is stopped before it was ready.
            defer { ready.open() }
            do { try await run() } catch {
                failure.withLock { $0 = error }
                throw error
            }
        }
        running.withLock { $0 = task }
        try await ready.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Ends processes, then controllers, then the API; returns when all is done.
    public func stop() async {
        stopping.open()
        let task = running.withLock { $0 }
        _ = await task?.result
    }

    /// Returns once the API answers and the controllers work.
    public func whenReady() async throws { try await ready.wait() }

    /// Listens on 127.0.0.1 and passes connections on to a Service's ready endpoints, until the cluster stops.
    /// - Returns: the port; for 0 a free one is taken.
    /// - Throws: when the port is taken.
    @discardableResult
    public func forward(port: Int, toService name: String, namespace: String, servicePort: Int) async throws -> Int {
        try await proxy.forward(
            port: port, to: ServicePort(namespace: namespace, service: name, port: servicePort))
    }
}

/// Why a cluster cannot run as it is configured.
public struct LocalClusterError: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
