public import ControllerRuntime
public import KubernetesClient
internal import Logging
internal import StructuredData
internal import TodoResources

/// Judges a `KafkaTopicBinding`. What it asks for is made with the other objects of its app, so that one topic has one
/// owner; see `TopicPlan`.
public struct KafkaTopicBindingReconciler: Sendable {
    /// A topic that is to stay has to be let go by Strimzi before its KafkaTopic goes.
    static let finalizer = "\(TodoGroup.name)/topic"
    private static let retryInterval = Duration.seconds(10)

    private let shard: Shard
    private let now: @Sendable () -> KubernetesTime

    /// - Parameter now: the wall clock, for conditions.
    public init(shard: Shard = .whole, now: @escaping @Sendable () -> KubernetesTime = { .now }) {
        self.shard = shard
        self.now = now
    }

    /// One pass. What the user can mend ends up in conditions; what is thrown is tried again with a back-off.
    public func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let object = context.object, try await !shard.isOthers(object, context) else { return .done }
        let binding: KafkaTopicBinding
        do { binding = try KafkaTopicBinding(stored: object.json) } catch {
            return try await refuse(object, error, context)
        }
        let name = binding.spec.appRef.name
        let found = context.app(name)
        let isGoing = binding.isBeingDeleted ? await context.isNamespaceGoing() : false
        if case .unreadable = found, !isGoing {
            // A topic that is to stay may still be the app's.
            try await publish(
                .waiting(.appNotReady, "TodoApp \(name) cannot be read: see its conditions"), about: object, in: context
            )
            return .requeue(after: Self.retryInterval)
        }
        guard case .some(let app) = found, !app.isBeingDeleted else {
            if binding.isBeingDeleted { return try await release(context) }
            try await publish(
                .waiting(
                    .appNotFound, "there is no TodoApp \(name) in this namespace; create it, or name another one"),
                about: object, in: context)
            return .done
        }
        let plan = context.plan(of: app)
        let topic = plan.topics.first { $0.binding == binding.metadata.name }
        if binding.isBeingDeleted { return try await leave(topic, of: app, context) }
        let keepsTopic = binding.spec.deletionPolicy == .retain && app.managedKafka != nil
        if keepsTopic { try await context.addFinalizer(Self.finalizer) } else { try await release(context) }
        let observation = try await judge(binding, plan, topic, app, context)
        try await publish(observation, about: object, in: context)
        return observation.isReady ? .done : .requeue(after: Self.retryInterval)
    }

    private func judge(
        _ binding: KafkaTopicBinding, _ plan: TopicPlan, _ topic: TopicPlan.Topic?, _ app: TodoApp,
        _ context: ReconcileContext
    ) async throws -> BindingObservation {
        let name = app.topicPrefix + binding.spec.topic
        if let problem = plan.problems[binding.metadata.name] { return .refused(problem.reason, problem.message) }
        guard app.managedKafka != nil else {
            return .ready(
                .externalTopic,
                "the services use topic \(name); that it is there and how large it is is others' to see to",
                topic: name, resource: nil)
        }
        guard let topic else { return .waiting(.progressing, "the topic is being looked at") }
        let found = context.store(DesiredState.kafkaTopicType)?.get(
            namespace: context.key.namespace, name: topic.resourceName)
        guard let found else {
            return .waiting(
                .waitingForKafka,
                "KafkaTopic \(topic.resourceName) is made once the Kafka of TodoApp \(app.metadata.name) is")
        }
        switch StrimziStatus(found.json) {
        case .ready:
            return .ready(
                .topicReady, "topic \(name) has \(topic.partitions) partitions", topic: name,
                resource: topic.resourceName)
        case .pending(let words): return .waiting(.waitingForStrimzi, "KafkaTopic \(topic.resourceName): \(words)")
        case .failed(let words):
            guard let other = try await otherResource(of: topic, app, context) else {
                return .refused(.kafkaTopicNotReady, "KafkaTopic \(topic.resourceName): \(words)")
            }
            guard binding.spec.adopt else {
                return .refused(
                    .topicExists,
                    "KafkaTopic \(other) stands for this topic already; set spec.adopt to true to take it over")
            }
            return .adopting(other)
        }
    }

    /// The KafkaTopic that others made for the same topic.
    private func otherResource(
        of topic: TopicPlan.Topic, _ app: TodoApp, _ context: ReconcileContext
    ) async throws -> String? {
        let options = ListOptions(labelSelector: "strimzi.io/cluster=\(AppNames(app).kafka)")
        let all = try await context.client.list(
            DesiredState.kafkaTopicType, namespace: context.key.namespace, options: options)
        return all.items.first { other in
            other.name != topic.resourceName && (other.spec?["topicName"]?.string ?? other.name) == topic.name
        }?.name
    }

    // MARK: - Deletion

    /// What cannot be read says why. It does not go before it can be when its topic is to stay: that has to be said to
    /// Strimzi first.
    private func refuse(
        _ object: KubernetesObject, _ error: InvalidResource, _ context: ReconcileContext
    ) async throws -> ReconcileResult {
        guard object.isBeingDeleted else {
            try await publish(.refused(.invalidSpec, error.description), about: object, in: context)
            return .done
        }
        guard object.finalizers.contains(Self.finalizer), await !context.isNamespaceGoing() else {
            return try await release(context)
        }
        try await publish(
            .refused(
                .invalidSpec,
                "\(error); correct it, so that its topic can be kept, or remove the finalizer "
                    + "\(Self.finalizer) to give the topic up"), about: object, in: context)
        return .requeue(after: Self.retryInterval)
    }

    /// Waits until Strimzi no longer looks after the topic, where there is a Strimzi that does.
    private func leave(
        _ topic: TopicPlan.Topic?, of app: TodoApp, _ context: ReconcileContext
    ) async throws -> ReconcileResult {
        guard let topic, topic.isLeaving,
            let found = context.store(DesiredState.kafkaTopicType)?.get(
                namespace: context.key.namespace, name: topic.resourceName),
            !found.isBeingDeleted, !StrimziStatus.isUnmanaged(found.json), await !context.isNamespaceGoing()
        else { return try await release(context) }
        return .requeue(after: Self.retryInterval)
    }

    @discardableResult
    private func release(_ context: ReconcileContext) async throws -> ReconcileResult {
        try await context.removeFinalizer(Self.finalizer)
        return .done
    }

    // MARK: - Status

    private func publish(
        _ observation: BindingObservation, about object: KubernetesObject, in context: ReconcileContext
    ) async throws {
        let previous = try? object.status?.decode(KafkaTopicBinding.Status.self)
        let status = observation.status(after: previous, generation: object.generation, now: now().text)
        try await context.updateStatus(JSON(encoding: status))
        func ready(_ status: KafkaTopicBinding.Status?) -> Condition? {
            status?.conditions?.first { $0.type == ConditionType.ready.rawValue }
        }
        guard let after = ready(status), after.reason != ready(previous)?.reason else { return }
        let isExpected = if case .refused = observation { false } else { true }
        context.record(isExpected ? .normal : .warning, reason: after.reason, action: "Reconcile", after.message)
        context.logger.log(
            level: isExpected ? .info : .warning, "\(after.message)",
            metadata: ["ready": "\(after.status.rawValue)", "reason": "\(after.reason)"])
    }
}

/// What a reconcile found out about a binding.
enum BindingObservation: Sendable {
    /// It cannot be honoured as it is; what could be before goes on.
    case refused(ConditionReason, String)
    /// Something else has to be there first.
    case waiting(ConditionReason, String)
    /// The KafkaTopic of this name is being taken over.
    case adopting(String)
    case ready(ConditionReason, String, topic: String, resource: String?)

    var isReady: Bool { if case .ready = self { true } else { false } }

    /// - Parameter now: RFC 3339 with whole seconds.
    func status(
        after previous: KafkaTopicBinding.Status?, generation: Int, now: String
    ) -> KafkaTopicBinding.Status {
        var status = previous ?? KafkaTopicBinding.Status()
        var conditions = ConditionSet(previous: previous?.conditions ?? [], generation: generation, now: now)
        status.observedGeneration = generation
        switch self {
        case .refused(let reason, let message): conditions.stall(reason, message)
        case .waiting(let reason, let message): conditions.wait(reason, message)
        case .adopting(let resource):
            status.resourceName = resource
            conditions.wait(.progressing, "KafkaTopic \(resource) is being taken over")
        case .ready(let reason, let message, let topic, let resource):
            status.topicName = topic
            status.resourceName = resource
            conditions.settle(reason, message)
        }
        status.conditions = conditions.all
        return status
    }
}

extension ReconcileContext {
    /// By all KafkaTopicBindings of the app, or as many as are known and can be read.
    func plan(of app: TodoApp) -> TopicPlan {
        let objects = (store(TodoGroup.kafkaTopicBinding)?.list(namespace: app.metadata.namespace) ?? [])
            .map(\.object.json).filter { $0.at("spec", "appRef", "name")?.string == app.metadata.name }
        let bindings = objects.compactMap { try? KafkaTopicBinding(stored: $0) }
        var plan = TopicPlan(app, bindings: bindings, live: liveTopics(of: app))
        plan.isComplete = knows(TodoGroup.kafkaTopicBinding) && bindings.count == objects.count
        return plan
    }

    /// The KafkaTopics of the app as they are, by name.
    private func liveTopics(of app: TodoApp) -> [String: TopicPlan.LiveTopic] {
        let topics = store(DesiredState.kafkaTopicType)?.list(belongingTo: app.metadata.uid ?? "") ?? []
        return topics.reduce(into: [:]) { live, stored in
            guard let spec = stored.object.spec, let partitions = spec["partitions"]?.int,
                let replicas = spec["replicas"]?.int
            else { return }
            live[stored.key.name] = TopicPlan.LiveTopic(partitions: partitions, replicas: replicas)
        }
    }
}

extension Predicate {
    /// Of a KafkaTopicBinding: it names the KafkaTopic that it takes over.
    static let adopted = Predicate { change in
        change.old?.object.json.at("status", "resourceName") != change.new?.object.json.at("status", "resourceName")
    }
}
