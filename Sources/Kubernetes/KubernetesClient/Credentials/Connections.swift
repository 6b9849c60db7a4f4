internal import Concurrency
internal import HTTPTransport

/// The transport for requests, made anew when a plugin hands out another client certificate.
final class Connections: Sendable {
    private struct Made {
        var identity: ClientIdentity?
        var transport: any HTTPTransport
    }

    private let configuration: ClusterConfiguration
    private let fixed: (any HTTPTransport)?
    private let made = Lock<Made?>(nil)

    init(configuration: ClusterConfiguration, fixed: (any HTTPTransport)?) {
        self.configuration = configuration
        self.fixed = fixed
    }

    /// `identity` nil means the configuration's own. Transfers on an older transport go on to their end.
    func transport(for identity: ClientIdentity?) -> any HTTPTransport {
        if let fixed { return fixed }
        return made.withLock { made in
            if let made, made.identity == identity { return made.transport }
            let transport = CurlTransport(configuration: configuration.transport(identity: identity))
            made = Made(identity: identity, transport: transport)
            return transport
        }
    }
}

extension ClusterConfiguration {
    fileprivate func transport(identity: ClientIdentity?) -> CurlTransport.Configuration {
        let trust: CurlTransport.TLS.Trust
        if tls.insecureSkipVerify {
            trust = .anyone
        } else {
            trust = tls.certificateAuthority.map { .authorities(pem: $0) } ?? .system
        }
        let identity = (identity ?? tls.identity).map {
            CurlTransport.TLS.ClientCertificate(chainPEM: $0.certificate, keyPEM: $0.privateKey)
        }
        return CurlTransport.Configuration(
            tls: CurlTransport.TLS(trust: trust, clientCertificate: identity, serverName: tls.serverName),
            proxy: proxyURL.map { .url($0) } ?? .environment)
    }
}
