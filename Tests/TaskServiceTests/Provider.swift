import ChildProcess
import Concurrency
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PostgresServer
import ServiceLifecycle
import StructuredData
import Testing

/// An identity provider on a port of its own.
struct Provider {
    let issuer: String
    let signer = P256.Signing.PrivateKey()
    var documents = DocumentBox()
    /// Closes its port.
    var stop: @Sendable () async throws -> Void = {}

    /// - Parameter ending: of its name.
    static func with(ending: String = "", _ body: (Provider) async throws -> Void) async throws {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let documents = DocumentBox()
        let router = Router()
        router.get("/.well-known/openid-configuration") { _, _ in try await documents.serve("configuration") }
        router.get("/keys") { _, _ in try await documents.serve("keys") }
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                listening.yield(channel.localAddress?.port ?? 0)
                listening.finish()
            }, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        let running = Task { try await group.run() }
        let port = try #require(await ports.first { _ in true })
        let address = "http://127.0.0.1:\(port)"
        var provider = Provider(issuer: address + ending, documents: documents)
        provider.stop = {
            await group.triggerGracefulShutdown()
            try await running.value
        }
        documents.set("configuration", provider.configuration(at: address))
        documents.set("keys", provider.keys)
        try await body(provider)
        try await provider.stop()
    }

    func configuration(at address: String) -> JSON {
        ["issuer": .string(issuer), "jwks_uri": .string("\(address)/keys")]
    }

    var keys: JSON {
        let point = signer.publicKey.rawRepresentation
        return [
            "keys": [
                ["kty": "oct", "k": "AAAA"],
                [
                    "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "x": base64URL(point.prefix(32)),
                    "y": base64URL(point.suffix(32)),
                ],
            ]
        ]
    }

    /// One whose certificate is of an authority that the system does not know.
    static func withPrivateAuthority(_ body: (Provider, _ authority: String) async throws -> Void) async throws {
        let postgres = try await PostgresServer.shared()
        let folder = FileManager.default.temporaryDirectory.appending(path: "oidc-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: ".well-known"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = """
            import http.server, os, ssl, sys
            os.chdir(sys.argv[1])
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
            server.socket = context.wrap_socket(server.socket, server_side=True)
            with open("port.new", "w") as file: file.write(str(server.server_address[1]))
            os.rename("port.new", "port")
            server.serve_forever()
            """
        var server = ChildProcess.Specification(
            path: "/usr/bin/env",
            arguments: [
                "python3", "-c", script, folder.path, "\(postgres.directory)/server.crt",
                "\(postgres.directory)/server.key",
            ], environment: ProcessInfo.processInfo.environment)
        server.standardError = .null
        server.signalWhenParentEnds = SIGKILL
        let process = try await ChildProcess.start(server)
        defer { process.kill() }
        var port: String?
        for _ in 0..<6000 where port == nil {
            port = try? String(contentsOf: folder.appending(path: "port"), encoding: .utf8)
            if port == nil { try await Task.sleep(for: .milliseconds(10)) }  // a script tells nobody
        }
        let provider = Provider(issuer: "https://localhost:\(try #require(port))")
        try provider.configuration(at: provider.issuer).text.write(
            to: folder.appending(path: ".well-known/openid-configuration"), atomically: true, encoding: .utf8)
        try provider.keys.text.write(to: folder.appending(path: "keys"), atomically: true, encoding: .utf8)
        try await body(provider, try String(contentsOfFile: postgres.caCertificate, encoding: .utf8))
    }

    /// A token for Ada, with some claims and members of its header changed; signed by `key`.
    func token(_ changes: JSONObject = [:], header more: JSONObject = [:], key: P256.Signing.PrivateKey? = nil) throws
        -> String
    {
        let now = Int(Date().timeIntervalSince1970)
        var claims: JSONObject = [
            "iss": .string(issuer), "aud": ["todo", "other"], "sub": "ada-1", "iat": JSON(now), "exp": JSON(now + 600),
            "email": "Ada@Example.com", "email_verified": true, "name": "Ada",
        ]
        for (name, value) in changes { claims[name] = value }
        var header: JSONObject = ["alg": "ES256", "kid": "k1"]
        for (name, value) in more { header[name] = value }
        let text = [header, claims].map { base64URL(Data(JSON.object($0).encoded())).string ?? "" }.joined(
            separator: ".")
        let signature = try (key ?? signer).signature(for: Data(text.utf8)).rawRepresentation
        return "\(text).\(base64URL(signature).string ?? "")"
    }
}

private func base64URL(_ data: some DataProtocol) -> JSON {
    .string(
        Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""))
}

/// What the provider serves, set once its port is known.
final class DocumentBox: Sendable {
    private struct State {
        var documents: [String: String] = [:]
        var requests: [String: Int] = [:]
        var delay: Duration = .zero
        var isFailing = false
    }

    private let state = Lock(State())

    func serve(_ name: String) async throws -> String {
        let (text, delay, isFailing) = state.withLock { state in
            state.requests[name, default: 0] += 1
            return (state.documents[name] ?? "{}", state.delay, state.isFailing)
        }
        try await Task.sleep(for: delay)  // it is slow, as the test says
        if isFailing { throw HTTPError(.internalServerError) }
        return text
    }

    func set(_ name: String, _ json: JSON) { state.withLock { $0.documents[name] = json.text } }
    /// How long each answer takes from now on.
    func slow(by delay: Duration) { state.withLock { $0.delay = delay } }
    func fail(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }
    func requests(_ name: String) -> Int { state.withLock { $0.requests[name] ?? 0 } }
}
