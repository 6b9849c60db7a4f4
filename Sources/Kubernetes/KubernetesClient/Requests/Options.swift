public import StructuredData

/// Narrows and pages a list.
public struct ListOptions: Sendable, Hashable {
    public enum Match: String, Sendable, Hashable {
        case exact = "Exact"
        case notOlderThan = "NotOlderThan"
    }

    /// `app=web,tier!=cache`.
    public var labelSelector: String?
    /// `metadata.name=x`.
    public var fieldSelector: String?
    /// Objects per page; nil means all in one answer.
    public var limit: Int?
    /// `ObjectList.continueToken` of the page before.
    public var continueToken: String?
    /// `"0"`: whatever the server has at hand; nil: the newest.
    public var resourceVersion: String?
    /// How `resourceVersion` is meant; needs one.
    public var resourceVersionMatch: Match?

    public init(
        labelSelector: String? = nil, fieldSelector: String? = nil, limit: Int? = nil, continueToken: String? = nil,
        resourceVersion: String? = nil, resourceVersionMatch: Match? = nil
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.limit = limit
        self.continueToken = continueToken
        self.resourceVersion = resourceVersion
        self.resourceVersionMatch = resourceVersionMatch
    }

    var query: Query {
        var query = Query()
        query.add("labelSelector", labelSelector)
        query.add("fieldSelector", fieldSelector)
        query.add("limit", limit.map(String.init))
        query.add("continue", continueToken)
        // A continue token carries its own version; the server refuses both.
        if continueToken == nil {
            query.add("resourceVersion", resourceVersion)
            query.add("resourceVersionMatch", resourceVersionMatch?.rawValue)
        }
        return query
    }
}

/// What a watch is to see, and for how long.
public struct WatchOptions: Sendable, Hashable {
    /// Longest time the server is asked to keep a watch open; load balancers drop idle connections soon after.
    public static let longestTimeoutSeconds = 200
    /// How long after the server's own end of a watch the client ends it.
    public static let clientGraceSeconds = 5

    public var labelSelector: String?
    public var fieldSelector: String?
    /// Events after this version; nil means from the present state on.
    public var resourceVersion: String?
    /// Seconds until the server ends the watch, at most 200.
    public var timeoutSeconds: Int
    public var allowBookmarks: Bool
    /// First the present objects as `.added`, then a bookmark with `initialEventsEnd`. `resourceVersion`, when there is
    /// one, then means "not older than".
    public var sendInitialEvents: Bool

    public init(
        labelSelector: String? = nil, fieldSelector: String? = nil, resourceVersion: String? = nil,
        timeoutSeconds: Int = longestTimeoutSeconds, allowBookmarks: Bool = true, sendInitialEvents: Bool = false
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.resourceVersion = resourceVersion
        self.timeoutSeconds = max(1, min(timeoutSeconds, Self.longestTimeoutSeconds))
        self.allowBookmarks = allowBookmarks
        self.sendInitialEvents = sendInitialEvents
    }

    /// When the client gives the watch up, counted from the request.
    public var clientDeadline: Duration { .seconds(boundedTimeout + Self.clientGraceSeconds) }

    private var boundedTimeout: Int { max(1, min(timeoutSeconds, Self.longestTimeoutSeconds)) }

    var query: Query {
        var query = Query()
        query.add("watch", "true")
        query.add("labelSelector", labelSelector)
        query.add("fieldSelector", fieldSelector)
        query.add("resourceVersion", resourceVersion)
        query.add("timeoutSeconds", String(boundedTimeout))
        // The server sends no initial events to a client that does not take bookmarks.
        query.add("allowWatchBookmarks", allowBookmarks || sendInitialEvents ? "true" : nil)
        if sendInitialEvents {
            query.add("sendInitialEvents", "true")
            query.add("resourceVersionMatch", ListOptions.Match.notOlderThan.rawValue)
        }
        return query
    }
}

/// What the server does with fields it does not know.
public enum FieldValidation: String, Sendable, Hashable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
}

/// How a create, replace or patch is to be done.
public struct WriteOptions: Sendable, Hashable {
    /// Recorded in `metadata.managedFields`; nil lets the server take the user agent's name.
    public var fieldManager: String?
    /// Do everything but store the result.
    public var dryRun: Bool
    public var fieldValidation: FieldValidation?

    public init(fieldManager: String? = nil, dryRun: Bool = false, fieldValidation: FieldValidation? = nil) {
        self.fieldManager = fieldManager
        self.dryRun = dryRun
        self.fieldValidation = fieldValidation
    }

    var query: Query {
        var query = Query()
        query.add("fieldManager", fieldManager)
        query.add("dryRun", dryRun ? "All" : nil)
        query.add("fieldValidation", fieldValidation?.rawValue)
        return query
    }
}

/// A change to an object.
public enum Patch: Sendable, Hashable {
    /// RFC 7396.
    case merge(JSON)
    /// RFC 6902, an array of operations.
    case json(JSON)
    /// Kubernetes' own; built-in kinds only.
    case strategic(JSON)

    var body: JSON {
        switch self {
        case .merge(let json), .json(let json), .strategic(let json): json
        }
    }

    var contentType: String {
        switch self {
        case .merge: "application/merge-patch+json"
        case .json: "application/json-patch+json"
        case .strategic: "application/strategic-merge-patch+json"
        }
    }
}

/// How a delete is to be done, `meta/v1` `DeleteOptions`.
public struct DeleteOptions: Sendable, Hashable {
    /// What becomes of objects that the deleted one owns.
    public enum Propagation: String, Sendable, Hashable {
        case background = "Background"
        case foreground = "Foreground"
        case orphan = "Orphan"
    }

    /// Delete only the object with this uid; another one is a conflict.
    public var uid: String?
    /// Delete only this version of the object; another one is a conflict.
    public var resourceVersion: String?
    public var propagation: Propagation?
    public var gracePeriodSeconds: Int?
    public var dryRun: Bool

    public init(
        uid: String? = nil, resourceVersion: String? = nil, propagation: Propagation? = nil,
        gracePeriodSeconds: Int? = nil, dryRun: Bool = false
    ) {
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.propagation = propagation
        self.gracePeriodSeconds = gracePeriodSeconds
        self.dryRun = dryRun
    }

    var body: JSON {
        var json: JSON = ["kind": "DeleteOptions", "apiVersion": "v1"]
        if let uid { json.set(JSON(uid), at: "preconditions", "uid") }
        if let resourceVersion { json.set(JSON(resourceVersion), at: "preconditions", "resourceVersion") }
        json["propagationPolicy"] = propagation.map { JSON($0.rawValue) }
        json["gracePeriodSeconds"] = gracePeriodSeconds.map { JSON($0) }
        if dryRun { json["dryRun"] = ["All"] }
        return json
    }
}

/// What a delete came to.
public enum DeleteOutcome: Sendable, Hashable {
    /// The object is gone.
    case deleted(uid: String?)
    /// The object waits for finalizers, dependents or its grace period.
    case pending(KubernetesObject)
}

/// One page, or all, of a collection.
public struct ObjectList: Sendable, Hashable {
    public var items: [KubernetesObject]
    /// Where a watch goes on.
    public var resourceVersion: String
    /// Set when there are more pages.
    public var continueToken: String?
    /// Objects on later pages, when the server counts them.
    public var remainingItemCount: Int?

    public init(
        items: [KubernetesObject], resourceVersion: String, continueToken: String? = nil,
        remainingItemCount: Int? = nil
    ) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
        self.remainingItemCount = remainingItemCount
    }

    /// Reads a `…List`. Items of built-in kinds come without `apiVersion` and `kind`; both are put back. An item that
    /// is no object is kept as it is, without a name: it must not cost the others.
    init?(json: JSON, type: ResourceType) {
        guard let metadata = json["metadata"], json["kind"]?.string?.hasSuffix("List") == true else { return nil }
        let token = metadata["continue"]?.string ?? ""
        self.init(
            items: (json["items"]?.array ?? []).map { item in
                guard item.object != nil else { return KubernetesObject(item) }
                var item = item
                if item["apiVersion"] == nil { item["apiVersion"] = JSON(type.apiVersion) }
                if item["kind"] == nil { item["kind"] = JSON(type.kind) }
                return KubernetesObject(item)
            },
            resourceVersion: metadata["resourceVersion"]?.string ?? "", continueToken: token.isEmpty ? nil : token,
            remainingItemCount: metadata["remainingItemCount"]?.int)
    }
}
