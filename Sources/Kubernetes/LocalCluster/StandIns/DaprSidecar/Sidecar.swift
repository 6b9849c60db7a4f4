internal import Concurrency
internal import ControllerRuntime
internal import HTTPTransport
internal import HTTPTypes
internal import KubernetesClient
internal import Logging
internal import StructuredData
internal import TopicLog

/// What all sidecars of a machine share.
struct SidecarServices: Sendable {
    let topics: TopicLog
    let states: StateLog
    let groups: ConsumerGroups
    let transport: any HTTPTransport
    let secrets: SecretReader
    let schedules: ScheduleReader
    let time: any TimeSource
    let logger: Logger
}

/// One pod's sidecar: what it offers to the app (`Sidecar+API`), and the events that it brings.
final class Sidecar: Sendable {
    struct State {
        /// Nil before they are known.
        var resources: DaprResources?
        /// By name; nil before they were made.
        var components: [String: Component]?
        /// What was said of objects that cannot be used.
        var problems: [String: String] = [:]
        /// What the app declared; nil before it answered.
        var declared: [SubscriptionSpec]?
        /// No consumer and no binding is started any more.
        var isDraining = false
        var isAppHealthy = false
        var consumers: [Consumption: Task<Void, Never>] = [:]
        var bindings: [CronBinding: Task<Void, Never>] = [:]
    }

    let pod: SidecarPod
    let services: SidecarServices
    let state = Lock(State())
    let logger: Logger
    private let uuid: String
    private let app: AppChannel?
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init(_ pod: SidecarPod, uuid: String, services: SidecarServices) {
        self.pod = pod
        self.uuid = uuid
        self.services = services
        var logger = services.logger
        logger[metadataKey: "app"] = "\(pod.namespace)/\(pod.appID)"
        self.logger = logger
        app = AppChannel(pod, transport: services.transport)
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func update(_ resources: DaprResources) {
        let own = resources.scoped(to: pod)
        state.withLock { $0.resources = own }
        change.yield()
    }

    /// No event is brought any more once this returns; the app may still call.
    func drain() async {
        state.withLock { $0.isDraining = true }
        await stop(keeping: [], [])
    }

    /// Runs until cancelled.
    func run() async {
        let asking = Task { await askApp() }
        let watching = Task { await watchApp() }
        for await _ in changes {
            if await !reconcile() { retryLater() }
        }
        asking.cancel()
        watching.cancel()
        await stop(keeping: [], [])
    }

    private func retryLater() {
        Task { [weak self, time = services.time] in
            try? await time.sleep(until: time.now.advanced(by: .seconds(2)))
            self?.change.yield()
        }
    }

    /// Waits for the app and learns what it subscribes to: 404 is nothing, as is whatever else cannot be read.
    private func askApp() async {
        guard let app else { return }
        while !Task.isCancelled {
            if let answer = await app.send(.get, "/dapr/subscribe", timeout: .seconds(10)) {
                let json = answer.status == 200 ? try? JSON(parsing: answer.body) : nil
                if json?.array == nil, answer.status != 404 {
                    logger.error("the app's /dapr/subscribe is no list", metadata: ["status": "\(answer.status)"])
                }
                let declared = (json?.array ?? []).compactMap(SubscriptionSpec.init(programmatic:))
                state.withLock { $0.declared = declared }
                change.yield()
                return
            }
            let time = services.time
            guard (try? await time.sleep(until: time.now.advanced(by: .milliseconds(50)))) != nil else { return }
        }
    }

    /// Events are brought only while the app is healthy.
    private func watchApp() async {
        guard let app, let health = pod.health else {
            state.withLock { $0.isAppHealthy = true }
            change.yield()
            return
        }
        await health.run(app, time: services.time) { [weak self] isHealthy in
            self?.state.withLock { $0.isAppHealthy = isHealthy }
            self?.change.yield()
        }
    }

    // MARK: - Reconciling

    /// Brings what runs in line with resources and app. False when a component could not be made.
    private func reconcile() async -> Bool {
        let (resources, declared, mayDeliver) = state.withLock {
            ($0.resources, $0.declared, $0.isAppHealthy && !$0.isDraining)
        }
        guard let resources else { return true }
        let (components, isComplete) = await self.components(resources)
        state.withLock { $0.components = components }
        guard let app, let declared, mayDeliver else {
            await stop(keeping: [], [])
            return isComplete
        }
        let wanted = consumptions(declared, resources, components)
        let bindings = Set(components.values.filter { $0.role == .cron }.map(CronBinding.init))
        await stop(keeping: Set(wanted), bindings)
        for consumption in wanted where state.withLock({ $0.consumers[consumption] == nil }) {
            start(consumption, app)
        }
        for binding in bindings where state.withLock({ $0.bindings[binding] == nil }) {
            state.withLock { state in
                guard !state.isDraining else { return }
                state.bindings[binding] = Task { [services, logger] in
                    await binding.run(app, read: services.schedules, time: services.time, logger: logger)
                }
            }
        }
        return isComplete
    }

    private func components(_ resources: DaprResources) async -> ([String: Component], isComplete: Bool) {
        var components = [
            "kubernetes": Component(name: "kubernetes", type: "secretstores.kubernetes", namespace: pod.namespace)
        ]
        var isComplete = true
        for object in resources.components {
            do {
                components[object.name] = try await Component(
                    object, for: pod, uuid: uuid, secrets: services.secrets)
            } catch {
                isComplete = false
                report("component \(object.name)", "\(error)")
            }
        }
        return (components, isComplete)
    }

    /// Says once what is wrong with an object, however often it is looked at.
    private func report(_ subject: String, _ problem: String) {
        let isNew = state.withLock { $0.problems.updateValue(problem, forKey: subject) != problem }
        guard isNew else { return }
        logger.error("it cannot be used", metadata: ["object": "\(subject)", "error": "\(problem)"])
    }

    /// Of two subscriptions to one topic the app's own counts, and the first.
    private func consumptions(
        _ declared: [SubscriptionSpec], _ resources: DaprResources, _ components: [String: Component]
    ) -> [Consumption] {
        var result: [Consumption] = []
        for subscription in declared + resources.subscriptions.compactMap(SubscriptionSpec.init) {
            guard let component = components[subscription.pubsub], component.role == .pubsub,
                component.allows(.subscribing, to: subscription.topic, by: pod.appID)
            else {
                report(
                    "subscription \(subscription.pubsub)/\(subscription.topic)",
                    "no such pub/sub component, or the topic is not allowed")
                continue
            }
            let logTopic = component.logTopic(subscription.topic)
            guard !result.contains(where: { $0.logTopic == logTopic }) else { continue }
            let metadata = subscription.metadata
            let group =
                (metadata["consumerGroup"] ?? metadata["consumerID"]).map(fillIn) ?? component["consumerGroup"]
                ?? component["consumerID"] ?? pod.appID
            result.append(
                Consumption(
                    subscription: subscription, logTopic: logTopic,
                    deadLetterLogTopic: subscription.deadLetterTopic.map(component.logTopic), group: group,
                    beginsWithOldest: (metadata["initialOffset"] ?? component["initialOffset"]) == "oldest",
                    policy: DeliveryPolicy(inboundOf: component.name, resources.resiliencies)))
        }
        return result
    }

    private func fillIn(_ text: String) -> String {
        text.replacing("{uuid}", with: uuid).replacing("{podName}", with: pod.name)
            .replacing("{appID}", with: pod.appID).replacing("{namespace}", with: pod.namespace)
    }

    private func start(_ consumption: Consumption, _ app: AppChannel) {
        let rules: RouteRules
        do { rules = try RouteRules(consumption.subscription.rules) } catch {
            report("subscription \(consumption.subscription.pubsub)/\(consumption.subscription.topic)", "\(error)")
            return
        }
        let consumer = Consumer(
            consumption: consumption, rules: rules, app: app, log: services.topics, groups: services.groups,
            time: services.time, logger: logger)
        consumer.takePlaces()
        state.withLock { state in
            guard !state.isDraining else { return }
            state.consumers[consumption] = Task { await consumer.run() }
        }
    }

    private func stop(keeping consumptions: Set<Consumption>, _ bindings: Set<CronBinding>) async {
        let gone = state.withLock { state in
            let gone =
                state.consumers.filter { !consumptions.contains($0.key) }.map(\.value)
                + state.bindings.filter { !bindings.contains($0.key) }.map(\.value)
            state.consumers = state.consumers.filter { consumptions.contains($0.key) }
            state.bindings = state.bindings.filter { bindings.contains($0.key) }
            return gone
        }
        for task in gone { task.cancel() }
        for task in gone { await task.value }
    }
}
