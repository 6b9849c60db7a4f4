public import ControllerRuntime
public import HTTPTransport
internal import KubernetesClient
public import Logging
public import Metrics
internal import StructuredData
internal import TodoResources

/// The operator: a `Manager` with the informers and controllers of our kinds.
public enum OperatorManager {
    public struct Options: Sendable {
        /// Nil watches all namespaces.
        public var namespace: String?
        /// Of each kind's.
        public var controller = Controller.Options()
        /// A label selector: of all apps, this operator looks after these, and after their bindings and schedules. Nil for
        /// all. Whoever looks after the others must select none of these.
        public var appSelector: String?
        /// Labels of an app that its objects get too.
        public var inheritedLabels = InheritedLabels.none
        public var manager: Manager.Options

        public init(manager: Manager.Options) {
            self.manager = manager
            controller.workers = 8
        }
    }

    /// What the operator does outside of the cluster.
    public struct Outside: Sendable {
        /// How databases are migrated.
        public var database: any DatabasePreparing
        public var policies: any PolicyKeeping
        public var workers: any WorkerSupervising
        /// How the sidecars of the pods are reached.
        public var sidecars: any HTTPTransport
        /// Where it tells which apps are ready.
        public var metrics: any MetricsFactory

        public init(
            database: any DatabasePreparing, policies: any PolicyKeeping, workers: any WorkerSupervising,
            sidecars: any HTTPTransport = CurlTransport(configuration: .init(proxy: .none, offersHTTP2: false)),
            metrics: any MetricsFactory = MetricsSystem.factory
        ) {
            self.database = database
            self.policies = policies
            self.workers = workers
            self.sidecars = sidecars
            self.metrics = metrics
        }
    }

    public static func make(
        client: any ObjectClient, outside: Outside, options: Options, time: any TimeSource = SystemTime(),
        logger: Logger
    ) -> Manager {
        let manager = Manager(client: client, options: options.manager, time: time, logger: logger)
        let apps = manager.informer(
            TodoGroup.todoApp, Informer.Options(namespace: options.namespace, labelSelector: options.appSelector))
        let sidecars = SidecarInspector(outside.sidecars)
        let reconciler = TodoAppReconciler(
            database: outside.database, policies: outside.policies, workers: outside.workers, sidecars: sidecars,
            readiness: ReadyGauges(outside.metrics), inheritedLabels: options.inheritedLabels)
        let controller = manager.controller("todoapp", for: apps, options: options.controller) { context in
            try await reconciler.reconcile(context)
        }
        // Edits of apps come first.
        sidecars.turns.prepare { [weak controller] in controller?.enqueue($0, priority: .low) }
        let fence = manager.fence
        outside.workers.prepare(
            leaseCheck: { try fence.check(for: .seconds(5), at: time.now) },
            onChange: { [weak controller] in controller?.enqueue($0) })
        addSchedules(to: manager, apps: apps, policies: outside.policies, options)
        // Only what carries our label is watched, so that other people's objects take no memory here.
        let ours = "\(Label.managedBy)=\(Label.operatorName)"
        var topics: Informer?
        for type in DesiredState.childTypes {
            let informer = manager.informer(
                type,
                Informer.Options(
                    namespace: options.namespace, labelSelector: ours,
                    isOptional: !DesiredState.ownTypes.contains(type),
                    indices: DesiredState.keptTypes.contains(type) ? [.appUID] : []
                ) { trim(&$0, type) })
            if DesiredState.keptTypes.contains(type) {
                controller.watches(informer, when: .ownedFieldsChanged, soonWhen: progress(of: type)) { $0.apps }
            } else {
                controller.owns(informer, when: .ownedFieldsChanged, soonWhen: progress(of: type))
            }
            if type == DesiredState.kafkaTopicType { topics = informer }
        }
        if let topics { addBindings(to: manager, apps: apps, topics: topics, controller, options) }
        // The Secrets that the operator makes, by our label; absent where it may not list Secrets. What users own is
        // followed by name.
        controller.watches(
            manager.informer(
                GeneratedSecret.type,
                Informer.Options(namespace: options.namespace, labelSelector: ours, isOptional: true))
        ) { $0.apps }
        return manager
    }

    /// Leaves of a child what is read: of what we applied its digest is known.
    private static func trim(_ object: inout KubernetesObject, _ type: ResourceType) {
        switch type {
        case DesiredState.kafkaTopicType: break
        case DesiredState.deploymentType:
            var kept: JSON = [
                "metadata": [
                    "annotations": JSON(object.annotations), "generation": JSON(object.generation),
                    "name": .string(object.name),
                ]
            ]
            kept.set(object.json.at("spec", "replicas"), at: "spec", "replicas")
            kept["status"] = object.status
            object = KubernetesObject(kept)
        case _ where (DesiredState.autoscalerTypes + DesiredState.edgeTypes + DesiredState.kafkaTypes).contains(type):
            object.json["spec"] = nil
        default: object = KubernetesObject([:])
        }
    }

    /// What of a child's status says that it has got on.
    private static func progress(of type: ResourceType) -> Predicate {
        if type == DesiredState.deploymentType { return .rolloutMoved }
        if DesiredState.autoscalerTypes.contains(type) { return .autoscalerMoved }
        if DesiredState.edgeTypes.contains(type) { return .statusChanged }
        return DesiredState.kafkaTypes.contains(type) ? .strimziMoved : .none
    }

    /// A binding changes the objects of its app, and all bindings of an app bear on each other.
    private static func addBindings(
        to manager: Manager, apps: Informer, topics: Informer, _ appController: Controller, _ options: Options
    ) {
        // An older CRD may be all there is.
        let bindings = manager.informer(
            TodoGroup.kafkaTopicBinding, Informer.Options(namespace: options.namespace, isOptional: true))
        @Sendable func appName(_ binding: KubernetesObject) -> String? {
            binding.json.at("spec", "appRef", "name")?.string
        }
        @Sendable func keys(of app: ObjectKey) -> [ObjectKey] {
            bindings.store.list(namespace: app.namespace ?? "").filter { appName($0.object) == app.name }.map(\.key)
        }
        appController.watches(bindings, when: .ignoringStatus || .adopted) { change in
            guard let binding = change.latest, let name = appName(binding.object) else { return [] }
            return [ObjectKey(namespace: binding.key.namespace, name: name)]
        }
        let reconciler = KafkaTopicBindingReconciler(shard: Shard(isPart: options.appSelector != nil))
        let controller = manager.controller("kafkatopicbinding", for: bindings, options: options.controller) {
            context in
            try await reconciler.reconcile(context)
        }
        controller.watches(apps, when: .ignoringStatus) { change in change.latest.map { keys(of: $0.key) } ?? [] }
        controller.watches(bindings, when: .ignoringStatus) { change in
            guard let binding = change.latest, let name = appName(binding.object) else { return [] }
            return keys(of: ObjectKey(namespace: binding.key.namespace, name: name))
        }
        controller.watches(topics, when: .ownedFieldsChanged, soonWhen: .strimziMoved) { change in
            guard let topic = change.latest, let name = topic.object.labels[Label.binding] else { return [] }
            return [ObjectKey(namespace: topic.key.namespace, name: name)]
        }
    }

    /// A change of an app concerns the schedules that name it.
    private static func addSchedules(
        to manager: Manager, apps: Informer, policies: any PolicyKeeping, _ options: Options
    ) {
        // An older CRD may be all there is.
        let schedules = manager.informer(
            TodoGroup.reminderSchedule, Informer.Options(namespace: options.namespace, isOptional: true))
        let reconciler = ReminderScheduleReconciler(
            policies: policies, shard: Shard(isPart: options.appSelector != nil))
        manager.controller("reminderschedule", for: schedules, options: options.controller) { context in
            try await reconciler.reconcile(context)
        }.watches(apps) { change in
            guard let app = change.latest?.key, let namespace = app.namespace else { return [] }
            return schedules.store.list(namespace: namespace).filter {
                $0.object.json.at("spec", "appRef", "name")?.string == app.name
            }.map(\.key)
        }
    }
}

extension Fence {
    /// Throws unless writing is allowed for so long.
    func check(for span: Duration, at now: Instant) throws(FenceError) {
        try check()
        if let end = validUntil, now.advanced(by: span) > end { throw FenceError() }
    }
}
