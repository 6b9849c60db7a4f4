internal import Glibc
internal import HTTPTypes
public import Hummingbird
public import Logging
internal import NIOCore
public import ServiceLifecycle
internal import HTTPServing

/// Serves `/livez`, `/readyz` (200 or 503; the checks are listed with `?verbose` and when one failed) and `/metrics`,
/// which is not found for a request that a proxy passed on.
public struct HealthServer: Service {
    private let host: String
    private let port: Int
    private let logger: Logger
    private let routes: HealthRoutes

    public init(
        host: String, port: Int, registry: PrometheusRegistry,
        live: HealthChecks = HealthChecks(), ready: HealthChecks = HealthChecks(), logger: Logger
    ) {
        self.host = host
        self.port = port
        self.logger = logger
        routes = HealthRoutes(registry: registry, live: live, ready: ready)
    }

    /// The port cannot be listened on.
    public struct PortError: Error, CustomStringConvertible {
        public let description: String
    }

    /// Runs until the task is cancelled or the process is told to stop.
    /// - Throws: `PortError` when the port is taken or not ours to take.
    public func run() async throws {
        let router = Router()
        routes.add(to: router)
        let application = Application(
            router: router, server: .safeHTTP1(),
            configuration: .init(address: .hostname(host, port: port), serverName: nil), logger: logger)
        do {
            try await application.runService(gracefulShutdownSignals: [])
        } catch let error as IOError {
            let reason = String(cString: strerror(error.errnoCode))
            let place = ["::", "0.0.0.0"].contains(host) ? "" : " of \(host)"
            throw PortError(description: "port \(port)\(place) cannot be used: \(reason)")
        }
    }
}

/// The three routes, for servers that have others as well.
public struct HealthRoutes: Sendable {
    private let registry: PrometheusRegistry
    private let live: HealthChecks
    private let ready: HealthChecks

    public init(registry: PrometheusRegistry, live: HealthChecks = HealthChecks(), ready: HealthChecks = HealthChecks())
    {
        self.registry = registry
        self.live = live
        self.ready = ready
    }

    public func add<Context: RequestContext>(to router: Router<Context>) {
        router.get("/livez") { [live] request, _ in await Self.answer(live, request) }
        router.get("/readyz") { [ready] request, _ in await Self.answer(ready, request) }
        router.get("/metrics") { [registry] request, _ in
            // They are for whoever scrapes here, and not for the people beyond an edge.
            guard !Self.forwarding.contains(where: request.headers.contains) else { throw HTTPError(.notFound) }
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: registry.render())))
        }
    }

    /// What proxies add to a request that they pass on (RFC 7239, and what was used before it).
    private static let forwarding = ["Forwarded", "X-Forwarded-For"].compactMap { HTTPField.Name($0) }

    private static func answer(_ checks: HealthChecks, _ request: Request) async -> Response {
        let report = await checks.run()
        let verbose = request.uri.queryParameters["verbose"] != nil
        return Response(
            status: report.isHealthy ? .ok : .serviceUnavailable,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: report.body(verbose: verbose))))
    }
}
