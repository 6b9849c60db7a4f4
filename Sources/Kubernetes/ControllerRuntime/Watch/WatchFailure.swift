public import KubernetesClient

/// Why a list or watch got no result, as far as it changes what to do next.
public enum WatchFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// 410: the server no longer has this version.
    case expired
    /// The server has not reached this version: it lags behind, or was set back.
    case versionTooLarge
    /// 404: the server does not have this type.
    case absent
    /// 401 or 403.
    case forbidden(String)
    case other(String, retryAfter: Duration?)

    public init(_ status: Status) {
        let tooLarge = status.causes.contains { $0.reason == "ResourceVersionTooLarge" }
        if status.isGone {
            self = .expired
        } else if tooLarge || status.message.contains("Too large resource version") {
            self = .versionTooLarge
        } else if status.isNotFound {
            self = .absent
        } else if status.isForbidden || status.isUnauthorized {
            self = .forbidden(status.message)
        } else {
            let text = status.message.isEmpty ? "the server answered \(status.code)" : status.message
            self = .other(text, retryAfter: status.retryAfterSeconds.map { .seconds($0) })
        }
    }

    public init(_ error: any Error) {
        if let failure = error as? WatchFailure {
            self = failure
        } else if let status = (error as? APIError)?.status {
            self.init(status)
        } else {
            self = .other("\(error)", retryAfter: nil)
        }
    }

    var retryAfter: Duration? { if case .other(_, let delay) = self { delay } else { nil } }

    public var description: String {
        switch self {
        case .expired: "the resource version has expired"
        case .versionTooLarge: "the server has not reached the resource version"
        case .absent: "the server does not have this API"
        case .forbidden(let why): why.isEmpty ? "not allowed" : why
        case .other(let why, _): why
        }
    }
}

/// What a reflector reports: for the log, for metrics and for `Informer.status`.
public enum WatchProblem: Sendable, Equatable, CustomStringConvertible {
    case listFailed(WatchFailure)
    case watchFailed(WatchFailure)
    /// A request had no answer, and no end, until its deadline.
    case mute
    /// An object or event was skipped.
    case undecodable(String)

    public var description: String {
        switch self {
        case .listFailed(let failure): "list: \(failure)"
        case .watchFailed(let failure): "watch: \(failure)"
        case .mute: "the connection stayed mute; trying again"
        case .undecodable(let why): "skipped: \(why)"
        }
    }
}
