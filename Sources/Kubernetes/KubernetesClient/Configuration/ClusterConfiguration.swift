/// How to reach one cluster and as whom. Read from a kubeconfig, from a pod's environment, or put together by hand.
public struct ClusterConfiguration: Sendable {
    public struct TLS: Sendable {
        /// Authorities to trust, PEM; nil means those of the system.
        public var certificateAuthority: [UInt8]?
        public var identity: ClientIdentity?
        /// Accept any server certificate.
        public var insecureSkipVerify: Bool
        /// The name to ask for and to expect in the certificate when it differs from the host in `server`.
        public var serverName: String?
        /// Where the authorities and the identity came from; looked at again every minute, because a kubelet or
        /// cert-manager renews them in place.
        public var files = Files()

        /// Paths of PEM files; nil for what did not come from a file.
        public struct Files: Sendable, Hashable {
            public var certificateAuthority: String?
            public var certificate: String?
            public var privateKey: String?

            public init(
                certificateAuthority: String? = nil, certificate: String? = nil, privateKey: String? = nil
            ) {
                self.certificateAuthority = certificateAuthority
                self.certificate = certificate
                self.privateKey = privateKey
            }
        }

        public init(
            certificateAuthority: [UInt8]? = nil, identity: ClientIdentity? = nil, insecureSkipVerify: Bool = false,
            serverName: String? = nil, files: Files = Files()
        ) {
            self.certificateAuthority = certificateAuthority
            self.identity = identity
            self.insecureSkipVerify = insecureSkipVerify
            self.serverName = serverName
            self.files = files
        }
    }

    /// Acting as somebody else; sent as `Impersonate-*` headers.
    public struct Impersonation: Sendable, Hashable {
        public var user: String
        public var uid: String?
        public var groups: [String]
        public var extra: [String: [String]]

        public init(user: String, uid: String? = nil, groups: [String] = [], extra: [String: [String]] = [:]) {
            self.user = user
            self.uid = uid
            self.groups = groups
            self.extra = extra
        }
    }

    /// `https://host:port`, possibly with a path, without a slash at the end.
    public var server: String
    /// The namespace of requests that name none: the context's, or the pod's own.
    public var namespace: String
    public var tls: TLS
    public var credentials: Credentials
    /// `http://`, `https://` or `socks5://` address; nil means what the environment says (`HTTPS_PROXY`, `NO_PROXY`).
    public var proxyURL: String?
    public var impersonation: Impersonation?
    /// Where this comes from, for messages: `kubeconfig /x`.
    public var source: String

    public init(
        server: String, namespace: String = "default", tls: TLS = TLS(), credentials: Credentials = .none,
        proxyURL: String? = nil, impersonation: Impersonation? = nil, source: String = "configuration"
    ) {
        self.server = server
        self.namespace = namespace
        self.tls = tls
        self.credentials = credentials
        self.proxyURL = proxyURL
        self.impersonation = impersonation
        self.source = source
    }
}

/// A client certificate chain and its private key, both PEM.
public struct ClientIdentity: Sendable, Hashable {
    public var certificate: [UInt8]
    public var privateKey: [UInt8]

    public init(certificate: [UInt8], privateKey: [UInt8]) {
        self.certificate = certificate
        self.privateKey = privateKey
    }
}

/// What proves who the client is, beside a client certificate.
public enum Credentials: Sendable {
    case none
    case token(String)
    /// Read again when the last reading is older than a minute, and after a 401. `fallback` is used while the file
    /// cannot be read.
    case tokenFile(path: String, fallback: String? = nil)
    case basic(user: String, password: String)
    case exec(ExecPlugin)
}

// Configurations end up in logs; secrets must not.
extension ClientIdentity: CustomStringConvertible, CustomDebugStringConvertible {
    public var description: String { "client certificate (\(certificate.count) bytes)" }
    public var debugDescription: String { description }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible {
    public var description: String {
        switch self {
        case .none: "none"
        case .token: "bearer token"
        case .tokenFile(let path, _): "bearer token from \(path)"
        case .basic(let user, _): "password of \(user)"
        case .exec(let plugin): "plugin \(plugin.command)"
        }
    }
    public var debugDescription: String { description }
}
