import ArgumentParser
import LocalCluster
import Logging
import UnixSignals

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
        let folder = try dataDir.map { try DataFolder.resolve($0) }
        let cluster = try await OneMachine.cluster(
            dataFolder: folder, port: port, kubeconfig: kubeconfig, logger: Logger(label: "cluster"))
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await cluster.start()
        OneMachine.say("\(cluster.address) is up; export KUBECONFIG=\(kubeconfig)")
        for await _ in signals { break }
        await cluster.stop()
    }
}
