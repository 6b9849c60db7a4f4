import ArgumentParser
import ControllerRuntime
import LocalCluster
import Logging

struct Cluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Run the embedded Kubernetes API server and its controllers alone.")

    @Option(help: "Where objects and keys are kept; without it they go with the process.")
    var dataDir: String?

    @Option(help: "The port of the API; 0 takes a free one.")
    var port = 6443

    @Option(help: "Where the kubeconfig is written, mode 0600.")
    var kubeconfig = "kubeconfig"

    @OptionGroup var logs: LogOptions

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port takes 0 to 65535") }
    }

    func run() async throws {
        _ = logs.bootstrap(defaultLevel: .warning)
        let folder = try dataDir.map { try DataFolder.take($0) }
        try OneMachine.checkPorts([("--port", port)])
        try await Interruption.cancels({ try await run(in: folder) }, saying: "stopping")
    }

    private func run(in folder: String?) async throws {
        let cluster = try await OneMachine.cluster(
            dataFolder: folder, port: port, kubeconfig: kubeconfig, logger: Logger(label: "cluster"))
        try await Interruption.run {
            try await cluster.start()
            OneMachine.say("\(cluster.address) is up; export KUBECONFIG=\(kubeconfig)")
            try await Latch().wait()
        } finally: {
            await cluster.stop()
        }
    }
}
