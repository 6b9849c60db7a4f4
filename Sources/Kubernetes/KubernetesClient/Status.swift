public import StructuredData

/// The server's word on a failed request, `meta/v1` `Status`: kept whole, with the fields that people act on by name.
public struct Status: Sendable, Hashable {
    /// One field or condition that the failure is about.
    public struct Cause: Sendable, Hashable {
        /// `FieldValueInvalid`, `FieldManagerConflict`, …
        public var reason: String
        public var message: String
        /// Path of the field, `spec.replicas`; empty when the cause is not about one.
        public var field: String

        public init(reason: String, message: String, field: String = "") {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// The HTTP status.
    public var code: Int
    /// `NotFound`, `Conflict`, `Expired`, … Empty when the server gave none.
    public var reason: String
    public var message: String
    public var causes: [Cause]
    /// Seconds the server asks the client to wait.
    public var retryAfterSeconds: Int?
    /// The `Status` object, or null when the answer was not one.
    public var json: JSON

    public init(
        code: Int, reason: String, message: String, causes: [Cause] = [], retryAfterSeconds: Int? = nil,
        json: JSON = .null
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retryAfterSeconds = retryAfterSeconds
        self.json = json
    }

    /// Reads a `Status` object. `code` stands in when the object has none.
    public init(json: JSON, code: Int = 0) {
        let details = json["details"]
        self.init(
            code: json["code"]?.int ?? code, reason: json["reason"]?.string ?? "",
            message: json["message"]?.string ?? "",
            causes: (details?["causes"]?.array ?? []).map { cause in
                Cause(
                    reason: cause["reason"]?.string ?? "", message: cause["message"]?.string ?? "",
                    field: cause["field"]?.string ?? "")
            },
            retryAfterSeconds: details?["retryAfterSeconds"]?.int, json: json)
    }
}

extension Status {
    public var isNotFound: Bool { code == 404 || reason == "NotFound" }
    /// The resource version is not the current one, or another manager owns a field that is being applied.
    public var isConflict: Bool { reason == "Conflict" || (code == 409 && reason != "AlreadyExists") }
    public var isAlreadyExists: Bool { reason == "AlreadyExists" }
    /// A resource version or continue token that is too old: `Expired` or `Gone`.
    public var isGone: Bool { code == 410 || reason == "Expired" || reason == "Gone" }
    public var isForbidden: Bool { code == 403 || reason == "Forbidden" }
    public var isUnauthorized: Bool { code == 401 || reason == "Unauthorized" }
    public var isInvalid: Bool { code == 422 || reason == "Invalid" }
    public var isTooManyRequests: Bool { code == 429 || reason == "TooManyRequests" }
    /// The namespace of a create is being deleted.
    public var isNamespaceTerminating: Bool { causes.contains { $0.reason == "NamespaceTerminating" } }
}
