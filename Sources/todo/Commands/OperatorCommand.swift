import ArgumentParser
import Concurrency
import ControllerRuntime
import Glibc
import KubernetesClient
import Logging
import Metrics
import ServiceLifecycle
import ServiceRunning
import UnixSignals
import Telemetry
import TodoOperator
import TodoResources

struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Run the operator against the cluster of the kubeconfig, or the one that this pod runs in.")

    @Option(help: "The kubeconfig file; else $KUBECONFIG, the pod's own cluster, ~/.kube/config.")
    var kubeconfig: String?

    @Option(help: "The context of the kubeconfig; else its current one.")
    var context: String?

    @Option(help: "Watch this namespace only.")
    var namespace: String?

    @Flag(help: "Work only while holding a Lease, so that several replicas can run.")
    var leaderElect = false

    @Option(help: "Where the Lease is; else the namespace of this pod or of the kubeconfig's context.")
    var leaderElectNamespace: String?

    @Option(help: "The name of the Lease. Operators that share the apps by --app-selector need one each.")
    var leaseName: String?

    @Option(
        help: """
            Look after the TodoApps with these labels only, and after their bindings and schedules, such as shard=a; \
            others look after the others.
            """)
    var appSelector: String?

    @Option(
        help: """
            Labels of a TodoApp that its objects and pods get too, separated by commas; prefix/* stands for all of a \
            prefix.
            """)
    var inheritedLabels: String?

    @Option(help: "The port of /metrics, /livez and /readyz; 0 serves none.")
    var metricsPort = 8081

    @Option(help: "The address on which they are served (default: all); 127.0.0.1 serves them to this machine alone.")
    var metricsAddress: String?

    @Option(help: "How many TodoApps are worked on at once.")
    var workers = 8

    @OptionGroup var logs: LogOptions

    func validate() throws {
        for (option, name) in [("--namespace", namespace), ("--leader-elect-namespace", leaderElectNamespace)] {
            if let name, let fault = NameRule.namespace.fault(in: name) { throw ValidationError("\(option): \(fault)") }
        }
        guard (1...256).contains(workers) else { throw ValidationError("--workers takes 1 to 256") }
        guard !leaderElect || appSelector == nil || leaseName != nil else {
            throw ValidationError("--app-selector with --leader-elect needs --lease-name: a Lease for these apps alone")
        }
        do { _ = try InheritedLabels(inheritedLabels ?? "") } catch {
            throw ValidationError("--inherited-labels: \(error)")
        }
        guard (0...65535).contains(metricsPort) else { throw ValidationError("--metrics-port takes 0 to 65535") }
    }

    func run() async throws {
        let registry = logs.bootstrap()
        let logger = Logger(label: "operator")
        let configuration = try ClusterConfiguration.load(kubeconfig: kubeconfig, context: context)
        let client = OperatorClient.make(configuration)
        let outside = OperatorOutside(registry, logger)
        let manager = OperatorManager.make(
            client: client, outside: outside.all, options: try options(defaultNamespace: configuration.namespace),
            logger: logger)
        logger.info(
            "starting",
            metadata: ["version": "\(ProductVersion.current)", "server": "\(configuration.server)"])
        await OperatorClient.reportCRDs(client, logger)
        var services: [any Service] = [outside.workers, manager]
        if metricsPort > 0 {
            services.append(
                HealthServer(
                    host: metricsAddress ?? ListenAddress.any, port: metricsPort, registry: registry,
                    live: HealthChecks([("watches", { try await manager.checkLiveness() })]),
                    ready: HealthChecks([("caches", { try manager.checkReadiness() })]), logger: logger))
        }
        do {
            try await ServiceGroup(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
            ).run()
        } catch let error as HealthServer.PortError {
            throw CommandFailure("\(error); choose another with --metrics-port, 0 for none")
        }
    }

    private func options(defaultNamespace: String) throws -> OperatorManager.Options {
        let identity = "\(hostName)_\(String(UInt32.random(in: .min ... .max), radix: 16))"
        let election =
            leaderElect
            ? LeaderElector.Options(
                namespace: leaderElectNamespace ?? defaultNamespace, name: leaseName ?? Label.operatorName,
                identity: identity)
            : nil
        var manager = Manager.Options(name: Label.operatorName, identity: identity, election: election)
        // Nothing may hold up the end of one that no longer leads: not even its own clean-up.
        manager.onLeadershipLost = { loss in
            complain("\(loss)")
            _exit(1)
        }
        var options = OperatorManager.Options(manager: manager)
        options.namespace = namespace
        options.controller.workers = workers
        options.appSelector = appSelector
        options.inheritedLabels = try InheritedLabels(inheritedLabels ?? "")
        return options
    }

    private var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What the operator does outside of the cluster, in this process.
struct OperatorOutside {
    /// To be run beside the manager, and to be stopped after it.
    let workers: EmbeddedWorkers
    let all: OperatorManager.Outside

    init(_ metrics: any MetricsFactory, _ logger: Logger) {
        let databases = AppDatabases(logger: logger)
        workers = EmbeddedWorkers(databases: databases, metrics: metrics, logger: logger)
        all = OperatorManager.Outside(
            database: MigratingDatabase(logger: logger), policies: databases, workers: workers, metrics: metrics)
    }
}

/// The client of the operator: its requests are counted.
enum OperatorClient {
    static func make(_ configuration: ClusterConfiguration) -> KubernetesClient {
        let requests = RequestCounters()
        return KubernetesClient(
            configuration: configuration,
            options: KubernetesClient.Options(
                userAgent: "todo-operator/\(ProductVersion.current)", logger: Logger(label: "client"),
                observer: { requests.count($0) }))
    }

    /// Says what is wrong with the CRDs. The operator starts all the same: a CRD may come later.
    static func reportCRDs(_ client: any ObjectClient, _ logger: Logger) async {
        do {
            for problem in try await CRDCheck.problems(client) { logger.warning("\(problem)") }
        } catch {
            logger.warning("the CRDs could not be checked: \(error)")
        }
    }
}

/// `rest_client_requests_total` of client-go. The counters are kept: to look one up by its labels costs more than to
/// count.
private final class RequestCounters: Sendable {
    private struct Labels: Hashable {
        let code: Int?
        let host: String
        let method: String
    }

    private let counters = Lock<[Labels: Counter]>([:])

    func count(_ record: RequestRecord) {
        let labels = Labels(code: record.code, host: record.host, method: record.method)
        counters.withLock { counters in
            let counter = counters[labels] ?? Self.counter(labels)
            counters[labels] = counter
            return counter
        }.increment()
    }

    private static func counter(_ labels: Labels) -> Counter {
        let code = labels.code.map(String.init) ?? "<error>"
        return Counter(
            label: "rest_client_requests_total",
            dimensions: [("code", code), ("host", labels.host), ("method", labels.method)])
    }
}
