public import Hummingbird
internal import Logging

extension RouterMethods {
    /// Adds a path that a cron binding calls, in every replica at once (contract section 4). With a `token` every call must
    /// show it, else the answer is 401.
    ///
    /// - Parameter handler: what it throws is logged, and answered with 500; the sidecar does not call again before the next
    ///   time.
    public func addDaprBinding(
        _ path: String, token: AppToken?, handler: @escaping @Sendable () async throws -> Void
    ) {
        post(RouterPath(path)) { request, context in
            guard token?.admits(request.headers) ?? true else { return Response(status: .unauthorized) }
            do {
                try await handler()
                return Response(status: .ok)
            } catch {
                context.logger.error(
                    "a daily job failed; it is done the next time", metadata: ["job": "\(path)", "error": "\(error)"])
                return Response(status: .internalServerError)
            }
        }
    }
}
