internal import HTTPTransport
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Postgres
internal import StructuredData

/// An answer that says what went wrong (RFC 9457).
struct Problem: Error {
    var status: HTTPResponse.Status
    /// For the person who sent the request.
    var detail: String
    /// The parameter that is wrong.
    var field: String?
    var headers: HTTPFields = [:]

    static func invalid(_ parameter: String, _ message: String) -> Problem {
        Problem(status: .badRequest, detail: "\(parameter) \(message)", field: parameter)
    }

    /// Worth trying again in a second or two.
    static func unavailable(_ why: String) -> Problem {
        Problem(status: .serviceUnavailable, detail: why, headers: [.retryAfter: "1"])
    }

    static let unauthorized = Problem(
        status: .unauthorized, detail: "send Authorization: Bearer <token>, one that is valid",
        headers: [.wwwAuthenticate: #"Bearer realm="todo""#])

    var response: Response {
        var body: JSON = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": JSON(status.code),
            "detail": .string(detail),
        ]
        if let field { body["errors"] = [["field": .string(field), "detail": .string(detail)]] }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body.encoded())))
    }
}

extension Problem {
    /// What any error means to who sent the request; nil for one that should not happen.
    init?(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case is AuthenticationUnavailable, is HTTPTransportError:
            self = .unavailable("tokens cannot be checked right now; try again")
        case let error as PostgresError where error.isConnectionFailure || error.isLockNotAvailable:
            self = .unavailable("the database cannot be used right now; try again")
        case is CancellationError: self = .unavailable("the service is stopping; try again")
        case let error as any HTTPResponseError where error.status == .notFound:
            self.init(status: .notFound, detail: "there is no such resource; the log is at /v1/audit")
        case let error as any HTTPResponseError:
            self.init(status: error.status, detail: error.status.reasonPhrase)
        default: return nil
        }
    }
}

/// Turns errors into `application/problem+json`. One that nobody foresaw is logged, and told as 500 without its text.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
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
            return Problem(status: .internalServerError, detail: "the service failed; its log says why").response
        }
    }
}
