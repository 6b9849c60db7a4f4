public import Hummingbird
internal import Logging

/// Turns errors into `application/problem+json`. One that nobody foresaw is logged, and told as 500 without its text.
public struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    public init() {}

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            if let problem = Problem(error) {
                if problem.status.kind == .serverError {
                    context.logger.warning("request not served", metadata: ["error": "\(error)"])
                }
                return problem.response
            }
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return Problem(.internalServerError, "the service failed; its log says why").response
        }
    }
}
