internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Brings what sets the number of pods to what the spec says, and finds out whether it works.
struct AutoscalingPass {
    let app: TodoApp
    let context: ReconcileContext

    /// Nil where nothing is to be scaled by load.
    ///
    /// The autoscaler that a service had before goes first: KEDA refuses a Deployment that another manages.
    func run(_ autoscalers: [JSON], _ children: inout ChildWriter) async throws -> AppObservation.Area? {
        let absence = absence
        // One that cannot be applied now, or not be seen, is not removed for it.
        children.keep(autoscalers)
        let served = autoscalers.filter { absence == nil || !Self.isKEDAs($0) }
        let possible = served.filter { !isTaken($0) }
        let problems = try await children.replace(DesiredState.autoscalerTypes, with: possible)
        guard !app.autoscaled.isEmpty else { return nil }
        if let problem = problems.first { return .notReady(.autoscalerRefused, problem) }
        // The others are at work meanwhile.
        if served.count < autoscalers.count, let absence { return .notReady(.kedaNotInstalled, absence) }
        if let taken = served.first(where: isTaken) {
            let name = KubernetesObject(taken).name
            return .notReady(
                .waitingForAutoscaler, "waiting until KEDA has removed its HorizontalPodAutoscaler \(name)")
        }
        return judge(possible)
    }

    /// KEDA's has the same name, and our labels; it goes with its ScaledObject.
    private func isTaken(_ wanted: JSON) -> Bool {
        let wanted = KubernetesObject(wanted)
        guard wanted.kind == DesiredState.autoscalerType.kind else { return false }
        let live = context.store(DesiredState.autoscalerType)?.stored(ObjectKey(wanted))
        return live?.controller?.kind == DesiredState.scaledObjectType.kind
    }

    private var absence: String? {
        context.absence(
            of: DesiredState.kedaTypes,
            remedy: "install KEDA 2.20 or later (https://keda.sh/docs/latest/deploy); until then the number of pods is "
                + "nobody's to change but yours")
    }

    private static func isKEDAs(_ object: JSON) -> Bool {
        DesiredState.kedaTypes.contains { $0.apiVersion == object["apiVersion"]?.string }
    }

    /// The first that does not work.
    private func judge(_ autoscalers: [JSON]) -> AppObservation.Area {
        for type in [DesiredState.autoscalerType, DesiredState.scaledObjectType] {
            for wanted in autoscalers where wanted["kind"]?.string == type.kind {
                let name = wanted.at("metadata", "name")?.string ?? ""
                let live = context.store(type)?.get(namespace: app.metadata.namespace, name: name)?.json
                switch AutoscalerStatus(live) {
                case .ready: continue
                case .pending(let words): return .notReady(.waitingForAutoscaler, "\(type.kind) \(name): \(words)")
                case .failed(let words): return .notReady(.autoscalerFailed, "\(type.kind) \(name): \(words)")
                }
            }
        }
        let names = app.autoscaled.map(\.rawValue).joined(separator: ", ")
        return .ready(.autoscaled, "the load says how many pods run of \(names)")
    }
}

/// What is said of an autoscaler by who runs it.
enum AutoscalerStatus: Equatable {
    case ready
    case pending(String)
    /// In its own words.
    case failed(String)

    init(_ object: JSON?) {
        let conditions = object?.at("status", "conditions")?.array ?? []
        func find(_ type: String) -> JSON? { conditions.first { $0["type"]?.string == type } }
        if object?["kind"]?.string == DesiredState.scaledObjectType.kind {
            self.init(ready: find("Ready"), scaling: find("HPAActive"), by: "KEDA")
        } else {
            self.init(ready: find("AbleToScale"), scaling: find("ScalingActive"), by: "the cluster")
        }
    }

    private init(ready: JSON?, scaling: JSON?, by whom: String) {
        for condition in [ready, scaling].compactMap(\.self) where condition["status"] != "True" {
            // KEDA begins with conditions that say nothing.
            guard let reason = condition["reason"]?.string, !reason.isEmpty else { break }
            self = .failed(Self.words(reason, condition["message"]?.string ?? ""))
            return
        }
        let isReady = ready?["status"] == "True" && (scaling == nil ? whom == "KEDA" : scaling?["status"] == "True")
        self = isReady ? .ready : .pending("\(whom) has not taken it up yet")
    }

    private static func words(_ reason: String, _ message: String) -> String {
        let words = message.isEmpty ? reason : "\(reason): \(message)"
        // KEDA passes on what Kubernetes says of its HorizontalPodAutoscaler.
        guard words.contains("ResourceMetric") else { return words }
        return "\(words); it takes minutes for new pods, and needs metrics-server "
            + "(https://github.com/kubernetes-sigs/metrics-server)"
    }
}

extension Predicate {
    /// Of an autoscaler: it began to work, or says something else.
    static let autoscalerMoved = Predicate { change in
        guard let old = change.old?.object.json, let new = change.new?.object.json else { return true }
        return AutoscalerStatus(old) != AutoscalerStatus(new)
    }
}
