public import ControllerRuntime
internal import KubernetesClient
internal import Logging
internal import StructuredData
internal import TodoResources

/// Brings one `TodoApp` to what its spec says: database first, then the objects of its services, then its status.
public struct TodoAppReconciler: Sendable {
    /// How long until a database that could not be used is tried again, and until one that could is looked at again.
    private static let retryInterval = Duration.seconds(10)
    private static let checkInterval = Duration.seconds(300)
    /// A server that fails more often in a row has something that lasts, and the status says so.
    private static let mostHiccups = 4

    private let database: any DatabasePreparing
    private let orphans: OrphanedPolicies
    private let workers: any WorkerSupervising
    private let sidecars: SidecarInspector
    private let readiness: ReadyGauges
    private let inheritedLabels: InheritedLabels
    private let now: @Sendable () -> KubernetesTime

    /// - Parameters:
    ///   - readiness: tells monitoring which apps are ready.
    ///   - inheritedLabels: those of an app that its objects get too.
    ///   - now: the wall clock, for conditions.
    init(
        database: any DatabasePreparing, policies: any PolicyKeeping, workers: any WorkerSupervising,
        sidecars: SidecarInspector, readiness: ReadyGauges, inheritedLabels: InheritedLabels = .none,
        now: @escaping @Sendable () -> KubernetesTime = { .now }
    ) {
        self.database = database
        orphans = OrphanedPolicies(in: policies)
        self.workers = workers
        self.sidecars = sidecars
        self.readiness = readiness
        self.inheritedLabels = inheritedLabels
        self.now = now
    }

    /// One pass. What the user can mend ends up in conditions; what is thrown is tried again with a back-off.
    public func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        try await sidecars.turns.during(passOf: context.key) { try await bring(context) }
    }

    private func bring(_ context: ReconcileContext) async throws -> ReconcileResult {
        // Owner references do the deleting.
        guard let object = context.object, !object.isBeingDeleted else {
            context.follow([])
            workers.stop(context.key)
            sidecars.forget(context.key)
            readiness.forget(context.key)
            orphans.forget(context.key)
            guard let object = context.object else { return try await KafkaRemoval.releaseLeftovers(context) }
            return try await KafkaRemoval(app: object, context: context).step()
        }
        var app: TodoApp
        do {
            app = try TodoApp(stored: object.json)
            app.inheritedLabels = inheritedLabels.labels(of: app)
        } catch {
            context.follow([])
            let previous = try? object.status?.decode(TodoApp.Status.self)
            let status = AppStatusRules.status(
                ofUnreadable: previous, generation: object.generation, problem: error.description, now: now().text)
            try await publish(status, previous: previous, in: context)
            return .done
        }
        guard !app.spec.suspend else {
            context.follow([])
            return try await rest(app, context)
        }
        return try await pass(app, context)
    }

    /// Of an app that is suspended, what runs goes on running, also under an operator that was started since: the workers
    /// are a part of it, and need the tables of its release.
    private func rest(_ app: TodoApp, _ context: ReconcileContext) async throws -> ReconcileResult {
        var workers: WorkerState?
        var isPrepared = true
        if let access = try? await DatabaseSecret.read(DatabaseSecret.reference(for: app), for: app, in: context) {
            do {
                _ = try await database.prepare(uri: access.migrationURI, tlsMode: app.spec.database.tlsMode)
                // Its workers go on reminding.
                try await orphans.remove(from: access.database(of: app), context)
            } catch { isPrepared = false }
            workers = supervise(app, access, context)
        }
        try await publish(
            AppStatusRules.status(ofSuspended: app, workers: workers, now: now().text), previous: app.status,
            in: context)
        return isPrepared ? .done : .requeue(after: Self.retryInterval)
    }

    private func pass(_ app: TodoApp, _ context: ReconcileContext) async throws -> ReconcileResult {
        let observation: AppObservation
        do {
            observation = try await observe(app, context)
            // Secrets go before the app.
            if case .failed(.secretNotFound, _) = observation.database, await context.isNamespaceGoing() {
                return leave(context)
            }
        } catch let error as APIError where error.isNamespaceTerminating {
            return leave(context)
        }
        let status = AppStatusRules.status(of: app, seeing: observation, now: now().text)
        try await publish(status, previous: app.status, in: context)
        // What stands in the way is not watched: it has not our label.
        return .requeue(
            after: observation.askAgain ?? (observation.isSettled ? Self.checkInterval : Self.retryInterval))
    }

    /// The app goes with its namespace: there is nobody to tell.
    private func leave(_ context: ReconcileContext) -> ReconcileResult {
        context.logger.debug("the namespace is being deleted")
        return .requeue(after: Self.retryInterval)
    }

    /// Brings everything to what the spec says, as far as that is possible, and tells how far that was.
    private func observe(_ app: TodoApp, _ context: ReconcileContext) async throws -> AppObservation {
        let secret = DatabaseSecret.reference(for: app)
        let own: Result<GeneratedSecrets, any Error>
        do { own = .success(try await .ensure(for: app, in: context)) } catch { own = .failure(error) }
        let unwatched = (try? own.get().unwatched) ?? Set(GeneratedSecret.allCases.map { $0.reference(for: app) })
        let mail = RequiredSecret.mailLogin(of: app)
        let provider = RequiredSecret.identityProviderCA(of: app)
        let plan = context.plan(of: app)
        let passOfKafka = KafkaPass(app: app, plan: plan, context: context)
        let environment = RequiredSecret.environment(of: app)
        let named = (passOfKafka.secrets + [mail, provider].compactMap(\.self) + environment).map(\.reference)
        context.follow(unwatched.union([secret] + named))
        if !plan.isComplete {
            context.logger.warning(
                "topics, their users and subscriptions stay as they are: not all KafkaTopicBindings could be read")
        }
        var children = ChildWriter(of: app, in: context, freezing: plan.isComplete ? [] : DesiredState.bindingTypes)
        defer { children.announce() }
        var observation = AppObservation(waiting: nil)
        do {
            // It takes minutes: the database need not wait for it, nor it for the database.
            let kafka = try await passOfKafka.run(&children)
            observation.kafka = kafka.area
            let access = try await DatabaseSecret.read(secret, for: app, in: context)
            // Before a pod of the spec's image may start.
            let version = try await database.prepare(uri: access.migrationURI, tlsMode: app.spec.database.tlsMode)
            try await orphans.remove(from: access.database(of: app), context)
            observation.database = .ready(schemaVersion: version)
            observation.workers = supervise(app, access, context)
            var read = [
                try own.get().content, access.content, kafka.secrets,
                try await read(mail, or: { .mailLogin($0) }, in: context),
                try await read(provider, or: { .identityProvider($0) }, in: context),
            ]
            for secret in environment { read.append(try await secret.readIfPresent(in: context)) }
            let inputs = DesiredStateInputs(
                secrets: read.reduce(into: [:]) { $0.merge($1) { $1 } }, databasePorts: access.ports,
                hasDirectURI: access.directURI != nil, bootstrapServers: kafka.bootstrapServers)
            try await bringUp(app, plan, inputs, &children, &observation, context)
        } catch let problem as DatabaseProblem {
            orphans.forget(context.key)
            observation.database = .failed(problem.reason, problem.message)
        } catch let hindrance as AppObservation.Hindrance {
            observation.hindrance = hindrance
        } catch let error as APIError
            where error.isRefusal || error.isFailedWebhook && context.attempt > Self.mostHiccups
        {
            observation.refusal = .applyFailed(error.asRefusal)
        }
        observation.refusal = observation.refusal ?? children.refusal
        observation.deployments = children.deployments
        return observation
    }

    /// The sidecars' objects, then the services, and what came of it.
    private func bringUp(
        _ app: TodoApp, _ plan: TopicPlan, _ inputs: DesiredStateInputs, _ children: inout ChildWriter,
        _ observation: inout AppObservation, _ context: ReconcileContext
    ) async throws {
        guard inputs.bootstrapServers != nil else {
            observation.dapr = .notReady(.waitingForKafka, "the sidecars start once the Kafka is reached")
            return
        }
        let absence = context.absence(
            of: DesiredState.daprTypes, remedy: "install Dapr 1.17 or later (dapr init -k, or its Helm chart)")
        var line = RolloutLine(
            of: app, DesiredState.services(of: app, plan, inputs: inputs), live: children.deployments)
        defer { observation.waiting = line.waiting(in: children.deployments) }
        // The informer does not keep what is in them.
        try await line.keepPortsOpen { name in
            let key = ObjectKey(namespace: app.metadata.namespace, name: name)
            return try await context.client.find(DesiredState.networkPolicyType, key)?.json
        }
        let dapr = DesiredState.dapr(of: app, plan, inputs: inputs)
        if absence == nil { try await children.apply(dapr) } else { children.keep(dapr) }
        let handover = ReplicaHandover(app: app, context: context)
        try await handover.release(children)
        try await children.apply(line.due)
        children.keep(line.kept)
        try await handover.raise(&children)
        guard children.refusal == nil else { return }
        observation.autoscaling = try await AutoscalingPass(app: app, context: context)
            .run(DesiredState.autoscalers(of: app, plan, inputs: inputs), &children)
        observation.edge = try await EdgePass(app: app, context: context).run(&children)
        observation.monitoring = try await MonitoringPass(app: app, context: context).run(&children)
        let rollout = Rollout(
            of: app, deployments: children.deployments, waiting: line.waiting(in: children.deployments))
        try await children.prune(except: Self.kafkaTypesToLeave(of: app, rollout))
        if let absence {
            observation.dapr = .notReady(.daprNotInstalled, absence)
        } else {
            let inspection = try await sidecars.inspect(app, plan, deployments: children.deployments, context)
            observation.dapr = inspection.area
            observation.askAgain = inspection.askAgain
        }
    }

    /// Which kinds of objects of an own Kafka are left alone though the app has changed to another one: pods of before use
    /// all of them until the last is replaced, and what `Retain` is to keep does not go by a change of the spec.
    private static func kafkaTypesToLeave(of app: TodoApp, _ rollout: Rollout) -> [ResourceType] {
        guard app.managedKafka == nil else { return [] }
        guard rollout.isComplete else { return DesiredState.kafkaTypes }
        return app.spec.deletionPolicy == .retain ? DesiredState.keptTypes : []
    }

    private func read(
        _ secret: RequiredSecret?, or hindrance: (String) -> AppObservation.Hindrance, in context: ReconcileContext
    ) async throws -> SecretContent {
        do { return try await secret?.read(in: context) ?? [:] } catch let problem as RequiredSecret.Problem {
            throw hindrance(problem.message)
        }
    }

    /// The workers run with the database that the pods are about to run with.
    private func supervise(_ app: TodoApp, _ access: DatabaseSecret, _ context: ReconcileContext) -> WorkerState? {
        guard app.spec.workers.placement == .embedded else {
            workers.stop(context.key)
            return nil
        }
        return workers.run(context.key, on: access.database(of: app))
    }

    /// Writes the status if it has changed, and an Event and a line of the log when `Ready` now says something else.
    private func publish(_ status: TodoApp.Status, previous: TodoApp.Status?, in context: ReconcileContext) async throws
    {
        try await context.updateStatus(JSON(encoding: status))
        func ready(_ status: TodoApp.Status?) -> Condition? {
            status?.conditions?.first { $0.type == ConditionType.ready.rawValue }
        }
        guard let now = ready(status) else { return }
        readiness.note(now.status, of: context.key)
        guard now.reason != ready(previous)?.reason else { return }
        let isExpected = [
            ConditionReason.allReady, .rollingOut, .migrating, .suspended, .waitingForDeletion, .waitingForStrimzi,
            .waitingForKafka, .waitingForPods, .waitingForAutoscaler, .waitingForGateway, .waitingForIngress,
        ].map(\.rawValue)
            .contains(now.reason)
        context.record(
            isExpected ? .normal : .warning, reason: now.reason, action: "Reconcile", now.message)
        context.logger.log(
            level: isExpected ? .info : .warning, "\(now.message)",
            metadata: ["ready": "\(now.status.rawValue)", "reason": "\(now.reason)"])
    }
}

extension APIError {
    /// The server does not want the object as it is; a webhook that denies it says 400 unless it is told otherwise.
    var isRefusal: Bool {
        !isNamespaceTerminating && ([400, 403, 422].contains(status?.code) || isUntypedApply)
    }

    /// What was applied has a field that its kind does not know; kube-apiserver says 500 to that.
    private var isUntypedApply: Bool {
        status?.code == 500 && status?.message.hasPrefix("failed to create typed patch object") ?? false
    }

    /// The server could not ask a webhook.
    var isFailedWebhook: Bool { status?.code == 500 }

    /// The server's words about an object that it refuses, and who can do something about them.
    var asRefusal: String {
        let words = status.map(\.message).flatMap { $0.isEmpty ? nil : $0 } ?? "\(self)"
        let remedy =
            isInvalid || isUntypedApply
            ? "correct the spec of the TodoApp"
            : "check the role of the operator's ServiceAccount, and the quotas and admission policies of the namespace"
        return "the API server refuses it: \(words); \(remedy)"
    }
}
