internal import TodoModel
internal import TodoResources

/// What one service does with the topics: what it needs the right to, and no more.
struct EventAccess {
    struct Group {
        let name: String
        /// Its pods have groups of their own, whose names begin so.
        let isPrefix: Bool
    }

    let service: TodoApp.ServiceName
    /// Topics as they are called in the Kafka.
    let reads: [String]
    let writes: [String]
    /// Its consumer group; nil for one that takes no events.
    let group: Group?
    let subscriptions: [TopicPlan.Subscription]

    /// Nil for a service that has nothing to do with events.
    private init?(_ service: TodoApp.ServiceName, of app: TodoApp, _ plan: TopicPlan) {
        let prefix = app.topicPrefix
        subscriptions = plan.subscriptions.filter { $0.service == service }
        let topics = (plan.publishers[service] ?? []).union(subscriptions.compactMap(\.deadLetterTopic)).sorted()
        guard !topics.isEmpty || !subscriptions.isEmpty else { return nil }
        self.service = service
        reads = subscriptions.map { prefix + $0.topic }
        writes = topics.map { prefix + $0 }
        let name = prefix + AppNames(app).service(service)
        let isPrefix = EventFlow.broadcast.contains(service.rawValue)
        group = subscriptions.isEmpty ? nil : Group(name: isPrefix ? "\(name)-" : name, isPrefix: isPrefix)
    }

    static func all(of app: TodoApp, _ plan: TopicPlan) -> [EventAccess] {
        app.services.compactMap { EventAccess($0, of: app, plan) }
    }
}

extension TodoApp {
    /// What the names of topics and groups begin with: nothing in a Kafka of its own.
    var topicPrefix: String {
        guard let external = spec.kafka?.external else { return "" }
        return external.topicPrefix ?? "\(metadata.namespace).\(metadata.name)."
    }
}
