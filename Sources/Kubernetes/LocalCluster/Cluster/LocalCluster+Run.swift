internal import APIServer
internal import Concurrency
internal import ControllerRuntime
internal import Glibc
internal import KubernetesClient
internal import Logging
internal import ServiceLifecycle
internal import StructuredData

extension LocalCluster {
    /// Runs until cancelled, stopped by `stop` or a graceful shutdown.
    /// - Throws: when the port or a folder cannot be used.
    public func run() async throws {
        let (logs, scratch) = try logFolder()
        let folder = configuration.dataFolder ?? scratch?.path ?? ""
        let sidecars = configuration.runsStandIns ? try DaprStandIn(cluster: self, folder: "\(folder)/dapr") : nil
        let parts = Parts(cluster: self, logs: logs, sidecars: sidecars)
        server.setPodRuntime(parts.agent)
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.serve() }
                group.addTask { try await self.work(parts) }
                defer { group.cancelAll() }
                // The listener ends last: parts that stop still write.
                try await group.next()
            }
        } onGracefulShutdown: {
            self.stopping.open()
        }
        proxy.stop()
        await sidecars?.close()
        await server.shutDown()
        scratch?.remove()
    }

    private func serve() async throws {
        var listening = APIServerListener.Configuration()
        listening.host = configuration.host
        listening.port = configuration.port
        listening.hosts = configuration.hosts + [configuration.host]
        let started = Latch()
        // It logs each connection that a stop cuts off as an error; what really fails it throws.
        var quiet = access.logger
        quiet.logLevel = .critical
        let listener = APIServerListener(
            server: server, authority: authority, configuration: listening, logger: quiet,
            onRunning: { port in
                self.port.withLock { $0 = port }
                started.open()
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            group.addTask {
                try await started.wait()
                try self.writeKubeconfig()
                self.listening.open()
                try await self.neverEnds()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func neverEnds() async throws { try await Latch().wait() }

    private func writeKubeconfig() throws {
        guard let path = configuration.kubeconfigPath else { return }
        let credential = try authority.clientCredential(
            commonName: "kubernetes-admin", organizations: ["system:masters"])
        try Kubeconfig(server: address, authorityPEM: authority.certificatePEM, user: .certificate(credential))
            .write(to: path)
    }

    private func work(_ parts: Parts) async throws {
        try await listening.wait()
        try await parts.prepare(self)
        await withTaskGroup(of: Void.self) { group in
            parts.addTasks(to: &group)
            group.addTask {
                await parts.whenReady()
                self.ready.open()
            }
            try? await stopping.wait()
            await parts.agent.shutDown(patience: configuration.stopPatience)
            parts.manager.stop()
            group.cancelAll()
        }
    }

    private func logFolder() throws -> (LogFolder, ScratchFolder?) {
        guard let folder = configuration.dataFolder else {
            let scratch = try ScratchFolder()
            return (LogFolder(scratch.path), scratch)
        }
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw LogError(path: folder, errno: errno) }
        return (LogFolder("\(folder)/pods"), nil)
    }
}
