internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoModel
internal import TodoResources

/// The Kafka of an app, as one pass finds it.
struct KafkaState {
    var area: AppObservation.Area
    /// Where it is reached; nil until that is known, and then no sidecar could start.
    var bootstrapServers: [String]?
    /// What the sidecars read from Secrets: they have to be started anew when it changes.
    var secrets: SecretContent = [:]
}

/// Brings the Kafka of an app to what its spec says, and finds out how far it is.
struct KafkaPass {
    let app: TodoApp
    let plan: TopicPlan
    let context: ReconcileContext

    /// The Secrets that the sidecars reach it with.
    var secrets: [RequiredSecret] {
        guard app.managedKafka != nil else { return RequiredSecret.kafkaLogin(of: app) }
        let names = AppNames(app)
        func made(_ secret: String, _ key: String, by kind: String, _ name: String) -> RequiredSecret {
            RequiredSecret(
                secret, keys: [key], field: "its \(kind)", of: app,
                maker: "Strimzi makes it: see kubectl describe \(kind.lowercased()) \(name)")
        }
        let users = EventAccess.all(of: app, plan).map { names.service($0.service) }
        return users.map { made($0, "password", by: "KafkaUser", $0) }
            + [made("\(names.kafka)-cluster-ca-cert", "ca.crt", by: "Kafka", names.kafka)]
    }

    func run(_ children: inout ChildWriter) async throws -> KafkaState {
        guard let objects = KafkaObjects(app, plan) else { return try await external() }
        if let problem = absence {
            return KafkaState(area: .notReady(.strimziNotInstalled, problem))
        }
        // Strimzi takes its time over deleting: see `KafkaRemoval`.
        try await context.addFinalizer(KafkaRemoval.finalizer)
        try await children.apply(objects.all, adopting: plan.adopted)
        let kafka = find(DesiredState.kafkaType, AppNames(app).kafka)
        var state = KafkaState(area: judge(kafka), bootstrapServers: Self.bootstrapServers(kafka))
        guard state.bootstrapServers != nil else { return state }
        do { state.secrets = try await read() } catch let problem as RequiredSecret.Problem {
            if case .ready = state.area { state.area = .notReady(.kafkaNotReady, problem.message) }
            // Sidecars that run go on; those that are new would not find their login.
            state.bootstrapServers = nil
        }
        return state
    }

    private func external() async throws -> KafkaState {
        let servers = app.spec.kafka?.external?.bootstrapServers ?? []
        do {
            return KafkaState(
                area: .ready(
                    .externalKafka,
                    "the services use \(servers.joined(separator: ", ")); its topics are others' to keep" + former),
                bootstrapServers: servers, secrets: try await read())
        } catch let problem as RequiredSecret.Problem {
            return KafkaState(area: .notReady(problem.reason, problem.message))
        }
    }

    /// What becomes of the app's own Kafka, as long as it is there.
    private var former: String {
        let names = context.belongings(DesiredState.kafkaType).map(\.key.name).joined(separator: ", ")
        guard !names.isEmpty else { return "" }
        return app.spec.deletionPolicy == .retain
            ? "; Kafka \(names) stays with its topics, as spec.deletionPolicy is Retain"
            : "; Kafka \(names) goes once every service is rolled out"
    }

    private func read() async throws -> SecretContent {
        var content: SecretContent = [:]
        for secret in secrets { content.merge(try await secret.read(in: context)) { $1 } }
        return content
    }

    private var absence: String? {
        context.absence(
            of: DesiredState.kafkaTypes,
            remedy: "install Strimzi 1.0 or later (https://strimzi.io/quickstarts), or use spec.kafka.external")
    }

    // MARK: - What Strimzi says

    /// The first thing that is not ready, in the order in which they come to be.
    private func judge(_ kafka: JSON?) -> AppObservation.Area {
        let parts =
            [("Kafka", kafka, ConditionReason.kafkaNotReady)]
            + children(DesiredState.kafkaUserType).map { ("KafkaUser", $0, .kafkaUserNotReady) }
            + children(DesiredState.kafkaTopicType).filter(isBuiltIn).map { ("KafkaTopic", $0, .kafkaTopicNotReady) }
        for (kind, object, reason) in parts {
            let name = object?.at("metadata", "name")?.string ?? AppNames(app).kafka
            switch StrimziStatus(object) {
            case .ready: continue
            case .pending(let words): return .notReady(.waitingForStrimzi, "\(kind) \(name): \(words)")
            case .failed(let words): return .notReady(reason, "\(kind) \(name): \(words)")
            }
        }
        let version = kafka?.at("status", "kafkaVersion")?.string.map { " \($0)" } ?? ""
        return .ready(.kafkaRunning, "Kafka\(version) runs, with its topics and users")
    }

    /// The others are their bindings' to tell about.
    private func isBuiltIn(_ topic: JSON?) -> Bool {
        EventFlow.topics.contains { topic?.at("metadata", "name")?.string == AppNames(app).kafkaTopic($0) }
    }

    private func find(_ type: ResourceType, _ name: String) -> JSON? {
        context.store(type)?.get(namespace: app.metadata.namespace, name: name)?.json
    }

    private func children(_ type: ResourceType) -> [JSON?] { context.belongings(type).map { $0.object.json } }

    /// It stays known while the Kafka is being changed.
    private static func bootstrapServers(_ kafka: JSON?) -> [String]? {
        let listener = kafka?.at("status", "listeners")?.array?.first { $0["name"] == "scram" }
        guard let servers = listener?["bootstrapServers"]?.string, !servers.isEmpty else { return nil }
        return servers.split(separator: ",").map(String.init)
    }
}

extension ReconcileContext {
    /// Why objects of these types cannot be made in this cluster; nil when they can.
    func absence(of types: [ResourceType], remedy: String) -> String? {
        for type in types {
            switch status(of: type) {
            case .absent:
                let others = otherVersions(of: type)
                guard others.isEmpty else {
                    return "the cluster has \(type.kind) of \(type.group) only in version "
                        + "\(others.joined(separator: " and ")), and \(type.version) is needed; \(remedy)"
                }
                return "the cluster does not have \(type.apiVersion) \(type.kind); \(remedy)"
            case .forbidden(let why):
                return "the operator may not see \(type.apiVersion) \(type.kind) (\(why)); give its role the right to"
            case .starting, .synced, .failing, nil: continue
            }
        }
        return nil
    }
}
