internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Keeps the targets of HorizontalPodAutoscalers within their bounds, as `AutoscalerRules` say.
struct AutoscalerController: Sendable {
    /// How often a target is looked at, as in Kubernetes.
    private static let period: Duration = .seconds(15)

    let access: ClusterAccess
    let registry: ResourceRegistry
    let events: EventRecorder

    func register(with manager: Manager) {
        let autoscalers = manager.informer(.autoscalers)
        manager.controller("horizontalpodautoscaler", for: autoscalers) { try await reconcile($0) }
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let autoscaler = context.object, !autoscaler.isBeingDeleted else { return .done }
        let rules = AutoscalerRules(autoscaler: autoscaler, now: access.time.wallClock)
        let (status, note) = await report(rules)
        if let note { record(.warning, note.reason, note.text, about: autoscaler) }
        try await access.client.updateStatus(
            of: autoscaler, .autoscalers, to: status, by: ClusterAccess.controllerManager)
        return .requeue(after: Self.period)
    }

    /// Brings the target within the bounds.
    private func report(_ rules: AutoscalerRules) async -> AutoscalerRules.Report {
        let autoscaler = rules.autoscaler
        let reference = autoscaler.spec?["scaleTargetRef"] ?? [:]
        let (kind, name) = (reference["kind"]?.string ?? "", reference["name"]?.string ?? "")
        guard let type = type(kind, reference["apiVersion"]?.string ?? "") else {
            return rules.report(
                failure: "no matches for kind \"\(kind)\" in version \"\(reference["apiVersion"]?.string ?? "")\"",
                reason: "FailedGetScale")
        }
        let scale: JSON
        do throws(APIError) {
            scale = try await access.client.get(type, namespace: autoscaler.namespace, name: name, subresource: "scale")
                .json
        } catch { return rules.report(failure: error.text, reason: "FailedGetScale") }
        let current = scale.at("spec", "replicas")?.int ?? 0
        if let rescale = rules.rescale(current: current) {
            do throws(APIError) {
                _ = try await access.client.patch(
                    type, namespace: autoscaler.namespace, name: name,
                    .merge(["spec": ["replicas": JSON(rescale.replicas)]]), subresource: "scale",
                    options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
            } catch { return rules.report(failure: error.text, reason: "FailedUpdateScale") }
            record(
                .normal, "SuccessfulRescale", "New size: \(rescale.replicas); reason: \(rescale.reason)",
                about: autoscaler)
        }
        return rules.report(current: current, observed: scale.at("status", "replicas")?.int ?? 0)
    }

    /// The served type that a reference names, if it can be scaled.
    private func type(_ kind: String, _ apiVersion: String) -> ResourceType? {
        let parts = apiVersion.split(separator: "/").map(String.init)
        guard let version = parts.last else { return nil }
        let resource = registry.resource(group: parts.count > 1 ? parts[0] : "", version: version, kind: kind)
        return resource.flatMap { $0.scale == nil ? nil : $0.type }
    }

    private func record(
        _ severity: EventNote.Severity, _ reason: String, _ text: String, about object: KubernetesObject
    ) {
        events.record(EventNote(severity, reason: reason, action: "Reconcile", text), about: object)
    }
}
