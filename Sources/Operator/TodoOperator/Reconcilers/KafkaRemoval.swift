internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import Logging
internal import StructuredData
internal import TodoResources

/// Takes the topics and users of an app away while there is a Kafka that can do it.
///
/// A KafkaTopic has a finalizer that only Strimzi's Topic Operator takes off, which goes with its Kafka (contracts,
/// section 5): deleted all at once, topics would be left that never go. Where they are to stay, it tells which.
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
        if app.spec?["deletionPolicy"]?.string == TodoApp.DeletionPolicy.retain.rawValue,
            await !context.isNamespaceGoing()
        {
            return try await leaveBehind()
        }
        let left = DesiredState.kafkaDependents.flatMap { type in context.belongings(type).map { (type, $0) } }
        guard !left.isEmpty else {
            _ = try await hand(to: DesiredState.ownerReference(toApp: app.name, uid: app.uid))
            return try await release()
        }
        for (type, child) in left where !child.isBeingDeleted { try await context.delete(child, type) }
        if await isHopeless() {
            for (type, child) in left { try await context.release(child, type, from: Self.topicFinalizer) }
        }
        return .requeue(after: Self.interval)
    }

    /// Tells what stays.
    private func leaveBehind() async throws -> ReconcileResult {
        let left = try await hand(to: nil)
        let text =
            "stays, as spec.deletionPolicy is Retain: \(left.joined(separator: "; ")); a TodoApp of this name takes it up "
            + "again, and kubectl delete removes it"
        context.record(.normal, reason: "Retained", action: "Delete", text)
        context.logger.info("\(text)")
        return try await release()
    }

    /// Makes all that may outlive the app the app's, so that Kubernetes removes it next, or nobody's, so that it stays; and
    /// names it. A pass has done so, but for a policy that was changed while no pass was made: the app was suspended, its
    /// spec invalid or the operator away. The keys of the audit log and what a person made are never the app's.
    private func hand(to owner: JSON?) async throws -> [String] {
        var all: [String] = []
        for type in DesiredState.keptTypes {
            let kept = context.belongings(type).filter { !$0.isBeingDeleted }
            for child in kept where (child.controller == nil) != (owner == nil) {
                _ = try await context.own(child.object, type, by: owner)
            }
            if !kept.isEmpty { all.append("\(type.kind) \(kept.map(\.key.name).joined(separator: ", "))") }
        }
        let names = AppNames(
            app: app.name, namespace: app.namespace ?? "", rotation: app.spec?["secretRotation"]?.string)
        var secrets: [String] = []
        for secret in GeneratedSecret.allCases {
            let key = ObjectKey(namespace: app.namespace, name: secret.name(in: names))
            guard let found = try await context.client.find(GeneratedSecret.type, key) else { continue }
            let isOurs =
                owner == nil
                ? found.controller?["uid"]?.string == app.uid
                : found.controller == nil && secret != .auditKeys && GeneratedSecret.isWatched(found)
                    && found.labels[Label.instance] == app.name
            if isOurs { _ = try await context.own(found, GeneratedSecret.type, by: owner) }
            secrets.append(key.name)
        }
        if !secrets.isEmpty { all.append("Secret \(secrets.joined(separator: ", "))") }
        return all
    }

    /// Topics that outlived their app may go with their namespace, and whoever would take their finalizers off as well.
    static func releaseLeftovers(_ context: ReconcileContext) async throws -> ReconcileResult {
        let type = DesiredState.kafkaTopicType
        let left = (context.store(type)?.list(namespace: context.key.namespace ?? "") ?? []).filter {
            $0.isBeingDeleted && $0.controller == nil && $0.object.labels[Label.instance] == context.key.name
                && $0.object.finalizers.contains(topicFinalizer)
        }
        guard !left.isEmpty, await context.isNamespaceGoing() else { return .done }
        for topic in left { try await context.release(topic, type, from: topicFinalizer) }
        return .done
    }

    private func release() async throws -> ReconcileResult {
        try await context.removeFinalizer(Self.finalizer)
        return .done
    }

    /// Whether nobody will take the finalizers off: there is no Kafka, it is going, or nothing has come of it for long.
    private func isHopeless() async -> Bool {
        let kafka = context.belongings(DesiredState.kafkaType)
        guard kafka.contains(where: { !$0.isBeingDeleted && StrimziStatus($0.object.json) == .ready }) else {
            return true
        }
        guard await !context.isNamespaceGoing() else { return true }
        guard let since = app.metadata["deletionTimestamp"]?.string.flatMap(KubernetesTime.init) else { return true }
        return since.duration(to: .now) > Self.patience
    }
}
