import Concurrency
import HTTPTransport
import Testing

@testable import KubernetesClient

@Suite struct ConnectionsTests {
    let time = FakeClock()
    let made = Lock<[ClusterConfiguration.TLS]>([])

    func pem(_ text: String) -> String { "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n" }

    func connections(_ files: ClusterConfiguration.TLS.Files, authority: String, identity: ClientIdentity? = nil)
        -> Connections
    {
        let tls = ClusterConfiguration.TLS(
            certificateAuthority: Array(pem(authority).utf8), identity: identity, files: files)
        return Connections(
            configuration: ClusterConfiguration(server: StubServer.address, tls: tls), clock: time.clock
        ) { [made] configuration in
            made.withLock { $0.append(configuration.tls) }
            return InMemoryTransport { _ in throw HTTPTransportError.closed }
        }
    }

    /// As client-go does: a kubelet's or cert-manager's renewal of a certificate is taken up without a restart.
    @Test func aRenewedCertificateIsTakenUpWithinAMinute() throws {
        let folder = try Folder()
        let files = ClusterConfiguration.TLS.Files(
            certificate: try folder.write("tls.crt", pem("one")), privateKey: try folder.write("tls.key", pem("k1")))
        let first = ClientIdentity(certificate: Array(pem("one").utf8), privateKey: Array(pem("k1").utf8))
        let connections = connections(files, authority: "ca", identity: first)
        _ = connections.transport(for: nil)
        try folder.write("tls.crt", pem("two"))
        try folder.write("tls.key", pem("k2"))
        time.advance(by: .seconds(59))
        _ = connections.transport(for: nil)
        #expect(made.withLock { $0.map(\.identity) } == [first])
        time.advance(by: .seconds(1))
        _ = connections.transport(for: nil)
        let second = ClientIdentity(certificate: Array(pem("two").utf8), privateKey: Array(pem("k2").utf8))
        #expect(made.withLock { $0.map(\.identity) } == [first, second])
        time.advance(by: .seconds(60))
        _ = connections.transport(for: nil)
        #expect(made.withLock { $0.count } == 2, "what has not changed keeps its connections")
    }

    @Test func renewedAuthoritiesAreTakenUp() throws {
        let folder = try Folder()
        let file = try folder.write("ca.crt", pem("old"))
        let connections = connections(.init(certificateAuthority: file), authority: "old")
        _ = connections.transport(for: nil)
        try folder.write("ca.crt", pem("new"))
        time.advance(by: .seconds(60))
        _ = connections.transport(for: nil)
        #expect(made.withLock { $0.map(\.certificateAuthority) } == [Array(pem("old").utf8), Array(pem("new").utf8)])
    }

    @Test func aFileThatIsMissingOrBrokenForAMomentChangesNothing() throws {
        let folder = try Folder()
        let file = try folder.write("ca.crt", pem("ca"))
        let connections = connections(.init(certificateAuthority: file), authority: "ca")
        for damage in [{ try folder.remove("ca.crt") }, { _ = try folder.write("ca.crt", "-----BEG") }] {
            try damage()
            time.advance(by: .seconds(60))
            _ = connections.transport(for: nil)
        }
        #expect(made.withLock { $0.map(\.certificateAuthority) } == [Array(pem("ca").utf8)])
    }

    @Test func aPluginsCertificateTakesThePlaceOfTheConfigurations() throws {
        let own = ClientIdentity(certificate: [1], privateKey: [1])
        let other = ClientIdentity(certificate: [2], privateKey: [2])
        let connections = connections(.init(), authority: "ca", identity: own)
        for identity in [nil, other, other, nil] { _ = connections.transport(for: identity) }
        #expect(made.withLock { $0.map(\.identity) } == [own, other, own])
    }

    @Test func aKubeconfigNamesTheFilesThatAreNotBesideTheirData() throws {
        let folder = try Folder()
        try folder.write("ca.crt", pem("ca"))
        try folder.write("tls.crt", pem("c"))
        try folder.write("tls.key", pem("k"))
        let text = """
            apiVersion: v1
            kind: Config
            current-context: c
            contexts: [{name: c, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: "https://h", certificate-authority: ca.crt}}]
            users: [{name: u, user: {client-certificate: tls.crt, client-key: tls.key}}]
            """
        let path = try folder.write("config", text)
        let files = try Kubeconfig(files: [path]).configuration().tls.files
        #expect(
            files
                == .init(
                    certificateAuthority: "\(folder.path)/ca.crt", certificate: "\(folder.path)/tls.crt",
                    privateKey: "\(folder.path)/tls.key"))
        let inline = text.replacing(
            "certificate-authority: ca.crt",
            with: "certificate-authority: ca.crt, certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t")
        try folder.write("config", inline)
        #expect(try Kubeconfig(files: [path]).configuration().tls.files.certificateAuthority == nil)
    }
}
