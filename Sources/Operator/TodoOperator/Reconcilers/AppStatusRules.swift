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

    /// Nothing is known but that the spec cannot be honoured.
    public enum Refusal: Sendable, Equatable {
        case invalidSpec(String)
        case nameTaken(String)
        case driftLoop(String)
        /// The API server refuses an object: no permission, or a policy.
        case applyFailed(String)

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
    }

    /// What ends with a change of an object that is watched.
    private static let areWatched: Set<ConditionReason> = [
        .waitingForPods, .waitingForIngress, .waitingForGateway, .routeRefused, .autoscalerFailed,
    ]

    /// Nothing is left to be tried again.
    var isSettled: Bool {
        if case .failed = database { return false }
        let areas = [kafka, dapr, autoscaling, edge, monitoring]
        for case .notReady(let reason, _) in areas where !Self.areWatched.contains(reason) { return false }
        return refusal == nil && hindrance == nil
    }

    public var refusal: Refusal?
    public var database: Database
    /// Nil where the pass did not get that far: what was known before still holds.
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
    /// The services whose turn to be rolled out has not come.
    public var waiting: [TodoApp.ServiceName] = []
    /// When the sidecars may say something else; nil where a change of a Deployment comes first.
    public var askAgain: Duration?

    public init(
        refusal: Refusal? = nil, database: Database, kafka: Area? = nil, dapr: Area? = nil,
        hindrance: Hindrance? = nil, workers: WorkerState? = nil, deployments: [String: JSON] = [:]
    ) {
        self.refusal = refusal
        self.database = database
        self.kafka = kafka
        self.dapr = dapr
        self.hindrance = hindrance
        self.workers = workers
        self.deployments = deployments
    }
}

/// Status as a function of what was observed (kstatus: `Ready` always; `Reconciling` and `Stalled` only while true).
public enum AppStatusRules {
    /// - Parameter now: RFC 3339 with whole seconds.
    public static func status(of app: TodoApp, seeing observation: AppObservation, now: String) -> TodoApp.Status {
        var conditions = conditions(of: app.status, generation: app.metadata.generation ?? 0, now: now)
        var status = app.status ?? TodoApp.Status()
        status.observedGeneration = app.metadata.generation
        if let refusal = observation.refusal {
            stall(&conditions, by: refusal)
            status.conditions = conditions.all
            return status
        }
        let rollout = Rollout(of: app, deployments: observation.deployments, waiting: observation.waiting)
        status.url = rollout.exists ? app.spec.web.address ?? AppNames(app).url(of: .api) : nil
        status.services = rollout.services.map(\.status)
        // Without pods nothing runs, of no version.
        if rollout.isComplete { status.version = rollout.hasPods ? imageTag(app.spec.image) : nil }
        judgeDatabase(observation.database, &conditions)
        judge(.kafkaReady, observation.kafka, &conditions)
        judge(.daprReady, observation.dapr, &conditions)
        let web = app.spec.web
        judge(.edgeReady, observation.edge, ifAsked: web.ingress != nil || web.gateway != nil, &conditions)
        judge(.monitoringReady, observation.monitoring, ifAsked: app.spec.monitoring.isEnabled, &conditions)
        judgeServices(rollout, observation, &conditions)
        judgeWorkers(app, rollout, observation, &conditions)
        judgeAutoscaling(app, observation, &conditions)
        summarise(rollout, &conditions)
        status.conditions = conditions.all
        return status
    }

    /// The status of an object whose spec cannot be read at all.
    public static func status(
        ofUnreadable previous: TodoApp.Status?, generation: Int, problem: String, now: String
    ) -> TodoApp.Status {
        var conditions = conditions(of: previous, generation: generation, now: now)
        stall(&conditions, by: .invalidSpec(problem))
        var status = previous ?? TodoApp.Status()
        status.observedGeneration = generation
        status.conditions = conditions.all
        return status
    }

    /// What is known stays as it was; `Ready` says that nobody looks.
    public static func status(ofSuspended app: TodoApp, now: String) -> TodoApp.Status {
        var conditions = conditions(of: app.status, generation: app.metadata.generation ?? 0, now: now)
        conditions.remove(.reconciling)
        conditions.remove(.stalled)
        conditions.set(
            .ready, .unknown, .suspended, "spec.suspend is true: nothing is changed or checked until it is false")
        var status = app.status ?? TodoApp.Status()
        status.observedGeneration = app.metadata.generation
        status.conditions = conditions.all
        return status
    }

    private static func conditions(of previous: TodoApp.Status?, generation: Int, now: String) -> ConditionSet {
        ConditionSet(previous: previous?.conditions ?? [], generation: generation, now: now)
    }

    private static func stall(_ conditions: inout ConditionSet, by refusal: AppObservation.Refusal) {
        let (reason, message): (ConditionReason, String) =
            switch refusal {
            case .invalidSpec(let problem): (.invalidSpec, problem)
            case .nameTaken(let object): (.nameTaken, object)
            case .driftLoop(let object): (.driftLoop, object)
            case .applyFailed(let problem): (.applyFailed, problem)
            }
        conditions.stall(reason, message)
    }

    private static func judgeDatabase(_ database: AppObservation.Database, _ conditions: inout ConditionSet) {
        switch database {
        case .ready(let version):
            conditions.set(.databaseReady, .yes, .migrated, "the database is reached and has schema version \(version)")
        case .failed(let reason, let message):
            conditions.set(.databaseReady, .no, reason, message)
        }
    }

    private static func judge(
        _ type: ConditionType, _ area: AppObservation.Area?, ifAsked isAsked: Bool = true,
        _ conditions: inout ConditionSet
    ) {
        guard isAsked else { return conditions.remove(type) }
        switch area {
        case nil: break
        case .ready(let reason, let message): conditions.set(type, .yes, reason, message)
        case .notReady(let reason, let message): conditions.set(type, .no, reason, message)
        }
    }

    private static func judgeServices(
        _ rollout: Rollout, _ observation: AppObservation, _ conditions: inout ConditionSet
    ) {
        if case .failed = observation.database, !rollout.exists {
            conditions.set(.servicesReady, .no, .waitingForDatabase, "the services start once the database is ready")
            return
        }
        if case .notReady = observation.kafka, !rollout.exists, observation.hindrance == nil {
            conditions.set(.servicesReady, .no, .waitingForKafka, "the services start once the Kafka is reached")
            return
        }
        switch observation.hindrance {
        case .apiToken(let problem): conditions.set(.servicesReady, .no, .apiTokenInvalid, problem)
        case .mailLogin(let problem): conditions.set(.servicesReady, .no, .mailLoginInvalid, problem)
        case .identityProvider(let problem):
            conditions.set(.servicesReady, .no, .identityProviderCAInvalid, problem)
        case .predecessor(let object): conditions.set(.servicesReady, .no, .waitingForDeletion, object)
        case nil: conditions.set(.servicesReady, rollout.isComplete ? .yes : .no, rollout.reason, rollout.message)
        }
    }

    private static func judgeWorkers(
        _ app: TodoApp, _ rollout: Rollout, _ observation: AppObservation, _ conditions: inout ConditionSet
    ) {
        if case .failed = observation.database {
            // Those that run wait for the database themselves.
            if conditions[.workersReady]?.status != .yes {
                conditions.set(.workersReady, .no, .waitingForDatabase, "the workers start once the database is ready")
            }
            return
        }
        switch (app.spec.workers.placement, observation.workers) {
        case (.dedicated, _):
            let isUp = rollout.isComplete(.workers)
            conditions.set(
                .workersReady, isUp ? .yes : .no, isUp ? .workersRunning : .workersStarting,
                isUp ? "the workers run in pods of their own" : "waiting for the pods of the workers")
        case (.embedded, .running):
            conditions.set(.workersReady, .yes, .workersRunning, "the workers run inside the operator")
        case (.embedded, .failed(let problem)):
            conditions.set(.workersReady, .no, .workersFailed, "\(problem); they are started again within a minute")
        case (.embedded, .starting), (.embedded, nil):
            conditions.set(.workersReady, .no, .workersStarting, "the workers are being started")
        }
    }

    private static func judgeAutoscaling(
        _ app: TodoApp, _ observation: AppObservation, _ conditions: inout ConditionSet
    ) {
        if app.autoscaled.isEmpty {
            conditions.remove(.autoscalingReady)
        } else if observation.autoscaling == nil, conditions[.autoscalingReady] == nil {
            conditions.set(.autoscalingReady, .no, .waitingForAutoscaler, "the services are scaled once they are there")
        } else {
            judge(.autoscalingReady, observation.autoscaling, &conditions)
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
