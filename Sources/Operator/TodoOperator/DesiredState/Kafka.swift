internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// The objects by which Strimzi makes an installation its own Kafka (`kafka.strimzi.io/v1`; contracts, section 5).
struct KafkaObjects {
    let app: TodoApp
    let spec: TodoApp.ManagedKafka
    let names: AppNames
    private let plan: TopicPlan

    /// Nil where others run the Kafka.
    init?(_ app: TodoApp, _ plan: TopicPlan) {
        guard let spec = app.managedKafka else { return nil }
        self.plan = plan
        self.app = app
        self.spec = spec
        names = AppNames(app)
    }

    /// In the order in which they are applied.
    var all: [JSON] {
        [
            pool("controller", spec.controllers, roles: ["controller"]),
            pool("broker", spec.brokers, roles: ["broker"]), kafka,
        ] + topics + EventAccess.all(of: app, plan).map(user)
    }

    /// TLS and SCRAM-SHA-512 inside of the cluster, and nobody may do what no KafkaUser says.
    private var kafka: JSON {
        let copies = copies
        var kafka: JSON = [
            "authorization": ["type": "simple"],
            "config": [
                // A topic that is misspelt is an error and not a new topic.
                "auto.create.topics.enable": false,
                "default.replication.factor": JSON(copies),
                "min.insync.replicas": JSON(inSync),
                "offsets.topic.replication.factor": JSON(copies),
                "transaction.state.log.min.isr": JSON(inSync),
                "transaction.state.log.replication.factor": JSON(copies),
            ],
            "listeners": [
                [
                    "authentication": ["type": "scram-sha-512"], "name": "scram", "port": JSON(Self.port), "tls": true,
                    "type": "internal",
                ]
            ],
            "version": .string(spec.version),
        ]
        if let key = spec.rackTopologyKey { kafka["rack"] = ["topologyKey": .string(key)] }
        var cluster: JSON = ["entityOperator": ["topicOperator": [:], "userOperator": [:]]]
        if spec.metrics == .enabled {
            kafka["metricsConfig"] = ["type": "strimziMetricsReporter"]
            cluster["kafkaExporter"] = [:]
        }
        cluster["kafka"] = kafka
        return object("Kafka", names.kafka, cluster, ofCluster: false)
    }

    static let port = 9093

    private func pool(_ name: String, _ nodes: TodoApp.KafkaNodes, roles: JSON) -> JSON {
        var volume: JSON = [
            // A Kafka that is made anew cannot use the volumes of another one.
            "deleteClaim": JSON(app.spec.deletionPolicy == .delete), "id": 0, "kraftMetadata": "shared",
            "size": nodes.storage.size.json,
            "type": "persistent-claim",
        ]
        volume["class"] = nodes.storage.className.map(JSON.string)
        var spec: JSON = [
            "replicas": JSON(nodes.replicas), "roles": roles, "storage": ["type": "jbod", "volumes": [volume]],
        ]
        spec["resources"] = nodes.resources.map(\.json)
        return object("KafkaNodePool", "\(names.kafka)-\(name)", spec)
    }

    // MARK: - Topics and users

    private var topics: [JSON] {
        plan.topics.map { topic in
            var object = object(
                "KafkaTopic", topic.resourceName,
                [
                    "config": JSON(topic.config), "partitions": JSON(topic.partitions),
                    "replicas": JSON(topic.replicas), "topicName": .string(topic.name),
                ])
            if let binding = topic.binding {
                object.set(.string(binding), at: "metadata", "labels", Label.binding)
            }
            if topic.isLeaving { object.set("false", at: "metadata", "annotations", "strimzi.io/managed") }
            return object
        }
    }

    private func user(_ access: EventAccess) -> JSON {
        let topics =
            access.reads.map { ($0, ["Describe", "Read"] as JSON) }
            + access.writes.map { ($0, ["Describe", "Write"] as JSON) }
        var rules = topics.map { topic, operations -> JSON in
            [
                "operations": operations,
                "resource": ["name": .string(topic), "patternType": "literal", "type": "topic"],
            ]
        }
        if let group = access.group {
            rules.append([
                "operations": ["Read"],
                "resource": [
                    "name": .string(group.name), "patternType": group.isPrefix ? "prefix" : "literal", "type": "group",
                ],
            ])
        }
        return object(
            "KafkaUser", names.service(access.service),
            [
                "authentication": ["type": "scram-sha-512"],
                "authorization": ["acls": .array(rules), "type": "simple"],
            ])
    }

    /// How many brokers hold each event.
    private var copies: Int { min(3, spec.brokers.replicas) }
    /// How many of them must have it before it counts as published: one may be lost.
    private var inSync: Int { max(1, copies - 1) }

    private func object(_ kind: String, _ name: String, _ spec: JSON, ofCluster: Bool = true) -> JSON {
        let isKept = DesiredState.keptTypes.contains { $0.kind == kind }
        var metadata =
            isKept
            ? DesiredState.keptMetadata(of: app, name: name, component: "kafka")
            : DesiredState.metadata(of: app, name: name, component: "kafka")
        // Without it Strimzi passes over the object, and says nothing.
        if ofCluster { metadata.set(.string(names.kafka), at: "labels", "strimzi.io/cluster") }
        return [
            "apiVersion": "kafka.strimzi.io/v1", "kind": .string(kind), "metadata": metadata, "spec": spec,
        ]
    }
}

extension TodoApp {
    /// What Strimzi is to make; nil where others run the Kafka.
    var managedKafka: ManagedKafka? {
        if let kafka = spec.kafka { return kafka.managed }
        return .standard
    }
}
