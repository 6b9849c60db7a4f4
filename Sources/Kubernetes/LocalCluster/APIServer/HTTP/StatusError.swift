internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// A request's failure: what becomes a `Status` of kind Failure.
struct StatusError: Error {
    struct Cause {
        var reason: String
        var message: String
        var field: String?
    }

    var code: Int
    var reason: String
    var message: String
    /// `details`: the resource (or kind) and object that the failure is about.
    var name: String?
    var group: String?
    var kind: String?
    var uid: String?
    var causes: [Cause] = []
    var retryAfterSeconds: Int?
    /// `metadata` of the Status, such as the continue token of an expired list.
    var metadata: JSON = .object(JSONObject())
    /// Most failures have `details`, if only an empty one.
    var hasDetails: Bool

    init(_ code: Int, _ reason: String, _ message: String) {
        self.code = code
        self.reason = reason
        self.message = message
        hasDetails = code != 400 && code != 401
    }

    var json: JSON {
        var status: JSON = ["kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure"]
        status["message"] = .string(message)
        if !reason.isEmpty { status["reason"] = .string(reason) }
        var details = JSONObject()
        details["name"] = name.map(JSON.string)
        if let group, !group.isEmpty { details["group"] = .string(group) }
        details["kind"] = kind.map(JSON.string)
        details["uid"] = uid.map(JSON.string)
        if !causes.isEmpty { details["causes"] = .array(causes.map(\.json)) }
        details["retryAfterSeconds"] = retryAfterSeconds.map { JSON($0) }
        if !details.isEmpty || hasDetails { status["details"] = .object(details) }
        status["code"] = JSON(code)
        return status
    }
}

extension StatusError.Cause {
    fileprivate var json: JSON {
        var cause: JSON = ["message": .string(message)]
        if !reason.isEmpty { cause["reason"] = .string(reason) }
        cause["field"] = field.map(JSON.string)
        return cause
    }
}

// MARK: - The failures of kube-apiserver, in its words

extension StatusError {
    /// What an error is about: a resource and mostly one of its objects.
    init(_ code: Int, _ reason: String, _ message: String, of resource: ServedResource, name: String?) {
        self.init(code, reason, message)
        self.name = name
        group = resource.type.group
        kind = resource.type.plural
    }

    static func badRequest(_ message: String) -> StatusError { StatusError(400, "BadRequest", message) }

    static func unauthorized() -> StatusError { StatusError(401, "Unauthorized", "Unauthorized") }

    static func notFound(_ resource: ServedResource, _ name: String) -> StatusError {
        StatusError(404, "NotFound", "\(resource.qualifiedPlural) \"\(name)\" not found", of: resource, name: name)
    }

    /// A path that leads nowhere.
    static func noSuchResource() -> StatusError {
        StatusError(404, "NotFound", "the server could not find the requested resource")
    }

    static func methodNotAllowed() -> StatusError {
        StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    static func notAcceptable(_ accepted: [String]) -> StatusError {
        var error = StatusError(
            406, "NotAcceptable",
            "only the following media types are accepted: \(accepted.joined(separator: ", "))")
        error.hasDetails = false
        return error
    }

    static func unsupportedMediaType(_ accepted: [String]) -> StatusError {
        var error = StatusError(
            415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
                + accepted.joined(separator: ", "))
        error.hasDetails = false
        return error
    }

    static func alreadyExists(_ resource: ServedResource, _ name: String) -> StatusError {
        StatusError(
            409, "AlreadyExists", "\(resource.qualifiedPlural) \"\(name)\" already exists", of: resource, name: name)
    }

    static func conflict(_ resource: ServedResource, _ name: String, _ why: String? = nil) -> StatusError {
        let why =
            why ?? "the object has been modified; please apply your changes to the latest version and try again"
        return StatusError(
            409, "Conflict", "Operation cannot be fulfilled on \(resource.qualifiedPlural) \"\(name)\": \(why)",
            of: resource, name: name)
    }

    static func invalid(_ resource: ServedResource, _ name: String, _ errors: [FieldError]) -> StatusError {
        let kind = resource.type.kind
        let qualified = resource.type.group.isEmpty ? kind : "\(kind).\(resource.type.group)"
        let texts = errors.map(\.description)
        let text = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
        var error = StatusError(422, "Invalid", "\(qualified) \"\(name)\" is invalid: \(text)")
        error.name = name.isEmpty ? nil : name
        error.group = resource.type.group
        error.kind = kind
        error.causes = errors.map { Cause(reason: $0.reason.rawValue, message: $0.message, field: $0.field) }
        return error
    }

    static func forbidden(_ resource: ServedResource, _ name: String?, _ why: String) -> StatusError {
        let object = name.map { " \"\($0)\"" } ?? ""
        return StatusError(
            403, "Forbidden", "\(resource.qualifiedPlural)\(object) is forbidden: \(why)", of: resource, name: name)
    }

    static func expired(_ message: String) -> StatusError {
        var error = StatusError(410, "Expired", message)
        error.hasDetails = false
        return error
    }

    static func tooOldRevision(_ requested: UInt64, oldest: UInt64) -> StatusError {
        expired("too old resource version: \(requested) (\(oldest))")
    }

    static func tooLargeRevision(_ requested: UInt64, current: UInt64) -> StatusError {
        var error = StatusError(
            504, "Timeout", "Too large resource version: \(requested), current: \(current)")
        error.causes = [Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")]
        error.retryAfterSeconds = 1
        return error
    }

    static func tooLarge(limit: Int) -> StatusError {
        StatusError(
            413, "RequestEntityTooLarge", "Request entity too large: limit is \(limit)")
    }

    static func tooManyRequests(_ message: String, retryAfterSeconds: Int?) -> StatusError {
        var error = StatusError(429, "TooManyRequests", message)
        error.retryAfterSeconds = retryAfterSeconds
        return error
    }

    static func internalError(_ message: String) -> StatusError {
        var error = StatusError(500, "InternalError", "Internal error occurred: \(message)")
        error.causes = [Cause(reason: "", message: message)]
        return error
    }
}

extension ServedResource {
    /// `deployments.apps`, `configmaps`.
    var qualifiedPlural: String { type.group.isEmpty ? type.plural : "\(type.plural).\(type.group)" }
}

extension StatusError {
    /// An option of the query that is not valid.
    static func invalidOptions(
        _ kind: String, group: String = "meta.k8s.io", field: String, _ reason: FieldError.Reason, _ message: String
    ) -> StatusError {
        let qualified = group.isEmpty ? kind : "\(kind).\(group)"
        var error = StatusError(422, "Invalid", "\(qualified) \"\" is invalid: \(field): \(message)")
        error.group = group.isEmpty ? nil : group
        error.kind = kind
        error.causes = [Cause(reason: reason.rawValue, message: message, field: field)]
        return error
    }

    /// A patch whose result cannot be decoded.
    static func invalidPatch(_ patch: String, _ why: String) -> StatusError {
        let message = "Invalid value: \(quoted(patch)): \(why)"
        var error = StatusError(422, "Invalid", " \"\" is invalid: patch: \(message)")
        error.causes = [Cause(reason: FieldError.Reason.invalid.rawValue, message: message, field: "patch")]
        return error
    }

    init(_ error: StoreError) {
        switch error {
        case .alreadyExists, .changed: self = .internalError("the object changed meanwhile")
        case .compacted(let requested, let oldest): self = .tooOldRevision(requested, oldest: oldest)
        case .future(let requested, let current): self = .tooLargeRevision(requested, current: current)
        case .log(let why): self = .internalError("cannot store: \(why)")
        }
    }
}
