/// One topic of an installation: how large it is, who publishes to it, and who is brought its events where.
public struct KafkaTopicBinding: Sendable, Equatable, Codable {
    public var metadata: ResourceMetadata
    public var spec: Spec
    public var status: Status?

    public init(metadata: ResourceMetadata, spec: Spec, status: Status? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    /// What the user declares. Decoded from an object whose defaults are filled in (`KafkaTopicBinding.init(validating:)`).
    public struct Spec: Sendable, Equatable, Codable {
        public var appRef: ReminderSchedule.AppReference
        public var topic: String
        public var partitions: Int
        public var replicas: Int?
        /// A duration such as `7d`.
        public var retention: String?
        public var config: [String: String]?
        public var publishers: [TopicService]?
        public var subscribers: [Subscriber]?
        public var deletionPolicy: DeletionPolicy
        public var adopt: Bool
    }

    /// The services that have a sidecar.
    public enum TopicService: String, Sendable, Codable, CaseIterable {
        case api, audit, notification, realtime
    }

    public struct Subscriber: Sendable, Equatable, Codable {
        public var service: TopicService
        /// Where the service is called.
        public var route: String
        /// CEL over `event`; nil takes what no other of the service takes.
        public var match: String?
        /// The topic of what the service cannot use.
        public var deadLetter: String?
        public var bulk: Bulk?
    }

    public struct Bulk: Sendable, Equatable, Codable {
        public var maxMessages: Int
        public var maxAwaitMilliseconds: Int
    }

    public enum DeletionPolicy: String, Sendable, Codable, CaseIterable {
        case retain = "Retain"
        case delete = "Delete"
    }

    /// What the operator observed.
    public struct Status: Sendable, Equatable, Codable {
        public var observedGeneration: Int?
        /// The topic as it is called in the Kafka.
        public var topicName: String?
        /// The KafkaTopic that stands for it.
        public var resourceName: String?
        public var conditions: [Condition]?

        public init() {}
    }
}
