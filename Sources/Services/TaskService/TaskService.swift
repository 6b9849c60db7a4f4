internal import Concurrency
internal import Dapr
internal import FoundationEssentials
internal import HTTPTransport
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
public import Logging
internal import NIOCore
internal import Postgres
internal import ServiceHTTP
public import ServiceLifecycle
public import Telemetry
internal import TodoModel
internal import TodoStore
internal import TodoWeb
internal import HTTPServing

/// The HTTP API.
///
/// It does not migrate: a database whose schema is not the one of this release makes `run` throw. A database that is
/// away is waited for; meanwhile `/livez` says yes, `/readyz` no, and the API answers 503.
public struct TaskService: Service {
    private let configuration: TaskServiceConfiguration
    private let registry: PrometheusRegistry
    private let logger: Logger
    private let publisher: (any EventPublisher)?
    private let onListening: @Sendable (_ port: Int) -> Void
    private let proxyTransport = CurlTransport(configuration: .init(proxy: .none, offersHTTP2: false))

    /// - Parameters:
    ///   - publisher: takes the events; nil leaves them in the outbox.
    ///   - onListening: called once with the port, when connections are taken.
    public init(
        configuration: TaskServiceConfiguration, registry: PrometheusRegistry, logger: Logger,
        publisher: (any EventPublisher)? = nil,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.registry = registry
        self.logger = logger
        self.publisher = publisher
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown: then `/readyz` says no for `drainDelay` while requests are answered, and only
    /// then the port is closed and requests under way are finished.
    ///
    /// Throws `DatabaseError` on a schema that is older or newer than this release's, and when the port cannot be had.
    public func run() async throws {
        var limits = PostgresPool.Limits(size: configuration.poolSize)
        limits.waitDeadline = configuration.poolWait
        let pool = PostgresPool(configuration.database, limits: limits, logger: logger)
        let readiness = Readiness(pool: pool, logger: logger)
        let commits = Signal()
        let database = TodoDatabase(pool: pool) { commits.signal() }
        let watch = ChangeWatch(feed: database.changes, commits: commits, readiness: readiness)
        let application = application(database, watch, readiness)
        let background = [watch] + background(database, commits, readiness)
        try await serve(
            groupConfiguration(application, background, readiness), on: pool, readiness,
            drainDelay: configuration.drainDelay, logger: logger)
    }

    private func groupConfiguration(
        _ application: some Service, _ background: [any Service], _ readiness: Readiness
    ) -> ServiceGroupConfiguration {
        // Services stop in reverse order: the background goes on while the last requests are answered.
        var configuration = ServiceGroupConfiguration(
            services: background.map { .init(service: $0) } + [
                .init(service: application),
                .init(
                    service: SchemaGate(readiness: readiness), successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup),
            ], logger: logger)
        configuration.maximumGracefulShutdownDuration = self.configuration.stopDeadline
        return configuration
    }

    /// What runs beside the server, once there is a database.
    private func background(_ database: TodoDatabase, _ commits: Signal, _ readiness: Readiness) -> [any Service] {
        var services: [any Service] = [
            Housekeeping(
                maintenance: database.maintenance, readiness: readiness, logger: logger)
        ]
        if let publisher {
            services.append(
                OutboxRelay(
                    outbox: database.outbox, publisher: publisher, commits: commits, readiness: readiness,
                    factory: registry, logger: logger))
        } else {
            logger.warning("there is no sidecar to publish events by: they wait in the outbox")
        }
        return services
    }

    private func application(_ database: TodoDatabase, _ watch: ChangeWatch, _ readiness: Readiness) -> some Service {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: AccessMiddleware(factory: registry))
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(
            registry: registry, ready: HealthChecks([("database", { try await readiness.check() })])
        ).add(to: router)
        WebRoutes().add(to: router)
        for proxy in proxies { proxy.add(to: router) }
        addJobs(to: router, database)
        if configuration.realtime != nil { addLateStream(to: router) }
        let group = router.group()
        group.add(middleware: StartedMiddleware(readiness: readiness))
        api(database, watch).add(to: group)
        return Application(
            router: router,
            server: server,
            configuration: .init(
                address: .hostname(configuration.bindAddress, port: configuration.port), serverName: nil),
            onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    /// What the sidecar calls once a day. The port is open to everybody: without a token by which the sidecar is known it
    /// is not served.
    private func addJobs<Context: RequestContext>(to router: Router<Context>, _ database: TodoDatabase) {
        guard let token = configuration.sidecarToken else { return }
        for job in EventFlow.dailyJobs(of: "api") {
            router.addDaprBinding(job.path, token: token) { [configuration, logger] in
                let count = try await database.maintenance.purgeBin(after: configuration.binLifetime)
                if count > 0 { logger.info("purged what was in the bin for long", metadata: ["rows": "\(count)"]) }
            }
        }
    }

    /// Only the first request of a connection is passed on to the realtime service. A client that keeps connections for
    /// later, as Node's does, asks on one of those: it is to close that one, and so begins another.
    private func addLateStream<Context: RequestContext>(to router: Router<Context>) {
        router.get(RouterPath(StreamTunnel.path)) { _, _ -> Response in
            throw Problem(
                .upgradeRequired, "a WebSocket begins with its connection: try again on a new one",
                headers: [.upgrade: "websocket", .connection: "upgrade, close"])
        }
    }

    /// The other services whose paths are below this one's address.
    private var proxies: [ServiceProxy] {
        let services = [
            ("the audit log", configuration.auditURL, ["/v1/audit"]),
            (
                "the notification service", configuration.notificationURL,
                ["/v1/channels", "/v1/deliveries", "/v1/notifications"]
            ),
        ]
        return services.compactMap { name, url, paths in
            url.map {
                ServiceProxy(name: name, url: $0, paths: paths, transport: proxyTransport)
            }
        }
    }

    private var server: HTTPServerBuilder {
        let http = HTTP1Channel.Configuration(configuration.limits)
        return HTTPServerBuilder { [target = configuration.realtime] responder in
            let plain = HTTP1Channel(responder: responder, configuration: http)
            guard let target else { return AcceptedChannel(base: EventLoopChannel(base: plain)) }
            return AcceptedChannel(base: EventLoopChannel(base: TunnelingChannel(http: plain, target: target)))
        }
    }

    private func api(_ database: TodoDatabase, _ watch: ChangeWatch) -> API {
        let provider = configuration.identityProvider.map {
            let tls = CurlTransport.TLS(trust: $0.authorities.map { .authorities(pem: Array($0.utf8)) } ?? .system)
            return IdentityProvider($0, transport: CurlTransport(configuration: .init(tls: tls)))
        }
        let authenticator = Authenticator(
            database: database,
            operatorTokens: [configuration.apiToken, configuration.previousAPIToken].compactMap(\.self),
            provider: provider)
        let accounts = AccountEndpoints(
            isSignUpOpen: configuration.isSignUpOpen, passwords: PasswordHasher(cost: configuration.passwordCost),
            authenticator: authenticator,
            attempts: RateLimiter(rate: 0.2, burst: 20), spreadAttempts: RateLimiter(rate: 1, burst: 100))
        let endpoints: [Endpoint] = [
            accounts.all, TokenEndpoints(authenticator: authenticator).all, TaskEndpoints.all, SeriesEndpoints.all,
            BulkEndpoint.all, ProjectEndpoints.all, FilterEndpoints.all, ReminderEndpoints.all,
            ChangeEndpoints(watch: watch, authenticator: authenticator).all,
        ].flatMap(\.self)
        let rate = Double(configuration.rateLimit)
        return API(
            database: database, authenticator: authenticator, limiter: RateLimiter(rate: rate, burst: 10 * rate),
            endpoints: endpoints + DocumentEndpoints.all(describing: endpoints, and: proxies),
            deadline: configuration.requestDeadline)
    }
}

/// Waits for the database beside the server, so that probes are answered meanwhile; ends the service when its schema is
/// not the one of this release.
private struct SchemaGate: Service {
    let readiness: Readiness

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await readiness.awaitDatabase()
            } catch is CancellationError {
                // Told to stop while waiting: nothing is wrong.
            }
        }
    }
}
