import ArgumentParser
import ControllerRuntime
import KubernetesClient
import LocalCluster
import LocalPostgres
import Logging
import StructuredData
import TodoOperator
import TodoResources
import UnixSignals

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

    @Option(name: .shortAndLong, help: "The objects to apply, as YAML; else a sample TodoApp.")
    var file: String?

    @OptionGroup var logs: LogOptions

    func validate() throws {
        for (name, value) in [("--port", port), ("--api-port", apiPort)] where !(0...65535).contains(value) {
            throw ValidationError("\(name) takes 0 to 65535")
        }
    }

    func run() async throws {
        _ = logs.bootstrap(defaultLevel: .warning)
        let objects = try file.map { try ResourceFile.read($0) } ?? [Sample.todoApp]
        let folder = try DataFolder.resolve(dataDir)
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        OneMachine.say("starting PostgreSQL and the cluster in \(folder)")
        let database = try await LocalPostgres(folder: "\(folder)/postgres") { exit in
            complain("PostgreSQL ended (\(exit)); starting it again")
        }
        try await database.start()
        do {
            try await run(objects, folder, database, until: signals)
        } catch {
            await database.stop()
            throw error
        }
        await database.stop()
    }

    private func run(
        _ objects: [JSON], _ folder: String, _ database: LocalPostgres, until signals: UnixSignalsSequence
    ) async throws {
        let cluster = try await OneMachine.cluster(
            dataFolder: "\(folder)/cluster", port: apiPort, kubeconfig: "\(folder)/kubeconfig",
            logger: Logger(label: "cluster"))
        do {
            try await cluster.start()
            try await work(objects, Platform(database: database, cluster: cluster, folder: folder), until: signals)
        } catch {
            await cluster.stop()
            throw error
        }
        OneMachine.say("stopping; the data stays in \(folder)")
        await cluster.stop()
    }

    /// Runs the operator and brings the objects up, until a signal comes.
    private func work(_ objects: [JSON], _ platform: Platform, until signals: UnixSignalsSequence) async throws {
        let logger = Logger(label: "operator")
        let manager = OperatorManager.make(
            client: platform.cluster.client, database: MigratingDatabase(logger: logger),
            options: OperatorManager.Options(manager: Manager.Options(name: Label.operatorName)), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { return }
            }
            group.addTask {
                try await platform.apply(objects)
                try await withThrowingTaskGroup(of: Void.self) { parts in
                    parts.addTask { try await manager.run() }
                    parts.addTask { try await platform.present(objects, port: port) }
                    try await parts.waitForAll()
                }
            }
            try await group.next()
            manager.stop()
            group.cancelAll()
            // What is cancelled on purpose is no failure.
            while let end = await group.nextResult() { if case .failure(let error) = end { logger.debug("\(error)") } }
        }
    }
}
