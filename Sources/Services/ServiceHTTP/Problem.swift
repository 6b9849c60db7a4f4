public import HTTPTypes
public import Hummingbird
internal import NIOCore
internal import Postgres
public import StructuredData
public import TodoModel
internal import TodoStore

/// An answer that says what went wrong (RFC 9457).
public struct Problem: Error, Sendable {
    public var status: HTTPResponse.Status
    /// For the person who sent the request.
    public var detail: String
    /// What is wrong with which field.
    public var fields: [ValidationError.Field] = []
    public var headers: HTTPFields = [:]

    public init(
        _ status: HTTPResponse.Status, _ detail: String, fields: [ValidationError.Field] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.detail = detail
        self.fields = fields
        self.headers = headers
    }

    public var response: Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.encoded())))
    }

    public var json: JSON {
        var body: JSONObject = ["type": "about:blank"]
        body["title"] = .string(status.reasonPhrase)
        body["status"] = JSON(status.code)
        body["detail"] = .string(detail)
        if !fields.isEmpty {
            body["errors"] = .array(fields.map { ["field": .string($0.field), "detail": .string($0.message)] })
        }
        return .object(body)
    }
}

extension Problem {
    public static func invalid(_ parameter: String, _ message: String) -> Problem {
        Problem(.badRequest, "\(parameter) \(message)", fields: [.init(parameter, message)])
    }

    public static let notFound = Problem(.notFound, "there is no such thing, or it is not yours to see")

    /// - Parameter isInvalid: there was a token.
    public static func unauthorized(_ detail: String, isInvalid: Bool) -> Problem {
        let challenge = #"Bearer realm="todo""# + (isInvalid ? #", error="invalid_token""# : "")
        return Problem(.unauthorized, detail, headers: [.wwwAuthenticate: challenge])
    }

    /// Worth trying again in a second or two.
    public static func unavailable(_ why: String) -> Problem {
        Problem(.serviceUnavailable, why, headers: [.retryAfter: "1"])
    }

    public static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(.methodNotAllowed, "this resource knows \(names)", headers: [.allow: names])
    }

    /// What any error means to who sent the request; nil for one that should not happen.
    public init?(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as ValidationError:
            self.init(.unprocessableContent, error.description, fields: error.fields)
        case let error as StoreError: self.init(error)
        case let error as TaskCursorError: self = .invalid("cursor", "is not of this list: \(error)")
        case let error as PostgresError where error.isPassing:
            self = .unavailable("the database cannot be used right now; try again")
        case is UploadTimeout:
            self.init(.requestTimeout, "the body took too long", headers: [.connection: "close"])
        case is AuthenticationUnavailable:
            self = .unavailable("tokens cannot be checked right now; try again")
        case is DeadlineExceeded, is CancellationError:
            self = .unavailable("the database took too long; try again")
        case let error as any HTTPResponseError where error.status == .notFound:
            self.init(.notFound, "there is no such resource; /v1/openapi.json lists them all")
        case let error as any HTTPResponseError:
            self.init(error.status, error.status.reasonPhrase)
        default: return nil
        }
    }
}

extension Problem {
    private init(_ error: StoreError) {
        switch error {
        case .notFound: self = .notFound
        case .forbidden: self.init(.forbidden, "you may look at this, but not change it: ask its owner")
        case .versionMismatch(let current):
            self.init(
                .preconditionFailed, "it was changed meanwhile: it is at version \(current); read it again",
                headers: [.eTag: "\"\(current)\""])
        case .invalid(let error):
            self.init(
                .unprocessableContent, error.description, fields: error.fields.filter { !$0.field.isEmpty })
        case .emailTaken:
            self.init(
                .conflict, "the address has an account already: sign in",
                fields: [.init("email", "has an account already")])
        case .idempotencyKeyReused:
            self.init(
                .unprocessableContent, "the Idempotency-Key came with another request: use a new one",
                fields: [.init("Idempotency-Key", "came with another request")])
        case .undoExpired: self.init(.gone, "the operation is unknown, too old, or undone already")
        case .cursorAhead:
            self.init(
                .gone, "the cursor is ahead of what there is, as after a restore from a backup: read everything anew")
        case .undoConflict: self.init(.conflict, "a task was changed since: nothing was undone")
        case .undoDisplaced:
            self.init(
                .conflict,
                "the project, parent task or subtasks of a task were deleted or moved since, so nothing was undone: "
                    + "restore them first, or move the task where it shall be")
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
