internal import StructuredData

extension TodoApp.Status {
    static var schema: SchemaBuilder {
        .object(
            "What the operator observed last.",
            [
                "observedGeneration": .integer("The generation of spec that this status speaks of.", format: "int64"),
                "version": .string(
                    "The version that runs: the tag of the image, once every pod runs it. Absent while there are no pods."
                ),
                "url": .string(
                    "Where people reach it: web.url or web.host; without them where the cluster reaches the HTTP API."),
                "services": .list(
                    "Each service and its pods.", key: "name",
                    of: .object(
                        "One service.", required: ["name", "desired", "updated", "ready"],
                        [
                            "name": .string("The name of the service."),
                            "desired": .integer("How many pods there should be."),
                            "updated": .integer("How many pods run the current template."),
                            "ready": .integer("How many pods take requests."),
                        ])),
                "conditions": .list(
                    """
                    Ready is always there. Reconciling and Stalled only while they are True. DatabaseReady, \
                    KafkaReady, DaprReady, ServicesReady and WorkersReady say which part is missing; so do \
                    AutoscalingReady, EdgeReady and MonitoringReady where the spec asks for such.
                    """, key: "type", of: Condition.schema),
            ])
    }
}

extension Condition {
    static var schema: SchemaBuilder {
        .object(
            "One aspect of the state.",
            required: ["type", "status", "reason", "message", "lastTransitionTime"],
            [
                "type": .string("What this condition is about.", length: 1...316),
                "status": .choice("Whether it holds.", Condition.Status.self),
                "observedGeneration": .integer(
                    "The generation of spec that this condition speaks of.", format: "int64"),
                "lastTransitionTime": .dateTime("When status last changed."),
                "reason": .string("Why, in one CamelCase word.", length: 1...1024),
                "message": .string("Why, and what to do about it.", length: 0...longestMessage),
            ])
    }
}
