extension CurlTransport {
    public struct Configuration: Sendable {
        public var tls: TLS
        public var proxy: Proxy
        /// For requests that name none: the longest time from the call until connected (name lookup, waiting for a
        /// free connection, TLS).
        public var connectTimeout: Duration
        /// Requests beyond wait for a connection. Over HTTP/1.1 every open watch takes one.
        public var maxConnectionsPerHost: Int
        /// A connection that lay idle for longer is not used again.
        public var maxIdleTime: Duration
        /// HTTP/2 where the server offers it by ALPN; HTTP/1.1 only when false.
        public var offersHTTP2: Bool
        /// Asks for compressed responses and unpacks them. Off: bodies come as the server sent them.
        public var decompressesResponses: Bool
        /// Bytes of all header lines of one response; more is `malformedResponse`.
        public var maxResponseHeaderBytes: Int
        /// Unread body bytes of one response before the server is held back.
        public var maxUnreadBytes: Int
        /// Sent where a request has no User-Agent of its own; nil sends none.
        public var userAgent: String?
        /// Set for mail, which is all that the connections are used for then.
        var mail: SMTPTransport.Configuration?

        public init(
            tls: TLS = TLS(), proxy: Proxy = .environment, connectTimeout: Duration = .seconds(10),
            maxConnectionsPerHost: Int = 256, maxIdleTime: Duration = .seconds(60), offersHTTP2: Bool = true,
            decompressesResponses: Bool = false, maxResponseHeaderBytes: Int = 64 << 10,
            maxUnreadBytes: Int = 256 << 10, userAgent: String? = nil
        ) {
            self.tls = tls
            self.proxy = proxy
            self.connectTimeout = connectTimeout
            self.maxConnectionsPerHost = maxConnectionsPerHost
            self.maxIdleTime = maxIdleTime
            self.offersHTTP2 = offersHTTP2
            self.decompressesResponses = decompressesResponses
            self.maxResponseHeaderBytes = maxResponseHeaderBytes
            self.maxUnreadBytes = maxUnreadBytes
            self.userAgent = userAgent
        }
    }

    /// How servers are recognised, and how this client shows itself. TLS 1.2 or later.
    public struct TLS: Sendable {
        public enum Trust: Sendable {
            /// The system's certificate authorities.
            case system
            /// These and no others: one or more certificates in PEM.
            case authorities(pem: [UInt8])
            /// Any certificate of any name: encryption without knowing to whom.
            case anyone
        }

        public struct ClientCertificate: Sendable {
            /// The certificate, followed by any intermediate ones.
            public var chainPEM: [UInt8]
            /// Not encrypted.
            public var keyPEM: [UInt8]

            public init(chainPEM: [UInt8], keyPEM: [UInt8]) {
                self.chainPEM = chainPEM
                self.keyPEM = keyPEM
            }
        }

        public var trust: Trust
        public var clientCertificate: ClientCertificate?
        /// The name asked for (SNI) and expected in the certificate, where it is not the URL's host: kubeconfig's
        /// `tls-server-name`.
        public var serverName: String?

        public init(
            trust: Trust = .system, clientCertificate: ClientCertificate? = nil, serverName: String? = nil
        ) {
            self.trust = trust
            self.clientCertificate = clientCertificate
            self.serverName = serverName
        }
    }

    public enum Proxy: Sendable {
        /// `HTTPS_PROXY`, `http_proxy`, `ALL_PROXY` and `NO_PROXY`, as curl reads them.
        case environment
        /// This one for every host: `http://`, `https://`, `socks5://` or `socks5h://`, user and password in the URL.
        case url(String)
        case none
    }
}
