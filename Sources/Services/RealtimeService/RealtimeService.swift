internal import Dapr
public import HTTPTransport
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
public import Logging
internal import Metrics
internal import NIOCore
internal import NIOPosix
public import ServiceLifecycle
internal import StructuredData
public import Telemetry
internal import TodoModel
internal import ServiceRunning

/// Live changes: a WebSocket at `/v1/stream` for everybody who has a token, fed by the events that the sidecar delivers.
///
/// One port serves clients, the sidecar (`/dapr/…`) and probes (`/livez`, `/readyz`, `/metrics`). It keeps nothing: what
/// a client missed comes from the API. Every replica has to be delivered every event, in a consumer group of its own, and
/// is ready when its sidecar is subscribed.
public struct RealtimeService: Service {
    /// Sockets that are accepted beyond the WebSockets: handshakes under way, the sidecar, probes.
    private static let otherConnections = 512
    /// Descriptors for all that is no accepted socket.
    private static let otherDescriptors = 256

    private let configuration: RealtimeConfiguration
    private let transport: any HTTPTransport
    private let registry: PrometheusRegistry
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameters:
    ///   - transport: for requests to the API.
    ///   - onListening: called once with the port, when connections are taken.
    public init(
        configuration: RealtimeConfiguration, transport: any HTTPTransport, registry: PrometheusRegistry,
        logger: Logger, onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.transport = transport
        self.registry = registry
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown: then `/readyz` says no, clients are told when to reconnect and sent away one by
    /// one over `drainTime`, and only then the port is closed. Throws when the port cannot be had.
    public func run() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let limits = Hub.Limits(connections: connectionLimit(), perUser: configuration.maxConnectionsPerUser)
        let hub = Hub(group: group, limits: limits, metrics: RealtimeMetrics(registry))
        let supply = EventSupply(configuration.sidecar, logger: logger)
        let services = ServiceGroup(services: [application(hub, supply, on: group)], logger: logger)
        defer { hub.close() }
        try await ServiceRunning.run(services) { [logger, configuration] in
            logger.info("stopping", metadata: ["connections": "\(hub.count)"])
            await hub.drain(within: configuration.drainTime, closeTime: configuration.rules.closeTime)
        }
    }

    private func application(_ hub: Hub, _ supply: EventSupply, on group: any EventLoopGroup) -> some Service {
        let service = WebSocketConnection.Service(
            hub: hub, supply: supply,
            api: TodoAPI(
                url: configuration.apiURL, transport: transport, concurrency: configuration.apiConcurrency,
                logger: logger),
            rules: configuration.rules)
        return Application(
            router: router(hub, supply),
            server: HTTPServerBuilder { [configuration] responder in
                StreamChannel(
                    responder: responder, service: service, allowedOrigins: configuration.allowedOrigins,
                    requestTime: TimeAmount(configuration.requestTime), idleTime: .seconds(60))
            },
            configuration: .init(
                address: .hostname(configuration.bindAddress, port: configuration.port), serverName: nil,
                backlog: 4096,
                availableConnectionsDelegate: .maximum(
                    hub.limits.connections + Self.otherConnections, logger: logger)),
            onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(group), logger: logger)
    }

    private func router(_ hub: Hub, _ supply: EventSupply) -> Router<BasicRequestContext> {
        let router = Router()
        let isServing: HealthChecks.Check = {
            if hub.isDraining { throw HealthFailure("the service is stopping") }
        }
        let ready = HealthChecks([("connections", isServing), ("events", supply.check)])
        HealthRoutes(registry: registry, ready: ready).add(to: router)
        StreamRefusals(hub: hub, allowedOrigins: configuration.allowedOrigins).add(to: router)
        router.addDaprSubscribers(
            [
                EventSubscription.subscriber(hub, logger), ReminderSubscription.subscriber(hub, logger),
                AccountSubscription.subscriber(hub),
            ],
            token: configuration.appToken.map { AppToken($0) })
        return router
    }

    /// As many as may be, and as the process may have descriptors: it takes all that it may.
    private func connectionLimit() -> Int {
        guard let limit = DescriptorLimit.raise() else { return configuration.maxConnections }
        let room = max(1, limit - Self.otherConnections - Self.otherDescriptors)
        if room < configuration.maxConnections {
            logger.warning(
                "fewer connections than MAX_CONNECTIONS: raise the limit of open files (ulimit -n)",
                metadata: ["connections": "\(room)"])
        }
        return min(configuration.maxConnections, room)
    }
}

/// The events that this service is delivered.
enum EventSubscription {
    static func subscriber(_ hub: Hub, _ logger: Logger) -> TopicSubscriber {
        TopicSubscriber(EventFlow.path(of: TodoEvent.topic)) { delivered in
            var events: [TodoEvent] = []
            let statuses = delivered.map { delivered -> DeliveryStatus in
                do {
                    events.append(try TodoEvent(delivered.event))
                    return .success
                } catch {
                    // It will never be readable; who it was for finds the change when they next check.
                    hub.metrics.eventsUnreadable.increment()
                    logger.warning("an event was dropped", metadata: ["error": "\(error)"])
                    return .drop
                }
            }
            hub.publish(events)
            return statuses
        }
    }
}
