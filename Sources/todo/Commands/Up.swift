import ArgumentParser
import ControllerRuntime
import KubernetesClient
import LocalCluster
import LocalPostgres
import Logging
import Metrics
import StructuredData
import TodoOperator
import TodoResources

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract:
            "Run the whole platform on this machine: PostgreSQL, a Kubernetes API server, the operator, a TodoApp.",
        discussion: "Ctrl-C stops all of it; the data stays in the data folder, and the next start goes on with it.")

    @Option(
        help: "Where everything is kept; else /var/lib/todo-operator for root, ~/.local/share/todo-operator for others."
    )
    var dataDir: String?

    @Option(help: "The port of the TodoApp's HTTP API on 127.0.0.1; 0 takes a free one.")
    var port = 8080

    @Option(help: "The port of the Kubernetes API; 0 takes a free one.")
    var apiPort = 0

    @Option(
        name: .shortAndLong,
        help: """
            The objects to apply, as YAML; - reads standard input. Without it the TodoApps of before go on as they were \
            left; where there is none, a sample is made.
            """)
    var file: String?

    @OptionGroup var logs: LogOptions

    func validate() throws {
        for (name, value) in [("--port", port), ("--api-port", apiPort)] where !(0...65535).contains(value) {
            throw ValidationError("\(name) takes 0 to 65535")
        }
        guard port == 0 || port != apiPort else { throw ValidationError("--port and --api-port must differ") }
    }

    func run() async throws {
        let registry = logs.bootstrap(defaultLevel: .warning)
        let objects = try file.map { try Platform.check(ResourceFile.read($0), from: $0) }
        let folder = try DataFolder.take(dataDir)
        try OneMachine.checkPorts([("--port", port), ("--api-port", apiPort)])
        try await Interruption.cancels(
            { try await run(objects, in: folder, registry) }, saying: "stopping; the data stays in \(folder)")
    }

    private func run(_ objects: [JSON]?, in folder: String, _ metrics: any MetricsFactory) async throws {
        OneMachine.progress("starting PostgreSQL in \(folder)")
        let database = try await LocalPostgres(folder: "\(folder)/postgres") { exit in
            complain("PostgreSQL ended (\(exit)); starting it again")
        }
        try await Interruption.run {
            try await database.start()
            OneMachine.progress("starting the cluster")
            let cluster = try await OneMachine.cluster(
                dataFolder: "\(folder)/cluster", port: apiPort, kubeconfig: "\(folder)/kubeconfig",
                logger: Logger(label: "cluster"))
            try await Interruption.run {
                try await cluster.start()
                try await work(
                    objects, Platform(database: database, cluster: cluster, folder: folder, port: port), metrics)
            } finally: {
                await cluster.stop()
            }
        } finally: {
            await database.stop()
        }
    }

    /// Brings the objects up and runs the operator, until cancelled.
    private func work(_ objects: [JSON]?, _ platform: Platform, _ metrics: any MetricsFactory) async throws {
        let logger = Logger(label: "operator")
        let outside = OperatorOutside(metrics, logger)
        let manager = OperatorManager.make(
            client: platform.cluster.client, outside: outside.all,
            options: OperatorManager.Options(manager: Manager.Options(name: Label.operatorName)), logger: logger)
        let app = try await platform.apply(objects)
        try await withThrowingTaskGroup(of: Void.self) { parts in
            parts.addTask {
                try await withTaskCancellationHandler {
                    try await manager.run()
                } onCancel: {
                    manager.stop()
                }
            }
            parts.addTask { try await outside.workers.run() }
            parts.addTask { try await platform.present(app) }
            // Not `waitForAll`: it would wait for the operator, which does not end by itself, before it throws.
            for try await _ in parts {}
        }
    }
}
