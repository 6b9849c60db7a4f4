internal import HummingbirdCore
public import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
public import ServiceLifecycle
internal import ServiceRunning
internal import HTTPServing

/// Serves an `APIServer` over HTTP/1.1 and TLS. Clients may show a certificate of the authority; without one their
/// bearer token counts.
///
/// On graceful shutdown the watches end, requests that are being answered are finished, and `run` returns.
public struct APIServerListener: Service {
    public struct Configuration: Sendable {
        public var host = "127.0.0.1"
        /// 0 takes a free one.
        public var port = 6_443
        /// More names and addresses for the server's certificate, beside those of this machine and of the cluster.
        public var hosts: [String] = []
        /// A connection on which nothing happens for so long is closed, as kube-apiserver does, unless a request is being
        /// answered. The handshake and the head of a request may take as long.
        public var idleTimeout: Duration = .seconds(90)

        public init() {}
    }

    private let server: APIServer
    private let authority: CertificateAuthority
    private let configuration: Configuration
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void

    /// - Parameter onRunning: called with the port once connections are accepted.
    public init(
        server: APIServer, authority: CertificateAuthority, configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "apiserver.listener"),
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.server = server
        self.authority = authority
        self.configuration = configuration
        self.logger = logger
        self.onRunning = onRunning
    }

    public func run() async throws {
        let context = try NIOSSLContext(configuration: try tlsConfiguration())
        let exchange = HTTPExchange(server: server, bodyLimit: server.configuration.bodyLimit)
        let idleTimeout = TimeAmount(configuration.idleTimeout)
        let builder = HTTPServerBuilder { _ in
            AcceptedChannel(
                base: APIServerChannel(context: context, exchange: exchange, idleTimeout: idleTimeout))
        }
        let service = try builder.buildServer(
            configuration: ServerConfiguration(
                address: .hostname(configuration.host, port: configuration.port), backlog: 1_024),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger,
            responder: { _, _, _ in },
            onServerRunning: { [onRunning] channel in await onRunning(channel.localAddress?.port ?? 0) })
        // Watches would keep their connections for as long as their clients want.
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await runUntilCancelled(service, logger: logger)
            } onGracefulShutdown: { [server] in
                Task { await server.stop() }
            }
        } onCancel: { [server] in
            Task { await server.stop() }
        }
    }

    private func tlsConfiguration() throws -> TLSConfiguration {
        let hosts = Self.clusterHosts + [server.configuration.serviceRange.first] + configuration.hosts
        let credential = try authority.serverCredential(hosts: hosts)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(credential.certificatePEM.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(credential.keyPEM.utf8), format: .pem)))
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.certificatePEM.utf8)))
        tls.certificateVerification = .optionalVerification
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["http/1.1"]
        return tls
    }

    private static let clusterHosts = [
        "localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ]
}
