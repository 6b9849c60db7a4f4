internal import KubernetesSchema
internal import StructuredData
internal import TodoModel
internal import TodoResources

/// The topics of an app, its own and those of its bindings, and which service does what with them: a pure function, by
/// which the app's objects are made and each binding is judged.
struct TopicPlan {
    /// One topic. Names are without the prefix that they have in a Kafka that others use too.
    struct Topic: Equatable {
        let name: String
        /// Of its KafkaTopic.
        let resourceName: String
        var partitions: Int
        var replicas: Int
        var config: [String: String]
        var binding: String?
        /// Its binding is being deleted: the topic stays in the Kafka when its KafkaTopic goes.
        var isLeaving = false
    }

    /// What one service is brought of one topic.
    struct Subscription: Equatable {
        let name: String
        let service: TodoApp.ServiceName
        let topic: String
        var rules: [(match: String, path: String)] = []
        var path: String?
        var deadLetterTopic: String?
        var bulk: (maxMessages: Int, maxAwaitMilliseconds: Int)?

        static func == (left: Self, right: Self) -> Bool { left.name == right.name }
    }

    /// Why a binding is not as it says.
    struct Problem: Equatable {
        let reason: ConditionReason
        let message: String
    }

    /// A KafkaTopic as it is: what of it cannot be changed back.
    struct LiveTopic: Sendable, Equatable {
        let partitions: Int
        let replicas: Int
    }

    private(set) var topics: [Topic]
    private(set) var subscriptions: [Subscription]
    /// Who publishes to which topics.
    private(set) var publishers: [TodoApp.ServiceName: Set<String>]
    /// KafkaTopics of others that are taken over.
    private(set) var adopted: Set<String> = []
    /// By the binding's name.
    private(set) var problems: [String: Problem] = [:]
    /// False: there may be bindings that are not in it.
    var isComplete = true

    private let names: AppNames
    private let copies: Int
    private let live: [String: LiveTopic]

    /// - Parameters:
    ///   - bindings: those of this app, in any order.
    ///   - live: by the KafkaTopic's name.
    init(_ app: TodoApp, bindings: [KafkaTopicBinding] = [], live: [String: LiveTopic] = [:]) {
        names = AppNames(app)
        copies = min(3, app.managedKafka?.brokers.replicas ?? 3)
        self.live = live
        let (names, copies) = (names, copies)
        topics = EventFlow.topics.map { topic in
            Topic(
                name: topic, resourceName: names.kafkaTopic(topic), partitions: Self.partitions, replicas: copies,
                config: ["retention.ms": "\(Self.retention(of: topic))"])
        }
        subscriptions = EventFlow.deliveries.compactMap { delivery in
            TodoApp.ServiceName(rawValue: delivery.service).map { service in
                Subscription(
                    name: "\(names.service(service))-\(delivery.topic)", service: service, topic: delivery.topic,
                    path: delivery.path, deadLetterTopic: delivery.deadLetterTopic,
                    bulk: (delivery.maxMessages, delivery.maxAwaitMilliseconds))
            }
        }
        publishers =
            TodoApp.ServiceName(rawValue: EventFlow.publisher).map {
                [$0: Set(EventFlow.topics).subtracting([EventFlow.deadLetters])]
            } ?? [:]
        let inOrder = bindings.sorted { left, right in
            (left.metadata.creationTimestamp ?? "", left.metadata.name)
                < (right.metadata.creationTimestamp ?? "", right.metadata.name)
        }
        for binding in inOrder { size(binding) }
        for topic in topics.indices where topics[topic].binding == nil {
            guard let live = live[topics[topic].resourceName] else { continue }
            topics[topic].partitions = max(topics[topic].partitions, live.partitions)
            topics[topic].replicas = live.replicas
        }
        // A dead letter topic may be that of a later binding.
        for binding in inOrder where problems[binding.metadata.name]?.reason != .topicTaken { connect(binding) }
        for topic in topics.indices where topics[topic].config["min.insync.replicas"] == nil {
            topics[topic].config["min.insync.replicas"] = "\(max(1, topics[topic].replicas - 1))"
        }
    }

    /// Partitions bound how many pods of a service share the work; they can never become fewer.
    private static let partitions = 12
    private static let day = 86_400_000
    /// Long enough for a service to be away for a week, and for people to look at what it could not use.
    private static func retention(of topic: String) -> Int { (topic == EventFlow.deadLetters ? 30 : 7) * day }

    // MARK: - Bindings

    /// Adds the topic of a binding, or gives one that is there its size.
    private mutating func size(_ binding: KafkaTopicBinding) {
        let (name, spec) = (binding.metadata.name, binding.spec)
        let known = topics.firstIndex { $0.name == spec.topic }
        if let known, let owner = topics[known].binding {
            problems[name] = Problem(
                reason: .topicTaken,
                message: "topic \(spec.topic) belongs to the older KafkaTopicBinding \(owner); delete one of the two")
            return
        }
        if known == nil, let adopted = binding.adoptedResource { self.adopted.insert(adopted) }
        if binding.isBeingDeleted, known != nil || spec.deletionPolicy == .delete { return }
        var topic =
            known.map { topics[$0] }
            ?? Topic(
                name: spec.topic,
                resourceName: binding.adoptedResource ?? "\(names.app)-topic-\(binding.metadata.name)",
                partitions: spec.partitions, replicas: spec.replicas ?? copies, config: [:])
        topic.binding = name
        topic.isLeaving = binding.isBeingDeleted
        topic.partitions = spec.partitions
        topic.replicas = spec.replicas ?? topic.replicas
        topic.config.merge(spec.config ?? [:]) { $1 }
        if let retention = spec.retentionMilliseconds { topic.config["retention.ms"] = "\(retention)" }
        if let live = live[topic.resourceName] { keep(live, &topic, for: name) }
        if let known { topics[known] = topic } else { topics.append(topic) }
    }

    /// What Kafka cannot take back stays as it is.
    private mutating func keep(_ live: LiveTopic, _ topic: inout Topic, for binding: String) {
        if topic.replicas != live.replicas {
            problems[binding] = Problem(
                reason: .replicasChanged,
                message:
                    "topic \(topic.name) has \(live.replicas) replicas, which cannot be changed; set spec.replicas "
                    + "to \(live.replicas), or move the partitions with Cruise Control")
            topic.replicas = live.replicas
        }
        if topic.partitions < live.partitions {
            problems[binding] = Problem(
                reason: .fewerPartitions,
                message: "topic \(topic.name) has \(live.partitions) partitions, which cannot become fewer; set "
                    + "spec.partitions to \(live.partitions) or more")
            topic.partitions = live.partitions
        }
    }

    /// Lets the services of a binding publish and be brought events.
    private mutating func connect(_ binding: KafkaTopicBinding) {
        guard !binding.isBeingDeleted else { return }
        let (name, spec) = (binding.metadata.name, binding.spec)
        for publisher in spec.publishers ?? [] { publishers[publisher.name, default: []].insert(spec.topic) }
        let subscribers = spec.subscribers ?? []
        for subscriber in subscribers {
            if let problem = problem(of: subscriber) {
                problems[name] = problem
                return
            }
        }
        for service in KafkaTopicBinding.TopicService.allCases {
            let own = subscribers.filter { $0.service == service }
            guard let first = own.first else { continue }
            subscriptions.removeAll { $0.topic == spec.topic && $0.service == service.name }
            var subscription = Subscription(
                name: "\(names.service(service.name))-topic-\(name)", service: service.name, topic: spec.topic)
            subscription.rules = own.compactMap { one in one.match.map { ($0, one.route) } }
            subscription.path = own.first { $0.match == nil }?.route
            subscription.deadLetterTopic = own.lazy.compactMap(\.deadLetter).first
            subscription.bulk = first.bulk.map { ($0.maxMessages, $0.maxAwaitMilliseconds) }
            subscriptions.append(subscription)
        }
    }

    private func problem(of subscriber: KafkaTopicBinding.Subscriber) -> Problem? {
        if let topic = subscriber.deadLetter, !topics.contains(where: { $0.name == topic }) {
            return Problem(
                reason: .topicNotFound,
                message: "deadLetter \(topic) is no topic of this TodoApp; make a KafkaTopicBinding for it, or use "
                    + "\(EventFlow.deadLetters)")
        }
        guard let match = subscriber.match else { return nil }
        do {
            _ = try CELPredicate(match, variable: "event")
            return nil
        } catch {
            return Problem(reason: .invalidMatch, message: "match of \(subscriber.route): \(error)")
        }
    }
}

extension KafkaTopicBinding {
    var isBeingDeleted: Bool { metadata.deletionTimestamp != nil }

    /// The KafkaTopic of others that it took over.
    fileprivate var adoptedResource: String? { spec.adopt ? status?.resourceName : nil }
}

extension KafkaTopicBinding.TopicService {
    var name: TodoApp.ServiceName {
        switch self {
        case .api: .api
        case .audit: .audit
        case .notification: .notification
        case .realtime: .realtime
        }
    }
}

extension KafkaTopicBinding.Spec {
    /// Of `7d`; nil where it is not said.
    fileprivate var retentionMilliseconds: Int? {
        guard let retention, let unit = retention.last, let count = Int(retention.dropLast()) else { return nil }
        let seconds = [Character("d"): 86_400, "h": 3_600, "m": 60, "s": 1]
        return seconds[unit].map { count * $0 * 1000 }
    }
}
