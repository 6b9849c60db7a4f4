internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Tells the Prometheus operator about an app.
struct MonitoringPass {
    let app: TodoApp
    let context: ReconcileContext

    /// Nil when nothing is asked for.
    func run(_ children: inout ChildWriter) async throws -> AppObservation.Area? {
        let objects = MonitoringObjects(app).all
        guard !objects.isEmpty else { return nil }
        if let absence = context.absence(
            of: objects.map(\.type),
            remedy: "install the Prometheus operator (https://prometheus-operator.dev), or switch spec.monitoring off")
        {
            children.keep(objects.map(\.object))
            return .notReady(.prometheusOperatorNotInstalled, absence)
        }
        let problems = try await children.tryApply(objects.map(\.object))
        guard problems.isEmpty else { return .notReady(.applyFailed, problems.joined(separator: "; ")) }
        let kinds = DesiredState.monitoringTypes.filter { type in objects.contains { $0.type == type } }.map(\.kind)
        return .ready(.monitoringConfigured, "the Prometheus operator has a \(kinds.joined(separator: ", a "))")
    }
}
