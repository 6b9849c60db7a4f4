public import HTTPTransport

/// A request that gave no result: what was asked, and why it failed.
public struct APIError: Error, Sendable {
    public enum Cause: Sendable {
        /// The server answered with an error.
        case status(Status)
        /// There was no answer, or it broke off.
        case transport(HTTPTransportError)
        /// The answer is not what the API promises.
        case malformedResponse(String)
        /// The credentials that the request needs could not be had; it was not sent.
        case credentials(ConfigurationError)
        /// The request cannot be made as it was asked for; it was not sent.
        case invalidRequest(String)
        /// `KubernetesClient.mayWrite` said no; it was not sent.
        case fenced
    }

    /// The API's verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`, `deletecollection`.
    public let verb: String
    /// The path below the server's address, without the query.
    public let path: String
    /// `https://host:port`.
    public let server: String
    public let cause: Cause

    public init(verb: String, path: String, server: String = "", cause: Cause) {
        self.verb = verb
        self.path = path
        self.server = server
        self.cause = cause
    }

    /// The server's `Status`; nil when it did not answer.
    public var status: Status? { if case .status(let status) = cause { status } else { nil } }

    public var isNotFound: Bool { status?.isNotFound ?? false }
    public var isConflict: Bool { status?.isConflict ?? false }
    public var isGone: Bool { status?.isGone ?? false }
    public var isAlreadyExists: Bool { status?.isAlreadyExists ?? false }
    public var isForbidden: Bool { status?.isForbidden ?? false }
    public var isUnauthorized: Bool { status?.isUnauthorized ?? false }
    public var isInvalid: Bool { status?.isInvalid ?? false }
    public var isTooManyRequests: Bool { status?.isTooManyRequests ?? false }
    public var isNamespaceTerminating: Bool { status?.isNamespaceTerminating ?? false }
    /// `KubernetesClient.mayWrite` refused the write.
    public var isFenced: Bool { if case .fenced = cause { true } else { false } }
    /// The calling task was cancelled.
    public var isCancelled: Bool { if case .transport(.cancelled) = cause { true } else { false } }
    /// The time for the request, or for a watch, ran out.
    public var isTimeout: Bool {
        switch cause {
        case .transport(.timeout): true
        case .status(let status): status.reason == "Timeout" || status.code == 504
        default: false
        }
    }
}

extension APIError: CustomStringConvertible {
    /// One line for the person who has to act.
    public var description: String {
        switch cause {
        case .status(let status): "\(verb) \(path): \(Self.describe(status))"
        case .transport(let error): "\(verb) \(path): \(describe(error))"
        case .malformedResponse(let why): "\(verb) \(path): the answer of \(server) is not a Kubernetes one: \(why)"
        case .credentials(let error): "\(verb) \(path): \(error)"
        case .invalidRequest(let why): "\(verb) \(path): \(why)"
        case .fenced: "\(verb) \(path): writing is not allowed: this process is not the leader"
        }
    }

    private static func describe(_ status: Status) -> String {
        var text = status.message.isEmpty ? "the server answered without a message" : status.message
        text += " (\(status.code)\(status.reason.isEmpty ? "" : " \(status.reason)"))"
        switch status.code {
        case 401: text += "; check the user's token or certificate in the kubeconfig"
        case 429: text += "; the server is busy, try again later"
        default: break
        }
        return text
    }

    /// The transport says what happened to which host; what it cannot know is added.
    private func describe(_ error: HTTPTransportError) -> String {
        switch error {
        case .invalidURL: "\(error); check clusters[].cluster.server in the kubeconfig"
        case .tls: "\(error); kubeconfig fields: certificate-authority, tls-server-name, client-certificate"
        case .timeout: "\(server): \(error)"
        case .connectionLost where !["get", "list", "watch"].contains(verb):
            "\(error); the server may have acted on the request"
        case .bodyTooLarge: "\(server): \(error); ask for smaller pages"
        default: "\(error)"
        }
    }
}
