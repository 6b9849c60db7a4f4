internal import KubernetesClient
internal import StructuredData
internal import TodoModel
internal import TodoResources

/// What the Dapr sidecars of one service have to have loaded.
struct SidecarExpectation: Hashable {
    let service: TodoApp.ServiceName
    let appID: String
    /// The Component by which it reaches the Kafka; nil for a service that has nothing to do with events.
    let pubsub: String?
    /// What it has to have loaded besides.
    let components: [String]
    /// As they are called in the Kafka, sorted.
    let topics: [String]

    /// Of the services that are to have pods, in their order.
    static func all(of app: TodoApp, _ plan: TopicPlan) -> [SidecarExpectation] {
        let names = AppNames(app)
        let access = EventAccess.all(of: app, plan)
        return app.services.filter { $0 != .workers && app[service: $0].replicas > 0 }.map { service in
            let own = access.first { $0.service == service }
            return SidecarExpectation(
                service: service, appID: names.service(service), pubsub: own.map { _ in names.pubsub(service) },
                components: EventFlow.dailyJobs(of: service.rawValue).map { _ in names.daily(service) },
                topics: (own?.subscriptions ?? []).map { app.topicPrefix + $0.topic }.sorted())
        }
    }
}

/// What a pod's sidecar said of itself, compared with what it has to have loaded (contracts, section 2).
struct SidecarReport: Equatable {
    enum Answer: Equatable {
        /// Of `GET /v1.0/metadata`.
        case metadata(JSON)
        /// Why there was none.
        case none(String)
    }

    struct Problem: Equatable {
        let reason: ConditionReason
        let message: String
    }

    /// Nil when all is as it should be.
    let problem: Problem?

    /// - Parameter pod: a ready one, whose template asks for a sidecar.
    init(_ answer: Answer, of pod: KubernetesObject, expecting expected: SidecarExpectation) {
        let namespace = pod.namespace ?? ""
        let whose = "pod \(pod.name) of \(expected.service.rawValue)"
        let log = "see kubectl logs -n \(namespace) \(pod.name) -c daprd"
        switch answer {
        case .none(let why) where !Self.hasSidecar(pod):
            let instance = pod.labels[Label.instance] ?? ""
            problem = Problem(
                reason: .sidecarNotInjected,
                message:
                    "\(whose) has no sidecar (\(why)): it was made while Dapr's injector did not run or did not see "
                    + "its namespace; once it does, kubectl rollout restart deployment -n \(namespace) -l "
                    + "\(Label.instance)=\(instance)")
        case .none(let why):
            problem = Problem(
                reason: .sidecarUnreachable,
                message:
                    "the sidecar of \(whose) does not answer on port \(SidecarInspector.port) (\(why)); \(log), and "
                    + "let the operator reach the pods")
        case .metadata(let metadata): problem = Self.compare(metadata, expected, whose, log)
        }
    }

    private static func compare(
        _ metadata: JSON, _ expected: SidecarExpectation, _ whose: String, _ log: String
    ) -> Problem? {
        let id = metadata["id"]?.string ?? ""
        guard id == expected.appID else {
            return Problem(
                reason: .sidecarUnreachable,
                message: "at the address of \(whose) the sidecar of \(id.isEmpty ? "nobody" : id) answers; \(log)")
        }
        let components = (metadata["components"]?.array ?? []).compactMap { $0["name"]?.string }
        let wanted = [expected.pubsub].compactMap(\.self) + expected.components
        if let absent = wanted.first(where: { !components.contains($0) }) {
            return Problem(
                reason: .componentNotLoaded,
                message: "the sidecar of \(whose) has not loaded Component \(absent); \(log)")
        }
        guard let pubsub = expected.pubsub else { return nil }
        let live = (metadata["subscriptions"]?.array ?? []).filter { $0["pubsubname"]?.string == pubsub }
            .compactMap { $0["topic"]?.string }
        let missing = expected.topics.filter { !live.contains($0) }
        guard missing.isEmpty else {
            return Problem(
                reason: .subscriptionNotLive,
                message: "the sidecar of \(whose) does not take the events of \(missing.joined(separator: ", ")) from "
                    + "\(pubsub); \(log)")
        }
        return nil
    }

    /// As a container, or as an init container that goes on running (a native sidecar).
    private static func hasSidecar(_ pod: KubernetesObject) -> Bool {
        ["containers", "initContainers"].contains { list in
            pod.spec?[list]?.array?.contains { $0["name"] == "daprd" } ?? false
        }
    }
}
