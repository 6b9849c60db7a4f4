internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Takes the topics and users of an app away while there is a Kafka that can do it.
///
/// A KafkaTopic has a finalizer that only Strimzi's Topic Operator takes off, which goes with its Kafka (contracts,
/// section 5): deleted all at once, topics would be left that never go.
struct KafkaRemoval {
    static let finalizer = "\(TodoGroup.name)/kafka"
    private static let topicFinalizer = "strimzi.io/topic-operator"
    /// How long the Topic Operator may take before it is given up. The topics go with the Kafka in any case.
    private static let patience = Duration.seconds(60)
    private static let interval = Duration.seconds(5)

    let app: KubernetesObject
    let context: ReconcileContext

    /// One step; done once nothing is left that Strimzi has to take away.
    func step() async throws -> ReconcileResult {
        guard app.finalizers.contains(Self.finalizer) else { return .done }
        // `--cascade=orphan`: what was made stays.
        guard !app.finalizers.contains("orphan") else { return try await release() }
        let left = DesiredState.kafkaDependents.flatMap { type in context.children(type).map { (type, $0) } }
        guard !left.isEmpty else { return try await release() }
        for (type, child) in left where !child.isBeingDeleted { try await context.delete(child, type) }
        if await isHopeless() {
            for (type, child) in left { try await context.release(child, type, from: Self.topicFinalizer) }
        }
        return .requeue(after: Self.interval)
    }

    private func release() async throws -> ReconcileResult {
        try await context.removeFinalizer(Self.finalizer)
        return .done
    }

    /// Whether nobody will take the finalizers off: there is no Kafka, it is going, or nothing has come of it for long.
    private func isHopeless() async -> Bool {
        let kafka = context.children(DesiredState.kafkaType)
        guard kafka.contains(where: { !$0.isBeingDeleted && StrimziStatus($0.object.json) == .ready }) else {
            return true
        }
        guard await !context.isNamespaceGoing() else { return true }
        guard let since = app.metadata["deletionTimestamp"]?.string.flatMap(KubernetesTime.init) else { return true }
        return since.duration(to: .now) > Self.patience
    }
}
