internal import APIServer
internal import Concurrency
internal import ControllerRuntime
internal import DaprSidecar
internal import KubernetesClient
internal import Logging
internal import StructuredData
internal import TopicLog

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// What Dapr's control plane does in a cluster: gives each pod that asks for it a sidecar, and tells the sidecars what
/// the objects of dapr.io say.
final class DaprStandIn: Sendable {
    /// The namespaces in which pods have sidecars: what others have is not decoded, and a cluster may have thousands.
    private struct Served {
        /// By the uids of the pods.
        var namespaces: [String: Set<String>] = [:]
        /// Before that the sidecars would be told of a part.
        var isSynced = false

        /// Whether it is the first of its namespace.
        mutating func add(_ pod: KubernetesObject) -> Bool {
            let isFirst = namespaces[pod.namespace ?? ""] == nil
            namespaces[pod.namespace ?? "", default: []].insert(pod.uid)
            return isFirst
        }

        mutating func remove(_ pod: KubernetesObject) {
            namespaces[pod.namespace ?? ""]?.remove(pod.uid)
            if namespaces[pod.namespace ?? ""]?.isEmpty == true { namespaces[pod.namespace ?? ""] = nil }
        }
    }

    private let host: DaprHost
    private let client: KubernetesClient
    private let time: any TimeSource
    private let logger: Logger
    /// Of `ResourceType.daprKinds`, in that order.
    private let informers = Lock<[Informer]>([])
    private let served = Lock(Served())
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init(cluster: LocalCluster, folder: String) throws(TopicLogError) {
        client = cluster.client
        time = cluster.access.time
        logger = cluster.access.logger
        let server = cluster.server
        let secrets: SecretReader = { namespace, name, audience in
            let user: UserInfo =
                switch audience {
                case .dapr: .system("dapr-operator")
                case .serviceAccount(let home, let account): .serviceAccount(namespace: home, name: account)
                }
            let secret = try await LocalCluster.client(of: server, as: user)
                .getIfPresent(.secrets, namespace: namespace, name: name)
            return secret.map { ContainerLauncher.values($0.json["data"], isBase64: true) }
        }
        host = try DaprHost(
            topics: TopicLog.Configuration(folder: "\(folder)/topics"), stateFolder: "\(folder)/state",
            secrets: secrets, schedules: BindingSchedule.read, time: time, logger: logger)
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Makes the kinds of dapr.io known to the API server.
    func install() async throws {
        for definition in try DaprDefinitions.all() {
            _ = try await client.apply(
                KubernetesObject(definition), .customResourceDefinitions, fieldManager: "dapr-operator")
        }
    }

    /// To be called before the manager runs.
    func follow(with manager: Manager) {
        let all = ResourceType.daprKinds.map { manager.informer($0) }
        for informer in all { informer.onChange { [change] _ in change.yield() } }
        informers.withLock { $0 = all }
    }

    /// Runs until cancelled.
    func run() async {
        let all = informers.withLock { $0 }
        for informer in all { guard (try? await informer.whenSynced()) != nil else { return } }
        served.withLock { $0.isSynced = true }
        change.yield()
        async let cleaning: Void = keepWithinRetention()
        for await _ in changes { served.withLock { tell(of: $0) } }
        await cleaning
    }

    /// Under the lock, so that of several updates the last one holds.
    private func tell(of served: Served) {
        guard served.isSynced else { return }
        let all = informers.withLock { $0 }
        func objects(_ index: Int) -> [KubernetesObject] {
            served.namespaces.keys.flatMap { all[index].store.list(namespace: $0).map(\.object) }
        }
        host.update(
            DaprResources(
                components: objects(0), subscriptions: objects(1), resiliencies: objects(2),
                configurations: objects(3)))
    }

    private func keepWithinRetention() async {
        while (try? await time.sleep(until: time.now.advanced(by: .seconds(3600)))) != nil {
            host.topics.enforceRetention()
        }
    }

    // MARK: - Pods

    /// Starts the pod's sidecar, if it is to have one and has none.
    /// - Returns: the variables by which the app finds it.
    func start(for pod: KubernetesObject, address: String) async throws -> [String: String] {
        guard var sidecar = SidecarPod(pod, address: address) else { return [:] }
        if let problem = SidecarPod.lackOfToken(pod) { throw ContainerEnvironment.Missing(message: problem) }
        sidecar.openPort = SidecarPod.publicPort
        sidecar.apiToken = try await token(SidecarPod.apiTokenSecret(pod), of: pod)
        sidecar.appToken = try await token(SidecarPod.appTokenSecret(pod), of: pod)
        served.withLock { if $0.add(pod) { tell(of: $0) } }
        var variables = ["DAPR_HTTP_PORT": String(try await host.start(sidecar)), "APP_PROTOCOL": "http"]
        variables["DAPR_API_TOKEN"] = sidecar.apiToken
        variables["APP_API_TOKEN"] = sidecar.appToken
        return variables
    }

    private func token(_ secret: String?, of pod: KubernetesObject) async throws -> String? {
        guard let secret else { return nil }
        let object = try await client.getIfPresent(.secrets, namespace: pod.namespace, name: secret)
        guard let object else { throw ContainerEnvironment.Missing(message: "secret \"\(secret)\" not found") }
        guard let token = ContainerLauncher.values(object.json["data"], isBase64: true)["token"] else {
            throw ContainerEnvironment.Missing(
                message: "couldn't find key token in Secret \(pod.namespace ?? "")/\(secret)")
        }
        return token
    }

    /// The pod is ending: others of its group take over its events, and its app may still publish.
    func drain(for pod: KubernetesObject) async { await host.drain(uid: pod.uid) }

    func stop(for pod: KubernetesObject) async {
        await host.stop(uid: pod.uid)
        served.withLock { $0.remove(pod) }
    }

    /// Ends all sidecars; returns when what they keep is on the disk.
    func close() async {
        do { try await host.close() } catch {
            logger.error("the topics were not closed", metadata: ["error": "\(error)"])
        }
    }
}

extension ResourceType {
    /// Component, Subscription, Resiliency, Configuration.
    static let daprKinds = [
        ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Component", plural: "components"),
        ResourceType(group: "dapr.io", version: "v2alpha1", kind: "Subscription", plural: "subscriptions"),
        ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Resiliency", plural: "resiliencies"),
        ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Configuration", plural: "configurations"),
    ]
}
