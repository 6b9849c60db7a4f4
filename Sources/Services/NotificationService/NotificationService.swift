internal import Crypto
internal import Dapr
internal import HTTPTransport
internal import Hummingbird
public import Logging
internal import NIOCore
internal import Postgres
public import ServiceHTTP
public import ServiceLifecycle
public import Telemetry
internal import TodoModel
internal import TodoStore
internal import HTTPServing

/// The notification service: takes reminders from the sidecar, sends them by the channels that people have, and shows
/// people their channels and what became of what was sent.
///
/// It does not migrate: a database whose schema is not the one of this release makes `run` throw. A database that is
/// away is waited for; meanwhile `/livez` says yes, `/readyz` no, and deliveries are asked for again.
public struct NotificationService: Service {
    private let configuration: NotificationServiceConfiguration
    private let registry: PrometheusRegistry
    private let actions: (any ReminderActions)?
    private let authenticator: any TokenAuthenticator
    private let resolver: any AddressResolver
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameters:
    ///   - actions: what links in mails do with reminders; nil is what the database does.
    ///   - authenticator: nil asks the api service.
    ///   - resolver: tells where the hosts of webhooks are.
    ///   - onListening: called once with the port, when connections are taken.
    public init(
        configuration: NotificationServiceConfiguration, registry: PrometheusRegistry,
        actions: (any ReminderActions)? = nil, authenticator: (any TokenAuthenticator)? = nil,
        resolver: any AddressResolver = SystemResolver(), logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.registry = registry
        self.actions = actions
        self.authenticator =
            authenticator
            ?? APITokenAuthenticator(
                api: configuration.apiURL, transport: CurlTransport(configuration: .init(proxy: .none)))
        self.resolver = resolver
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown: then `/readyz` says no for `drainDelay` while requests are answered; then the
    /// port is closed, nothing more is sent, and what is under way is finished.
    ///
    /// Throws when the schema is older or newer than this release's, and when the port cannot be had.
    public func run() async throws {
        var limits = PostgresPool.Limits(size: configuration.poolSize)
        limits.waitDeadline = configuration.poolWait
        let pool = PostgresPool(configuration.database, limits: limits, logger: logger)
        if configuration.sidecarToken == nil {
            logger.warning("APP_API_TOKEN is not set: whoever reaches the port may deliver events")
        }
        if configuration.mail == nil { logger.notice("TODO_SMTP_HOST is not set: no mails are sent") }
        let readiness = Readiness(pool: pool, logger: logger)
        try await serve(
            groupConfiguration(pool, readiness), on: pool, readiness, drainDelay: configuration.drainDelay,
            logger: logger)
    }

    private func groupConfiguration(_ pool: PostgresPool, _ readiness: Readiness) -> ServiceGroupConfiguration {
        let now: @Sendable () -> Instant = { .now() }
        let database = TodoDatabase(pool: pool)
        let store = database.notifications
        let metrics = NotificationMetrics(registry)
        let links = Links(
            key: SymmetricKey(data: configuration.linkKey),
            previousKey: configuration.previousLinkKey.map { SymmetricKey(data: $0) },
            publicURL: configuration.publicURL,
            now: now)
        let engine = DeliveryEngine(
            store: store, senders: senders(links, now), metrics: metrics, logger: logger, now: now)
        let delivery = ReminderDelivery(
            store: store, kinds: engine.kinds, metrics: metrics, logger: logger, now: now
        ) { engine.nudge() }
        let work = DeliveryWork(engine: engine, store: store, metrics: metrics, readiness: readiness, logger: logger)
        let channels = ChannelEndpoints(
            store: store, links: links, policy: configuration.addresses, resolver: resolver,
            sendsMail: configuration.mail != nil, now: now
        ) { engine.nudge() }
        let endpoints = channels.all + DeliveryEndpoints(store: store, now: now) { engine.nudge() }.all
        let linkRoutes = LinkRoutes(links: links, store: store, actions: actions ?? database.reminders, now: now)
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(
                    service: work, successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: application(endpoints, linkRoutes, delivery, readiness)),
            ], logger: logger)
        configuration.maximumGracefulShutdownDuration = self.configuration.stopDeadline
        return configuration
    }

    private func senders(
        _ links: Links, _ now: @escaping @Sendable () -> Instant
    ) -> [NotificationChannel.Kind: any ChannelSender] {
        // HTTP/1.1: one receiver's stream must not wait for another's.
        let transport = CurlTransport(
            configuration: .init(maxConnectionsPerHost: DeliverySlots.perHost, offersHTTP2: false))
        var senders: [NotificationChannel.Kind: any ChannelSender] = [
            .webhook: WebhookSender(
                transport: transport, resolver: resolver, policy: configuration.addresses, now: now,
                timeout: configuration.webhookTimeout)
        ]
        if let mail = configuration.mail {
            senders[.email] = MailSender(
                transport: SMTPTransport(mail.server), composer: MailComposer(from: mail.from, links: links))
        }
        return senders
    }

    private func application(
        _ endpoints: [NotificationEndpoint], _ links: LinkRoutes, _ delivery: ReminderDelivery, _ readiness: Readiness
    ) -> some Service {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(
            registry: registry, ready: HealthChecks([("database", { try await readiness.check() })])
        ).add(to: router)
        router.addDaprSubscribers(delivery.subscribers, token: configuration.sidecarToken)
        for endpoint in endpoints { endpoint.add(to: router, authenticator) }
        router.addOpenAPI(OpenAPI.notifications(endpoints))
        links.add(to: router)
        return Application(
            router: router,
            server: .safeHTTP1(configuration: .init(configuration.limits)),
            configuration: .init(
                address: .hostname(configuration.bindAddress, port: configuration.port), serverName: nil),
            onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}

/// Sends what is to be sent, and throws old deliveries away, once there is a database; ends the service when its schema is
/// not the one of this release. It is told to stop after the server.
private struct DeliveryWork: Service {
    private static let tidyInterval: Duration = .seconds(600)
    private static let keepsDelivered: Duration = .seconds(30 * 86_400)
    private static let keepsDead: Duration = .seconds(90 * 86_400)
    /// For so long after its time a delivery is left to replicas that may have a sender for it.
    private static let patience: Duration = .seconds(3600)

    let engine: DeliveryEngine
    let store: NotificationStore
    let metrics: NotificationMetrics
    let readiness: Readiness
    let logger: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await readiness.awaitDatabase() }
        } catch is CancellationError {
            return  // told to stop while waiting: nothing is wrong
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cancelWhenGracefulShutdown { await tidy() } }
            group.addTask {
                await withGracefulShutdownHandler {
                    await engine.run()
                } onGracefulShutdown: {
                    engine.stop()
                }
            }
            try await group.waitForAll()
        }
    }

    private func giveUp(at now: Instant) async throws -> Int {
        let count = try await store.giveUp(allBut: engine.kinds, endedBefore: now - Self.patience)
        metrics.died(count)
        return count
    }

    private func tidy() async {
        while !Task.isCancelled {
            do {
                let now = Instant.now()
                while try await store.forget(
                    deliveredBefore: now - Self.keepsDelivered, deadBefore: now - Self.keepsDead) > 0
                {}
                while try await giveUp(at: now) > 0 {}
                let (pending, dead) = try await store.backlog()
                metrics.backlog(pending: pending, dead: dead)
            } catch {
                if Task.isCancelled { return }
                logger.warning("old deliveries could not be removed", metadata: ["error": "\(error)"])
            }
            // Spread, so that replicas that started together do not work together.
            try? await Task.sleep(for: Self.tidyInterval * Double.random(in: 0.8...1.2))
        }
    }
}
