import HTTPTransport
import HTTPTypes
import Logging
import ServiceLifecycle
import StructuredData
import Testing

@testable import APIServer

/// A server on a free port of the loopback interface, for the length of a test.
struct Served {
    let api: APIServer
    let authority: CertificateAuthority
    let port: Int

    func transport(certificate: CertificateAuthority.Credential? = nil) -> CurlTransport {
        CurlTransport(
            configuration: .init(
                tls: .init(
                    trust: .authorities(pem: Array(authority.certificatePEM.utf8)),
                    clientCertificate: certificate.map {
                        .init(chainPEM: Array($0.certificatePEM.utf8), keyPEM: Array($0.keyPEM.utf8))
                    }), proxy: .none))
    }

    func url(_ target: String) -> String { "https://127.0.0.1:\(port)\(target)" }
}

func serve(idleTimeout: Duration = .seconds(90), _ body: (Served) async throws -> Void) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    var configuration = APIServer.Configuration()
    configuration.adminToken = "token"
    configuration.bodyLimit = 100_000
    let api = try await APIServer(configuration: configuration, logger: logger)
    let authority = try CertificateAuthority()
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var listen = APIServerListener.Configuration()
    listen.port = 0
    listen.idleTimeout = idleTimeout
    let listener = APIServerListener(
        server: api, authority: authority, configuration: listen, logger: logger,
        onRunning: { port.yield($0) })
    let group = ServiceGroup(services: [listener], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        let number = try #require(await iterator.next())
        try await body(Served(api: api, authority: authority, port: number))
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

struct ListenerTests {
    @Test("over TLS a client is who its certificate or its token says; without either it is refused")
    func identities() async throws {
        try await serve { served in
            let admin = try served.authority.clientCredential(
                commonName: "kubernetes-admin", organizations: ["system:masters"])
            let bob = try served.authority.clientCredential(commonName: "bob", organizations: ["devs"])
            let target = served.url("/api/v1/namespaces/default/configmaps")
            let byCertificate = served.transport(certificate: admin)
            #expect(try await byCertificate.send(ClientRequest(url: target)).status == .ok)
            let refused = try await served.transport(certificate: bob).send(ClientRequest(url: target))
            #expect(refused.status == .forbidden)
            let text = String(decoding: try await refused.body.collect(upTo: 10_000), as: UTF8.self)
            #expect(text.contains("User \\\"bob\\\" cannot list"))
            let plain = served.transport()
            #expect(try await plain.send(ClientRequest(url: target)).status == .forbidden)
            let token = try await plain.send(
                ClientRequest(url: target, headers: [.authorization: "Bearer token"]))
            #expect(token.status == .ok)
        }
    }

    @Test("a certificate of another authority ends the handshake")
    func foreignCertificate() async throws {
        try await serve { served in
            let foreign = try CertificateAuthority().clientCredential(
                commonName: "kubernetes-admin", organizations: ["system:masters"])
            await #expect(throws: HTTPTransportError.self) {
                _ = try await served.transport(certificate: foreign)
                    .send(ClientRequest(url: served.url("/api/v1/namespaces"))).body.collect(upTo: 100_000)
            }
        }
    }

    @Test("a watch arrives as it happens, and ends when the server shuts down")
    func watches() async throws {
        var watch: WatchLines?
        try await serve { served in
            let transport = served.transport()
            let headers: HTTPFields = [.authorization: "Bearer token"]
            let target = served.url("/api/v1/namespaces/default/configmaps")
            let response = try await transport.send(
                ClientRequest(url: target + "?watch=true&timeoutSeconds=600", headers: headers))
            let lines = WatchLines(response.body)
            for name in ["a", "b"] {
                let body: JSON = ["metadata": ["name": .string(name)]]
                let made = try await transport.send(
                    ClientRequest(method: .post, url: target, headers: headers, body: .bytes(body.encoded())))
                #expect(made.status == .created)
                #expect(try await lines.summaries(1) == ["ADDED \(name)"])
            }
            watch = lines
        }
        #expect(try await watch?.next() == nil)
    }

    /// A client that is not told writes its next request, which may not be repeatable, into a connection that has ended.
    @Test("the connection of a long list goes on; that of a watch is said to end")
    func keptConnections() async throws {
        try await serve { served in
            let transport = served.transport()
            let headers: HTTPFields = [.authorization: "Bearer token"]
            let target = served.url("/api/v1/namespaces/default/configmaps")
            func create(_ name: String) async throws {
                let body: JSON = [
                    "metadata": ["name": .string(name)],
                    "data": ["text": .string(String(repeating: "x", count: 90_000))],
                ]
                let made = try await transport.send(
                    ClientRequest(method: .post, url: target, headers: headers, body: .bytes(body.encoded())))
                #expect(made.status == .created)
                _ = try await made.body.collect(upTo: 1 << 20)
            }
            for number in 0..<4 { try await create("before-\(number)") }
            for number in 0..<20 {
                let list = try await transport.send(ClientRequest(url: target, headers: headers))
                #expect(list.headers[.transferEncoding] == "chunked")
                #expect(list.headers[.connection] != "close")
                _ = try await list.body.collect(upTo: 10 << 20)
                try await create("after-\(number)")
            }
            let watch = try await transport.send(
                ClientRequest(url: target + "?watch=true&timeoutSeconds=1", headers: headers))
            #expect(watch.headers[.connection] == "close")
        }
    }

    @Test("a body past the limit is 413 and a fault can drop the connection")
    func limits() async throws {
        try await serve { served in
            let transport = served.transport()
            let headers: HTTPFields = [.authorization: "Bearer token"]
            let target = served.url("/api/v1/namespaces/default/configmaps")
            let large = try await transport.send(
                ClientRequest(
                    method: .post, url: target, headers: headers, body: .bytes([UInt8](repeating: 32, count: 200_000))))
            #expect(large.status == .contentTooLarge)
            served.api.faults.add(.dropBefore, count: 1)
            await #expect(throws: HTTPTransportError.self) {
                try await transport.send(ClientRequest(method: .delete, url: target, headers: headers))
            }
            #expect(try await transport.send(ClientRequest(url: target, headers: headers)).status == .ok)
        }
    }

    @Test("the authority in a folder is made once; a kubeconfig is for its owner only")
    func files() throws {
        let folder = TemporaryFolder()
        let first = try CertificateAuthority(folder: folder.path)
        let second = try CertificateAuthority(folder: folder.path)
        #expect(first.certificatePEM == second.certificatePEM)
        let path = "\(folder.path)/kubeconfig"
        try Kubeconfig(server: "https://x:1", authorityPEM: first.certificatePEM, user: .token("t")).write(to: path)
        #expect(try Folder.mode(of: path) == 0o600)
        let config = try YAML.parse(try File(path, .read).readAll())[0]
        #expect(config["users"]?[0]?.at("user", "token") == "t")
        #expect(config["clusters"]?[0]?.at("cluster", "server") == "https://x:1")
    }
}
