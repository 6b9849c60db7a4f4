internal import Concurrency
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Metrics
internal import ServiceHTTP

/// Times each request for `http_server_request_duration_seconds` and logs it at debug.
struct AccessMiddleware<Context: RequestContext>: RouterMiddleware {
    private struct Labels: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private let factory: any MetricsFactory
    private let timers = Lock<[Labels: Timer]>([:])
    private let clock = ContinuousClock()

    init(factory: any MetricsFactory) { self.factory = factory }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = clock.now
        let response = try await next(request, context)
        let duration = start.duration(to: clock.now)
        let labels = Labels(
            method: knownMethods.contains(request.method) ? request.method.rawValue : "OTHER",
            route: context.endpointPath ?? "NotFound", status: response.status.code)
        timer(labels).recordNanoseconds(Int64(duration / .nanoseconds(1)))
        context.logger.debug(
            "request",
            metadata: [
                "method": "\(request.method)", "route": "\(labels.route)", "path": "\(request.uri.path)",
                "status": .stringConvertible(labels.status),
                "milliseconds": .stringConvertible(duration / .milliseconds(1)),
            ])
        return response
    }

    /// Methods are labels; a client that makes them up must not make series.
    private let knownMethods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace, .connect,
    ]

    private func timer(_ labels: Labels) -> Timer {
        timers.withLock { timers in
            if let timer = timers[labels] { return timer }
            let timer = Timer(
                label: "http_server_request_duration_seconds",
                dimensions: [
                    ("method", labels.method), ("route", labels.route), ("status", "\(labels.status)"),
                ], factory: factory)
            timers[labels] = timer
            return timer
        }
    }
}

/// Answers 503 while the database has not been seen with the schema that this release needs.
struct StartedMiddleware<Context: RequestContext>: RouterMiddleware {
    let readiness: Readiness

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard readiness.mayServe else { throw Problem.unavailable("the service waits for its database; try again") }
        return try await next(request, context)
    }
}
