internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Postgres
internal import StructuredData
internal import TodoModel

/// An answer that says what went wrong (RFC 9457).
struct Problem: Error {
    var status: HTTPResponse.Status
    /// For the person who sent the request.
    var detail: String
    /// What is wrong with which field.
    var fields: [ValidationError.Field] = []
    var headers: HTTPFields = [:]

    init(
        _ status: HTTPResponse.Status, _ detail: String, fields: [ValidationError.Field] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.detail = detail
        self.fields = fields
        self.headers = headers
    }

    var response: Response {
        var body = JSONObject()
        body["title"] = .string(status.reasonPhrase)
        body["status"] = JSON(status.code)
        body["detail"] = .string(detail)
        if !fields.isEmpty {
            body["errors"] = .array(fields.map { ["field": .string($0.field), "message": .string($0.message)] })
        }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: JSON.object(body).encoded())))
    }
}

extension Problem {
    static func invalid(_ parameter: String, _ message: String) -> Problem {
        Problem(.badRequest, "\(parameter) \(message)", fields: [.init(parameter, message)])
    }

    static let noSuchTask = Problem(.notFound, "there is no such task")

    /// Worth trying again in a second or two.
    static func unavailable(_ why: String) -> Problem {
        Problem(.serviceUnavailable, why, headers: [.retryAfter: "1"])
    }

    static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(.methodNotAllowed, "this resource knows \(names)", headers: [.allow: names])
    }

    /// What any error means to who sent the request; nil for one that should not happen.
    init?(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as ValidationError:
            self.init(.unprocessableContent, error.description, fields: error.fields)
        case let error as PostgresError where error.isPassing:
            self = .unavailable("the database cannot be used right now; try again")
        case is DeadlineExceeded, is CancellationError:
            self = .unavailable("the database took too long; try again")
        case let error as any HTTPResponseError where error.status == .notFound:
            self.init(.notFound, "there is no such resource; tasks are at /v1/tasks")
        case let error as any HTTPResponseError:
            self.init(error.status, error.status.reasonPhrase)
        default: return nil
        }
    }
}

extension PostgresError {
    /// Nothing is wrong with the request: the database is away, stopping, full, or busy with others.
    fileprivate var isPassing: Bool {
        if isConnectionFailure || isTransactionRetryable || isLockNotAvailable || isQueryCanceled { return true }
        if case .closed = self { return true }
        return sqlState.map { $0.hasPrefix("53") || $0.hasPrefix("57") || $0 == "25006" } ?? false
    }
}
