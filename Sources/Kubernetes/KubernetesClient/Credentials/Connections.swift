internal import Concurrency
internal import HTTPTransport

/// The transport for requests, made anew when there is another client certificate or other authorities: because a
/// plugin handed one out, or because their files have changed.
final class Connections: Sendable {
    /// How long the content of certificate files is taken to be the same.
    static let filesLifetime = Duration.seconds(60)

    private struct Material: Equatable {
        var authority: [UInt8]?
        var identity: ClientIdentity?
    }

    private struct State {
        var own: Material
        var read: Duration
        var made: (material: Material, transport: any HTTPTransport)?
    }

    private let configuration: ClusterConfiguration
    private let make: @Sendable (ClusterConfiguration) -> any HTTPTransport
    private let clock: ClientClock
    private let state: Lock<State>

    /// - Parameter make: makes a transport with the TLS material of a configuration.
    init(
        configuration: ClusterConfiguration, clock: ClientClock,
        make: @escaping @Sendable (ClusterConfiguration) -> any HTTPTransport = {
            CurlTransport(configuration: $0.transport)
        }
    ) {
        self.configuration = configuration
        self.make = make
        self.clock = clock
        let own = Material(authority: configuration.tls.certificateAuthority, identity: configuration.tls.identity)
        state = Lock(State(own: own, read: clock.elapsed()))
    }

    /// `identity` nil means the configuration's own. Transfers on an older transport go on to their end.
    func transport(for identity: ClientIdentity?) -> any HTTPTransport {
        let now = clock.elapsed()
        return state.withLock { state in
            if now - state.read >= Self.filesLifetime {
                state.read = now
                state.own = reread(state.own)
            }
            let material = Material(authority: state.own.authority, identity: identity ?? state.own.identity)
            if let made = state.made, made.material == material { return made.transport }
            var configuration = configuration
            configuration.tls.certificateAuthority = material.authority
            configuration.tls.identity = material.identity
            let transport = make(configuration)
            state.made = (material, transport)
            return transport
        }
    }

    /// What the files hold now. One that is missing or broken may be in the middle of its replacement: the last good
    /// content stays.
    private func reread(_ known: Material) -> Material {
        let files = configuration.tls.files
        var material = known
        material.authority = pem(files.certificateAuthority) ?? known.authority
        let certificate = pem(files.certificate) ?? known.identity?.certificate
        let key = pem(files.privateKey) ?? known.identity?.privateKey
        if let certificate, let key { material.identity = ClientIdentity(certificate: certificate, privateKey: key) }
        return material
    }

    private func pem(_ path: String?) -> [UInt8]? {
        guard let path, let bytes = try? Files.read(path), PEM.problem(bytes) == nil else { return nil }
        return bytes
    }
}

extension ClusterConfiguration {
    fileprivate var transport: CurlTransport.Configuration {
        let trust: CurlTransport.TLS.Trust
        if tls.insecureSkipVerify {
            trust = .anyone
        } else {
            trust = tls.certificateAuthority.map { .authorities(pem: $0) } ?? .system
        }
        let identity = tls.identity.map {
            CurlTransport.TLS.ClientCertificate(chainPEM: $0.certificate, keyPEM: $0.privateKey)
        }
        return CurlTransport.Configuration(
            tls: CurlTransport.TLS(trust: trust, clientCertificate: identity, serverName: tls.serverName),
            proxy: proxyURL.map { .url($0) } ?? .environment)
    }
}
