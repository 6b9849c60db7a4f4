internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// What Strimzi's operators say and do of a healthy Kafka (contracts, section 5), where the topic log plays the Kafka:
/// statuses, the Secrets of the cluster's CA and of users, and the finalizer of topics.
struct StrimziStandIn: Sendable {
    private static let cluster = "strimzi.io/cluster"
    private static let topicFinalizer = "strimzi.io/topic-operator"
    private static let manager = "strimzi-cluster-operator"
    private static let maker = "app.kubernetes.io/managed-by"

    let access: ClusterAccess
    /// Stands for the CA of every Kafka: nobody connects.
    let authorityPEM: String

    func install() async throws {
        for definition in StrimziDefinitions.all {
            _ = try await access.client.apply(
                KubernetesObject(definition), .customResourceDefinitions, fieldManager: Self.manager)
        }
    }

    func register(with manager: Manager) {
        let kafkas = manager.informer(.kafkas)
        let pools = manager.informer(.kafkaNodePools)
        let secrets = manager.informer(.secrets, .init(labelSelector: "\(Self.maker)=\(Self.manager)"))
        // Whatever changes of a Kafka concerns all that names it.
        func named(in store: Store) -> @Sendable (StoreChange) -> [ObjectKey] {
            { change in
                guard let kafka = change.latest?.key else { return [] }
                return store.list(namespace: kafka.namespace ?? "").filter {
                    $0.object.labels[Self.cluster] == kafka.name
                }.map(\.key)
            }
        }
        manager.controller("strimzi-kafka", for: kafkas) { try await reconcileKafka($0, pools.store) }
            .watches(pools) { change in
                guard let pool = change.latest, let name = pool.object.labels[Self.cluster] else { return [] }
                return [ObjectKey(namespace: pool.key.namespace, name: name)]
            }
            .owns(secrets)
        manager.controller("strimzi-pool", for: pools) { try await reconcilePool($0, kafkas.store) }
            .watches(kafkas, map: named(in: pools.store))
        let users = manager.informer(.kafkaUsers)
        manager.controller("strimzi-user", for: users) { try await reconcileUser($0, kafkas.store) }
            .watches(kafkas, map: named(in: users.store))
            .owns(secrets)
        let topics = manager.informer(.kafkaTopics)
        manager.controller("strimzi-topic", for: topics) { try await reconcileTopic($0, kafkas.store) }
            .watches(kafkas, map: named(in: topics.store))
    }

    // MARK: - Kafka

    private func reconcileKafka(_ context: ReconcileContext, _ pools: Store) async throws -> ReconcileResult {
        guard let kafka = context.object, !kafka.isBeingDeleted else { return .done }
        let roles = Set(
            pools.list(namespace: kafka.namespace ?? "").filter { $0.object.labels[Self.cluster] == kafka.name }
                .flatMap { $0.object.spec?["roles"]?.array?.compactMap(\.string) ?? [] })
        guard roles.isSuperset(of: ["broker", "controller"]) else {
            try await publish(
                [:], .kafkas, context,
                condition: ("NotReady", "InvalidResourceException", "No KafkaNodePools with both roles were found"))
            return .done
        }
        let ca = Data(authorityPEM.utf8).base64EncodedString()
        guard try await make("\(kafka.name)-cluster-ca-cert", ["ca.crt": .string(ca)], for: kafka) else { return .done }
        let listeners = (kafka.json.at("spec", "kafka", "listeners")?.array ?? []).map { listener -> JSON in
            let host = "\(kafka.name)-kafka-bootstrap.\(kafka.namespace ?? "default").svc"
            let port = listener["port"]?.int ?? 9093
            return [
                "addresses": [["host": .string(host), "port": JSON(port)]],
                "bootstrapServers": .string("\(host):\(port)"), "name": listener["name"] ?? "",
            ]
        }
        try await publish(
            [
                "clusterId": .string(clusterID(kafka)), "kafkaVersion": kafka.json.at("spec", "kafka", "version") ?? "",
                "listeners": .array(listeners),
            ], .kafkas, context)
        return .done
    }

    private func clusterID(_ kafka: KubernetesObject) -> String {
        String(Data(kafka.uid.utf8).base64EncodedString().prefix(22))
    }

    /// A node pool has no conditions.
    private func reconcilePool(_ context: ReconcileContext, _ kafkas: Store) async throws -> ReconcileResult {
        guard let pool = context.object, !pool.isBeingDeleted, let kafka = kafka(of: pool, kafkas) else { return .done }
        let replicas = pool.spec?["replicas"]?.int ?? 0
        let first = pool.spec?["roles"]?.array?.contains("broker") == true ? 0 : 100
        try await context.updateStatus(
            .kafkaNodePools,
            to: [
                "clusterId": .string(clusterID(kafka)), "nodeIds": .array((first..<first + replicas).map { JSON($0) }),
                "observedGeneration": JSON(pool.generation), "replicas": JSON(replicas),
                "roles": pool.spec?["roles"] ?? [],
            ], through: access.client, by: Self.manager)
        return .done
    }

    // MARK: - Users and topics

    private func reconcileUser(_ context: ReconcileContext, _ kafkas: Store) async throws -> ReconcileResult {
        guard let user = context.object, !user.isBeingDeleted, kafka(of: user, kafkas) != nil else { return .done }
        var generator = SystemRandomNumberGenerator()
        let password = String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
        let login =
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"\(user.name)\" "
            + "password=\"\(password)\";"
        let content: JSON = [
            "password": .string(Data(password.utf8).base64EncodedString()),
            "sasl.jaas.config": .string(Data(login.utf8).base64EncodedString()),
        ]
        guard try await make(user.name, content, for: user) else { return .done }
        try await publish(
            ["secret": .string(user.name), "username": .string(user.name)], .kafkaUsers, context)
        return .done
    }

    private func reconcileTopic(_ context: ReconcileContext, _ kafkas: Store) async throws -> ReconcileResult {
        // Its operator goes with its Kafka.
        guard let topic = context.object, kafka(of: topic, kafkas) != nil else { return .done }
        guard !topic.isBeingDeleted else {
            try await context.removeFinalizer(Self.topicFinalizer)
            return .done
        }
        try await context.addFinalizer(Self.topicFinalizer)
        let name = topic.spec?["topicName"]?.string ?? topic.name
        guard topic.annotations["strimzi.io/managed"] != "false" else {
            try await publish(
                ["topicName": .string(name)], .kafkaTopics, context, condition: ("Unmanaged", "", ""))
            return .done
        }
        let previous = topic.status?["topicName"]?.string
        guard previous == nil || previous == name else {
            try await publish(
                ["topicName": .string(previous ?? "")], .kafkaTopics, context,
                condition: ("Ready", "NotSupported", "Changing spec.topicName is not supported"))
            return .done
        }
        try await publish(["topicName": .string(name)], .kafkaTopics, context)
        return .done
    }

    // MARK: - What they share

    private func kafka(of object: KubernetesObject, _ kafkas: Store) -> KubernetesObject? {
        guard let name = object.labels[Self.cluster], let namespace = object.namespace else { return nil }
        return kafkas.get(namespace: namespace, name: name).flatMap { $0.isBeingDeleted ? nil : $0 }
    }

    /// Makes a Secret that goes with its owner, unless there is one of that name. False while that is one of an owner that
    /// is gone: it goes too, which brings the next pass.
    private func make(_ name: String, _ data: JSON, for owner: KubernetesObject) async throws -> Bool {
        if let present = try await access.client.getIfPresent(.secrets, namespace: owner.namespace, name: name) {
            guard let former = present.controller, former["kind"]?.string == owner.kind else { return true }
            return former["uid"]?.string == owner.uid
        }
        _ = try await access.client.create(
            KubernetesObject([
                "data": data,
                "metadata": [
                    "labels": [Self.maker: .string(Self.manager)], "name": .string(name),
                    "ownerReferences": [owner.controllerReference],
                ],
                "type": "Opaque",
            ]), .secrets, namespace: owner.namespace, options: WriteOptions(fieldManager: Self.manager))
        return true
    }

    /// - Parameter condition: type, reason and message of what is wrong; nil when it is ready.
    private func publish(
        _ members: JSON, _ type: ResourceType, _ context: ReconcileContext,
        condition: (type: String, reason: String, message: String)? = nil
    ) async throws {
        guard let object = context.object else { return }
        var new: JSON = [
            "lastTransitionTime": .string(access.time.wallClock.text), "status": "True", "type": "Ready",
        ]
        if let condition {
            new["type"] = .string(condition.type)
            new["status"] = condition.type == "Ready" ? "False" : "True"
            new["reason"] = condition.reason.isEmpty ? Optional.none : .string(condition.reason)
            new["message"] = condition.message.isEmpty ? Optional.none : .string(condition.message)
        }
        if let old = object.status?["conditions"]?[0],
            ["type", "status", "reason"].allSatisfy({ old[$0] == new[$0] })
        {
            new["lastTransitionTime"] = old["lastTransitionTime"]
        }
        var status = members
        status["conditions"] = [new]
        status["observedGeneration"] = JSON(object.generation)
        try await context.updateStatus(type, to: status, through: access.client, by: Self.manager)
    }
}

/// The kinds of Strimzi that the stand-in honours, as CustomResourceDefinitions. What is in them is for Strimzi to judge.
enum StrimziDefinitions {
    static var all: [JSON] {
        [ResourceType.kafkas, .kafkaNodePools, .kafkaUsers, .kafkaTopics].map { type in
            let open: JSON = ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
            return [
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": [
                    "name": .string("\(type.plural).\(type.group)"), "labels": ["app": "strimzi"],
                ],
                "spec": [
                    "group": .string(type.group), "scope": "Namespaced",
                    "names": [
                        "kind": .string(type.kind), "listKind": .string("\(type.kind)List"),
                        "plural": .string(type.plural), "singular": .string(type.kind.lowercased()),
                        "categories": ["strimzi"],
                    ],
                    "versions": [
                        [
                            "name": .string(type.version), "served": true, "storage": true,
                            "schema": [
                                "openAPIV3Schema": [
                                    "type": "object", "required": ["spec"],
                                    "properties": ["spec": open, "status": open],
                                ]
                            ],
                            "additionalPrinterColumns": [
                                [
                                    "jsonPath": #".status.conditions[?(@.type=="Ready")].status"#, "name": "Ready",
                                    "type": "string",
                                ]
                            ],
                            "subresources": ["status": [:]],
                        ]
                    ],
                ],
            ]
        }
    }
}

extension ResourceType {
    static let kafkas = strimzi("Kafka", "kafkas")
    static let kafkaNodePools = strimzi("KafkaNodePool", "kafkanodepools")
    static let kafkaUsers = strimzi("KafkaUser", "kafkausers")
    static let kafkaTopics = strimzi("KafkaTopic", "kafkatopics")

    private static func strimzi(_ kind: String, _ plural: String) -> ResourceType {
        ResourceType(group: "kafka.strimzi.io", version: "v1", kind: kind, plural: plural)
    }
}
