internal import APIServer
internal import APIServerKinds
internal import Concurrency
internal import ControllerRuntime
internal import Glibc
internal import KubernetesClient
internal import StructuredData

/// Everything beside the API server, wired together.
struct Parts: Sendable {
    let manager: Manager
    let agent: NodeAgent
    private let sidecars: DaprStandIn?
    private let strimzi: StrimziStandIn?
    private let node = NodeDescription()
    private let collector: GarbageCollector
    private let expiry: EventExpiry
    private let proxy: ServiceProxy
    private let recorders: [EventRecorder]
    private let informers: [Informer]
    /// Pods can be made in the namespace `default`.
    private let furnished = Latch()

    init(cluster: LocalCluster, logs: LogFolder, sidecars: DaprStandIn?) {
        let access = cluster.access
        let registry = cluster.server.registry
        let manager = Manager(
            client: access.client, options: .init(name: ClusterAccess.controllerManager), time: access.time,
            logger: access.logger)
        var recorders: [EventRecorder] = []
        func recorder(_ name: String, _ instance: String = "local") -> EventRecorder {
            let recorder = EventRecorder(
                client: access.client, controller: name, instance: instance, time: access.time, logger: access.logger)
            recorders.append(recorder)
            return recorder
        }
        func control(_ name: String, _ pods: Informer) -> PodControl {
            PodControl(access: access, pods: pods, events: recorder(name))
        }
        let nodeEvents = recorder("kubelet", node.name)
        let pods = manager.informer(.pods, .init(indices: [Adoption.orphans]))
        let nodes = manager.informer(.nodes)
        let replicaSets = manager.informer(.replicaSets, .init(indices: [Adoption.orphans]))
        let deployments = manager.informer(.deployments)
        let statefulSets = manager.informer(.statefulSets)
        let daemonSets = manager.informer(.daemonSets)
        let jobs = manager.informer(.jobs)
        let services = manager.informer(.services)
        let slices = manager.informer(.endpointSlices, .init(indices: [.label(EndpointRules.serviceLabel)]))
        let namespaces = manager.informer(.namespaces)
        let accounts = manager.informer(.serviceAccounts, .init(fieldSelector: "metadata.name=default"))
        let furnished = furnished
        accounts.onChange { change in if change.new?.key.namespace == "default" { furnished.open() } }

        DeploymentController(access: access, replicaSets: replicaSets, events: recorder("deployment-controller"))
            .register(with: manager, deployments: deployments)
        ReplicaSetController(control: control("replicaset-controller", pods))
            .register(with: manager, replicaSets: replicaSets)
        let revisions = manager.informer(.controllerRevisions)
        StatefulSetController(
            control: control("statefulset-controller", pods),
            history: RevisionHistory(access: access, revisions: revisions)
        ).register(with: manager, sets: statefulSets)
        DaemonSetController(
            control: control("daemonset-controller", pods),
            history: RevisionHistory(access: access, revisions: revisions), nodes: nodes
        ).register(with: manager, sets: daemonSets)
        JobController(control: control("job-controller", pods)).register(with: manager, jobs: jobs)
        CronJobController(access: access, jobs: jobs, events: recorder("cronjob-controller")).register(with: manager)
        AutoscalerController(access: access, registry: registry, events: recorder("horizontal-pod-autoscaler"))
            .register(with: manager)
        NamespaceController(access: access, registry: registry, authorityPEM: cluster.authority.certificatePEM)
            .register(with: manager, namespaces: namespaces, accounts: accounts)
        EndpointsController(access: access, pods: pods, slices: slices).register(with: manager, services: services)
        DisruptionController(
            access: access, pods: pods, replicaSets: replicaSets, deployments: deployments, statefulSets: statefulSets
        ).register(with: manager)
        NodeController(access: access, pods: pods, events: recorder("taint-eviction-controller"))
            .register(with: manager, nodes: nodes)
        Scheduler(access: access, nodes: nodes, events: recorder("default-scheduler"))
            .register(with: manager, pods: pods)
        cluster.proxy.follow(services: services, slices: slices)

        let images = ImageList(programs: cluster.configuration.programs)
        let launcher = ContainerLauncher(
            access: access, images: images, node: node, services: services.store, logs: logs, sidecars: sidecars,
            inherited: Self.environment(cluster.configuration.inheritedVariables))
        let podServices = PodServices(
            access: access, node: node, images: images, launcher: launcher, prober: Prober(), events: nodeEvents)
        agent = NodeAgent(services: podServices, logs: logs, addresses: PodAddresses(), pods: pods, sidecars: sidecars)
        collector = GarbageCollector(access: access, registry: registry)
        expiry = EventExpiry(access: access)
        self.manager = manager
        self.sidecars = sidecars
        sidecars?.follow(with: manager)
        strimzi =
            cluster.configuration.runsStandIns
            ? StrimziStandIn(access: access, authorityPEM: cluster.authority.certificatePEM) : nil
        strimzi?.register(with: manager)
        proxy = cluster.proxy
        self.recorders = recorders
        informers = [
            pods, nodes, replicaSets, deployments, statefulSets, daemonSets, jobs, services, slices, namespaces,
        ]
    }

    private static func environment(_ names: [String]) -> [String: String] {
        var result: [String: String] = [:]
        for name in names { if let value = getenv(name) { result[name] = String(cString: value) } }
        return result
    }

    /// Makes what must be there before pods run: the node, and the way to the API.
    func prepare(_ cluster: LocalCluster) async throws {
        let client = cluster.access.client
        let now = cluster.access.time.wallClock
        let labels: JSON = [
            "kubernetes.io/hostname": JSON(node.name), "kubernetes.io/os": "linux",
            "kubernetes.io/arch": JSON(NodeAgent.architecture),
        ]
        var stored = try await client.getIfPresent(.nodes, name: node.name)
        if stored == nil {
            let object = KubernetesObject(["metadata": ["name": JSON(node.name), "labels": labels]])
            stored = try await client.create(object, .nodes, options: WriteOptions(fieldManager: "kubelet"))
        }
        try await sidecars?.install()
        try await strimzi?.install()
        guard let stored else { return }
        try await client.updateStatus(of: stored, .nodes, to: NodeAgent.node(node, now: now), by: "kubelet")
        try await EndpointRules.publishServer(
            address: node.address, port: cluster.port.withLock { $0 }, client: client)
        try await forgetReadiness(client, now: now)
    }

    /// Nothing runs yet, whatever the pods' statuses say of the time before: so no controller counts on them.
    private func forgetReadiness(_ client: KubernetesClient, now: KubernetesTime) async throws {
        for pod in try await client.list(.pods, namespace: nil, options: ListOptions()).items {
            guard PodView(pod).isReady, var status = pod.status else { continue }
            let conditions = (status["conditions"]?.array ?? []).map { condition -> JSON in
                guard ["Ready", "ContainersReady"].contains(condition["type"]?.string) else { return condition }
                var condition = condition
                condition.set("False", at: "status")
                condition.set("NodeNotReady", at: "reason")
                condition.set(JSON(now.text), at: "lastTransitionTime")
                return condition
            }
            status.set(.array(conditions), at: "conditions")
            try await client.updatePodStatus(of: pod, to: status, by: "kubelet")
        }
    }

    func addTasks(to group: inout TaskGroup<Void>) {
        for recorder in recorders { group.addTask { await recorder.run() } }
        group.addTask { try? await manager.run() }
        group.addTask { await agent.run() }
        group.addTask { await collector.run() }
        group.addTask { await expiry.run() }
        group.addTask { await proxy.run() }
        if let sidecars { group.addTask { await sidecars.run() } }
    }

    func whenReady() async {
        for informer in informers { try? await informer.whenSynced() }
        try? await furnished.wait()
    }
}

extension ResourceType {
    static let nodes = ResourceType(group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false)
    static let endpoints = ResourceType(group: "", version: "v1", kind: "Endpoints", plural: "endpoints")
    static let endpointSlices = ResourceType(
        group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", plural: "endpointslices")
}
