public import StructuredData
public import TodoResources

/// What a reconcile found out about an app.
public struct AppObservation: Sendable, Equatable {
    public enum Database: Sendable, Equatable {
        case ready(schemaVersion: Int)
        case failed(ConditionReason, String)
    }

    /// Something that the services stand on.
    public enum Area: Sendable, Equatable {
        case ready(ConditionReason, String)
        case notReady(ConditionReason, String)
    }

    /// What makes it impossible to honour the spec until somebody changes something.
    public enum Refusal: Sendable, Equatable {
        case invalidSpec(String)
        case nameTaken(String)
        case driftLoop(String)
        /// The API server refuses an object: no permission, or a policy.
        case applyFailed(String)

        var reason: ConditionReason {
            switch self {
            case .invalidSpec: .invalidSpec
            case .nameTaken: .nameTaken
            case .driftLoop: .driftLoop
            case .applyFailed: .applyFailed
            }
        }

        var message: String {
            switch self {
            case .invalidSpec(let text), .nameTaken(let text), .driftLoop(let text), .applyFailed(let text): text
            }
        }
    }

    /// What keeps the services from being brought to their spec although nothing is wrong with it.
    public enum Hindrance: Error, Equatable {
        case apiToken(String)
        /// The Secret with the login of the mail server cannot be used.
        case mailLogin(String)
        /// The Secret with the certificate authorities of the identity provider cannot be used.
        case identityProvider(String)
        /// Objects of an app of the same name that was deleted are still there.
        case predecessor(String)

        var reason: ConditionReason {
            switch self {
            case .apiToken: .apiTokenInvalid
            case .mailLogin: .mailLoginInvalid
            case .identityProvider: .identityProviderCAInvalid
            case .predecessor: .waitingForDeletion
            }
        }

        var message: String {
            switch self {
            case .apiToken(let text), .mailLogin(let text), .identityProvider(let text), .predecessor(let text): text
            }
        }
    }

    /// What ends with a change of an object that is watched.
    private static let areWatched: Set<ConditionReason> = [
        .waitingForPods, .waitingForIngress, .waitingForGateway, .routeRefused, .autoscalerFailed,
    ]

    /// Nothing is left to be tried again.
    var isSettled: Bool {
        guard case .ready = database else { return false }
        let areas = [kafka, dapr, autoscaling, edge, monitoring]
        for case .notReady(let reason, _) in areas where !Self.areWatched.contains(reason) { return false }
        return refusal == nil && hindrance == nil
    }

    public var refusal: Refusal?
    /// Of this and the following: nil where the pass did not get that far, so that what was said before still holds.
    public var database: Database?
    public var kafka: Area?
    public var dapr: Area?
    public var autoscaling: Area?
    public var edge: Area?
    public var monitoring: Area?
    public var hindrance: Hindrance?
    /// Of the workers inside this process; nil when there are none, or it is not known.
    public var workers: WorkerState?
    /// The live Deployments, by name.
    public var deployments: [String: JSON]
    /// The services whose Deployments were not given their present template; nil where the pass did not get that far.
    public var waiting: [TodoApp.ServiceName]?
    /// When the sidecars may say something else; nil where a change of a Deployment comes first.
    public var askAgain: Duration?

    public init(
        refusal: Refusal? = nil, database: Database? = nil, kafka: Area? = nil, dapr: Area? = nil,
        hindrance: Hindrance? = nil, workers: WorkerState? = nil, deployments: [String: JSON] = [:],
        waiting: [TodoApp.ServiceName]? = []
    ) {
        self.refusal = refusal
        self.database = database
        self.kafka = kafka
        self.dapr = dapr
        self.hindrance = hindrance
        self.workers = workers
        self.deployments = deployments
        self.waiting = waiting
    }
}

/// Status as a function of what was observed (kstatus: `Ready` always; `Reconciling` and `Stalled` only while true).
public enum AppStatusRules {
    /// - Parameter now: RFC 3339 with whole seconds.
    public static func status(of app: TodoApp, seeing observation: AppObservation, now: String) -> TodoApp.Status {
        var conditions = conditions(of: app.status, generation: app.metadata.generation ?? 0, now: now)
        var status = app.status ?? TodoApp.Status()
        status.observedGeneration = app.metadata.generation
        let rollout = Rollout(of: app, deployments: observation.deployments, waiting: observation.waiting ?? [])
        status.services = services(of: app, rollout, observation)
        if observation.waiting != nil, observation.refusal == nil {
            status.url = rollout.exists ? app.spec.web.address ?? AppNames(app).url(of: .api) : nil
        }
        // Without pods nothing runs, of no version.
        if observation.waiting != nil, rollout.isComplete {
            status.version = rollout.hasPods ? imageTag(app.spec.image) : nil
        }
        judgeDatabase(observation.database, &conditions)
        judge(.kafkaReady, observation.kafka, &conditions)
        judge(.daprReady, observation.dapr, &conditions)
        judgeServices(rollout, observation, &conditions)
        judgeWorkers(app, rollout, observation, &conditions)
        let web = app.spec.web
        judge(.autoscalingReady, observation.autoscaling, isAsked: !app.autoscaled.isEmpty, &conditions)
        judge(.edgeReady, observation.edge, isAsked: web.ingress != nil || web.gateway != nil, &conditions)
        judge(.monitoringReady, observation.monitoring, isAsked: app.spec.monitoring.isEnabled, &conditions)
        if let refusal = observation.refusal {
            conditions.stall(refusal.reason, refusal.message)
        } else {
            summarise(rollout, &conditions)
        }
        status.conditions = conditions.all
        return status
    }

    /// The status of an object whose spec cannot be read at all.
    public static func status(
        ofUnreadable previous: TodoApp.Status?, generation: Int, problem: String, now: String
    ) -> TodoApp.Status {
        var conditions = conditions(of: previous, generation: generation, now: now)
        conditions.stall(.invalidSpec, problem)
        var status = previous ?? TodoApp.Status()
        status.observedGeneration = generation
        status.conditions = conditions.all
        return status
    }

    /// What is known stays as it was; `Ready` says that nobody looks.
    /// - Parameter workers: of those inside this process; nil when it is not known.
    public static func status(
        ofSuspended app: TodoApp, workers: WorkerState? = nil, now: String
    ) -> TodoApp.Status {
        var conditions = conditions(of: app.status, generation: app.metadata.generation ?? 0, now: now)
        conditions.remove(.reconciling)
        conditions.remove(.stalled)
        conditions.set(
            .ready, .unknown, .suspended, "spec.suspend is true: nothing is changed or checked until it is false")
        if let workers { judge(workers, &conditions) }
        var status = app.status ?? TodoApp.Status()
        status.observedGeneration = app.metadata.generation
        status.conditions = conditions.all
        return status
    }

    private static func conditions(of previous: TodoApp.Status?, generation: Int, now: String) -> ConditionSet {
        ConditionSet(previous: previous?.conditions ?? [], generation: generation, now: now)
    }

    /// Of a pass that did not get to the services no more pods are known to have the present template than were before.
    private static func services(
        of app: TodoApp, _ rollout: Rollout, _ observation: AppObservation
    ) -> [TodoApp.ServiceStatus] {
        let services = rollout.services.map(\.status)
        guard observation.waiting == nil else { return services }
        let judged = app.status?.conditions?.first { $0.type == ConditionType.servicesReady.rawValue }
        let known = judged?.observedGeneration == app.metadata.generation ? app.status?.services ?? [] : []
        return services.map { service in
            var service = service
            service.updated = min(service.updated, known.first { $0.name == service.name }?.updated ?? 0)
            return service
        }
    }

    private static func judgeDatabase(_ database: AppObservation.Database?, _ conditions: inout ConditionSet) {
        switch database {
        case .ready(let version):
            conditions.set(.databaseReady, .yes, .migrated, "the database is reached and has schema version \(version)")
        case .failed(let reason, let message):
            conditions.set(.databaseReady, .no, reason, message)
        case nil: break
        }
    }

    /// What is there only where the spec asks for it, and then from the first status on.
    private static func judge(
        _ type: ConditionType, _ area: AppObservation.Area?, isAsked: Bool, _ conditions: inout ConditionSet
    ) {
        guard isAsked else { return conditions.remove(type) }
        judge(type, area, &conditions)
        if conditions[type] == nil {
            conditions.set(
                type, .no, .waitingForServices,
                "it is looked after once the services are; Ready says what they wait for")
        }
    }

    private static func judge(
        _ type: ConditionType, _ area: AppObservation.Area?, _ conditions: inout ConditionSet
    ) {
        switch area {
        case nil: break
        case .ready(let reason, let message): conditions.set(type, .yes, reason, message)
        case .notReady(let reason, let message): conditions.set(type, .no, reason, message)
        }
    }

    private static func judgeServices(
        _ rollout: Rollout, _ observation: AppObservation, _ conditions: inout ConditionSet
    ) {
        let isReached = observation.waiting != nil
        if let hindrance = observation.hindrance {
            conditions.set(.servicesReady, .no, hindrance.reason, hindrance.message)
        } else if let refusal = observation.refusal, !rollout.exists || isReached && !rollout.isComplete {
            conditions.set(.servicesReady, .no, refusal.reason, refusal.message)
        } else if case .failed = observation.database, !rollout.exists {
            conditions.set(.servicesReady, .no, .waitingForDatabase, "the services start once the database is ready")
        } else if case .notReady = observation.kafka, !rollout.exists {
            conditions.set(.servicesReady, .no, .waitingForKafka, "the services start once the Kafka is reached")
        } else if isReached || !rollout.isComplete {
            conditions.set(.servicesReady, rollout.isComplete ? .yes : .no, rollout.reason, rollout.message)
        }
        // Else they all run, but it was not seen whether as this spec says.
    }

    private static func judgeWorkers(
        _ app: TodoApp, _ rollout: Rollout, _ observation: AppObservation, _ conditions: inout ConditionSet
    ) {
        guard case .ready = observation.database else {
            // Those that run wait for the database themselves.
            if conditions[.workersReady]?.status != .yes {
                conditions.set(.workersReady, .no, .waitingForDatabase, "the workers start once the database is ready")
            }
            return
        }
        switch (app.spec.workers.placement, observation.workers) {
        case (.dedicated, _):
            let isUp = rollout.isComplete(.workers)
            if isUp, observation.waiting == nil, conditions[.workersReady] != nil { break }
            conditions.set(
                .workersReady, isUp ? .yes : .no, isUp ? .workersRunning : .workersStarting,
                isUp ? "the workers run in pods of their own" : "waiting for the pods of the workers")
        case (.embedded, let state): judge(state ?? .starting, &conditions)
        }
    }

    private static func judge(_ workers: WorkerState, _ conditions: inout ConditionSet) {
        switch workers {
        case .running: conditions.set(.workersReady, .yes, .workersRunning, "the workers run inside the operator")
        case .failed(let problem):
            conditions.set(.workersReady, .no, .workersFailed, "\(problem); they are started again within a minute")
        case .starting: conditions.set(.workersReady, .no, .workersStarting, "the workers are being started")
        }
    }

    private static func summarise(_ rollout: Rollout, _ conditions: inout ConditionSet) {
        // Sidecars come with their pods.
        let isWaiting = conditions[.daprReady]?.reason == ConditionReason.waitingForPods.rawValue
        let pods: [ConditionType] = isWaiting ? [.servicesReady, .daprReady] : [.daprReady, .servicesReady]
        let types =
            [.databaseReady, .kafkaReady] + pods + [.workersReady, .autoscalingReady, .edgeReady, .monitoringReady]
        let missing = types.compactMap { conditions[$0] }.filter { $0.status != .yes }
        guard let first = missing.first, let reason = ConditionReason(rawValue: first.reason) else {
            conditions.settle(
                .allReady, "every service runs, and so do the workers; database, Kafka and Dapr are ready")
            return
        }
        let message = "\(first.type): \(first.message)"
        if rollout.failed && first.type == ConditionType.servicesReady.rawValue {
            conditions.stall(reason, message)
        } else {
            conditions.wait(reason, message, progress: .progressing)
        }
    }

    /// `registry:5000/todo:1.2@sha256:…` runs version `1.2`; without a tag the digest, and else `latest`.
    static func imageTag(_ image: String) -> String {
        let named = image.split(separator: "@", maxSplits: 1)
        let path = named.first?.split(separator: "/").last ?? ""
        if let colon = path.firstIndex(of: ":") { return String(path[path.index(after: colon)...]) }
        return named.count > 1 ? String(named[1]) : "latest"
    }
}
