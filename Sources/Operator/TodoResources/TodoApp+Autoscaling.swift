internal import StructuredData

extension TodoApp {
    /// How many pods a service has, by what it has to do. Its `replicas` are the least.
    public struct Autoscaling: Sendable, Equatable, Codable {
        public var maxReplicas: Int
        /// Of what the service's container requests.
        public var targetCPUUtilizationPercentage: Int?
        /// Events that wait in one topic, for each pod.
        public var kafkaLag: Int?
        /// Open WebSockets, for each pod.
        public var connectionsPerReplica: Int?

        /// Kubernetes itself scales by the processor's load alone.
        public var needsKEDA: Bool { kafkaLag != nil || connectionsPerReplica != nil }
    }

    /// The services whose number of pods is not the spec's to say.
    public var autoscaled: [ServiceName] { services.filter { self[service: $0].autoscaling != nil } }
}

extension TodoApp.Autoscaling {
    /// What a service can be measured by, besides the load of its processor.
    enum Measure: String, CaseIterable {
        case kafkaLag, connectionsPerReplica

        fileprivate var schema: SchemaBuilder {
            switch self {
            case .kafkaLag:
                .integer(
                    """
                    So many events may wait in a topic for each pod; with more there are more pods, though never more than \
                    the topic has partitions. Needs KEDA.
                    """, in: 1...1_000_000_000)
            case .connectionsPerReplica:
                .integer(
                    """
                    So many WebSockets may be open on average for each pod; with more there are more pods. A pod takes 12000, \
                    unless env says otherwise by MAX_CONNECTIONS: stay well below. Needs KEDA.
                    """, in: 1...1_000_000)
            }
        }
    }

    static func schema(_ measures: [Measure]) -> SchemaBuilder {
        let names = ["targetCPUUtilizationPercentage"] + measures.map(\.rawValue)
        let schema = SchemaBuilder.object(
            """
            Lets the load say how many pods there are, from replicas to maxReplicas. Where several are given, the one that \
            asks for most pods counts.
            """, required: ["maxReplicas"],
            [
                "maxReplicas": .integer("How many pods there are at the most.", in: 1...1000),
                "targetCPUUtilizationPercentage": .integer(
                    """
                    How busy the processors of the pods should be on average, in percent of what the service's container \
                    requests; over 100 where it may use more. Needs metrics-server.
                    """, in: 1...1000),
            ])
        return measures.reduce(schema) { $0.property($1.rawValue, $1.schema) }
            .rule(
                names.map { "has(self.\($0))" }.joined(separator: " || "),
                names.count == 1
                    ? "autoscaling needs \(names[0])" : "autoscaling needs one of \(names.joined(separator: ", "))")
    }
}

extension SchemaBuilder {
    /// What has to hold between the fields of a service that is scaled.
    var withAutoscalingRules: SchemaBuilder {
        rule(
            "!has(self.autoscaling) || (1 <= self.replicas && self.replicas <= self.autoscaling.maxReplicas)",
            "with autoscaling, replicas is the least number of pods: at least 1, and at most autoscaling.maxReplicas"
        ).rule(
            """
            !has(self.autoscaling) || !has(self.autoscaling.targetCPUUtilizationPercentage) || !has(self.resources) \
            || (has(self.resources.requests) && 'cpu' in self.resources.requests) \
            || (has(self.resources.limits) && 'cpu' in self.resources.limits)
            """,
            "autoscaling.targetCPUUtilizationPercentage is a share of resources.requests.cpu: set that too")
    }
}
