internal import StructuredData

extension KafkaTopicBinding {
    /// The structural schema of `KafkaTopicBinding`, with the rules that span fields in CEL.
    static var schema: SchemaBuilder {
        .object(
            "KafkaTopicBinding says how large a topic of an installation is, who publishes to it and who gets its events.",
            required: ["spec"],
            [
                "apiVersion": .string("The API version of this object: todo-operator.dev/v1alpha1."),
                "kind": .string("The kind of this object: KafkaTopicBinding."),
                "metadata": .object("Standard object metadata.", [:]),
                "spec": Spec.schema,
                "status": Status.schema.unseen,
            ]
        ).rule(
            "size(self.metadata.name) <= 63", "metadata.name must have at most 63 characters, as it becomes a label")
    }
}

extension KafkaTopicBinding.Spec {
    static var schema: SchemaBuilder {
        .object(
            "What the topic is.", required: ["appRef", "topic", "partitions"],
            [
                "appRef": .object(
                    "The TodoApp, in the namespace of this object, whose topic it is.", required: ["name"],
                    ["name": .string("The name of the TodoApp.", length: 1...50)]
                ).rule("self == oldSelf", "appRef cannot be changed; delete this object and make another one"),
                "topic": .string(
                    """
                    The name of the topic. task-events, reminder-events, audit-events and dead-letters are there already: \
                    they get the size that is said here, and a service that subscribes to them keeps its own subscription \
                    unless it is named here.
                    """, form: .topic, length: 1...200
                ).rule("self == oldSelf", "topic cannot be changed; delete this object and make another one"),
                "partitions": .integer(
                    "How many parts it has: the most pods of a service that share the work. It can only grow.",
                    in: 1...10_000),
                "replicas": .integer(
                    "How many brokers hold each event; else 3, or as many as there are. It cannot be changed.",
                    in: 1...99),
                "retention": .string(
                    "How long events are kept, such as 7d, 12h, 30m; else what the broker does.",
                    form: .age, length: 2...7),
                "config": .map(
                    "More settings of the topic, as Kafka calls them, such as cleanup.policy.",
                    of: .string("A value.", length: 0...1024)),
                "publishers": .set(
                    "Services that may publish to it.", of: .choice("A service.", KafkaTopicBinding.TopicService.self),
                    count: 0...4),
                "subscribers": KafkaTopicBinding.Subscriber.schema,
                "deletionPolicy": .choice(
                    """
                    What becomes of the topic when this object is deleted. Retain: it stays, with its events. Delete: it goes. \
                    When the TodoApp is deleted, its deletionPolicy counts instead.
                    """, KafkaTopicBinding.DeletionPolicy.self
                ).defaulting(to: "Retain"),
                "adopt": .boolean(
                    "Whether a KafkaTopic that others made for this topic is taken over; else that is refused."
                ).defaulting(to: false),
            ]
        ).rule(
            "!has(self.config) || !('retention.ms' in self.config) || !has(self.retention)",
            "say the retention once: in retention or in config['retention.ms']")
    }
}

extension KafkaTopicBinding.Subscriber {
    static var schema: SchemaBuilder {
        .atomicList(
            """
            Who gets its events. Several of one service are asked in order; the one without match takes what is left, and \
            without one what is left is dropped.
            """,
            of: .object(
                "A service and where it is called.", required: ["service", "route"],
                [
                    "service": .choice("The service.", KafkaTopicBinding.TopicService.self),
                    "route": .string("The path.", form: .path, length: 1...256),
                    "match": .string(
                        #"CEL over event, such as event.type == "dev.todo-operator.task.completed"."#, length: 1...2000),
                    "deadLetter": .string(
                        "The topic of what the service cannot use; without it that is dropped.", form: .topic,
                        length: 1...200),
                    "bulk": .object(
                        "Events come in batches.",
                        [
                            "maxMessages": .integer("The most in one.", in: 1...10_000).defaulting(to: 100),
                            "maxAwaitMilliseconds": .integer("How long an event waits for others.", in: 1...60_000)
                                .defaulting(to: 100),
                        ]),
                ]), count: 0...64
        )
        .rule(
            "self.all(a, self.exists_one(b, b.service == a.service && has(b.match) == has(a.match) && (!has(a.match) || b.match == a.match)))",
            "a service may have one subscriber without match, and one for each match")
    }
}

extension KafkaTopicBinding.Status {
    static var schema: SchemaBuilder {
        .object(
            "What the operator observed last.",
            [
                "observedGeneration": .integer("The generation of spec that this status speaks of.", format: "int64"),
                "topicName": .string("The topic as it is called in the Kafka."),
                "resourceName": .string("The KafkaTopic that stands for it; absent where others run the Kafka."),
                "conditions": .list(
                    "Ready is always there. Reconciling and Stalled only while they are True.", key: "type",
                    of: Condition.schema),
            ])
    }
}
