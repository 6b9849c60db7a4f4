public import HTTPTransport
public import HTTPTypes

/// One request, as the listener or an in-process client hands it over.
public struct APIRequest: Sendable {
    public var method: HTTPRequest.Method
    /// The target as sent: percent-encoded path and query.
    public var target: String
    public var headers: HTTPFields
    public var body: [UInt8]
    public var credentials: Credentials

    /// Who says that they send it.
    public enum Credentials: Sendable {
        /// The `Authorization` header decides; without one the sender is `system:anonymous`.
        case headers
        /// A client certificate that the cluster's CA signed.
        case certificate(commonName: String, organizations: [String])
        /// A client in this process, trusted as it is.
        case user(UserInfo)
    }

    public init(
        method: HTTPRequest.Method = .get, target: String, headers: HTTPFields = [:], body: [UInt8] = [],
        credentials: Credentials = .headers
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.credentials = credentials
    }
}

/// The answer to a request.
public struct APIResponse: Sendable {
    public enum Body: Sendable {
        case bytes([UInt8])
        /// Too long for one piece, but all there: a long list.
        case chunks(ResponseBody)
        /// Sent as it comes, for as long as the client listens: a watch, a log. Dropping it ends what makes it.
        case stream(ResponseBody)
    }

    public var status: HTTPResponse.Status
    public var headers: HTTPFields
    public var body: Body
    /// The connection is closed without an answer, as a fault demands.
    public var dropsConnection = false

    public init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A user as authentication found them (`authentication.k8s.io/v1` `UserInfo`).
public struct UserInfo: Sendable, Hashable {
    public var name: String
    public var uid: String
    public var groups: [String]
    public var extra: [String: [String]]

    public init(name: String, uid: String = "", groups: [String] = [], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    /// The cluster's administrator: everything is allowed.
    public static let admin = UserInfo(name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"])

    /// Somebody without credentials.
    public static let anonymous = UserInfo(name: "system:anonymous", groups: ["system:unauthenticated"])

    /// A part of the control plane, such as `system:kube-controller-manager`: everything is allowed.
    public static func system(_ component: String) -> UserInfo {
        UserInfo(name: "system:\(component)", groups: ["system:masters", "system:authenticated"])
    }

    /// A pod's identity: what RBAC grants.
    public static func serviceAccount(namespace: String, name: String, uid: String = "") -> UserInfo {
        UserInfo(
            name: "system:serviceaccount:\(namespace):\(name)", uid: uid,
            groups: ["system:serviceaccounts", "system:serviceaccounts:\(namespace)", "system:authenticated"])
    }
}
