import ChildProcess
import Concurrency
import Crypto
import CryptoExtras
import Foundation
import HTTPTransport
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PostgresServer
import ServiceLifecycle
import StructuredData
import Testing

/// An identity provider on a port of its own.
private struct Provider {
    let issuer: String
    let signer = P256.Signing.PrivateKey()

    /// - Parameter ending: of its name.
    static func with(ending: String = "", _ body: (Provider) async throws -> Void) async throws {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let documents = DocumentBox()
        let router = Router()
        router.get("/.well-known/openid-configuration") { _, _ in documents.text("configuration") }
        router.get("/keys") { _, _ in documents.text("keys") }
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
        let provider = Provider(issuer: address + ending)
        documents.set("configuration", provider.configuration(at: address))
        documents.set("keys", provider.keys)
        try await body(provider)
        await group.triggerGracefulShutdown()
        try await running.value
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
        for _ in 0..<1000 where port == nil {
            port = try? String(contentsOf: folder.appending(path: "port"), encoding: .utf8)
            if port == nil { try await Task.sleep(for: .milliseconds(10)) }
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
            "iss": .string(issuer), "aud": ["todo", "other"], "sub": "ada-1", "exp": JSON(now + 600),
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
private final class DocumentBox: Sendable {
    private let documents = Lock<[String: String]>([:])
    func text(_ name: String) -> String { documents.withLock { $0[name] ?? "{}" } }
    func set(_ name: String, _ json: JSON) { documents.withLock { $0[name] = json.text } }
}

@Suite(.timeLimit(.minutes(2))) struct OIDCTests {
    private func environment(_ provider: Provider) -> [String: String] {
        ["OIDC_ISSUER": provider.issuer, "OIDC_AUDIENCE": "todo", "SIGN_UP": "closed"]
    }

    @Test func `a token of the identity provider opens the account of its subject`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                let token = try provider.token()
                let me = try await service.send(.get, "/v1/me", token: token)
                #expect(
                    me.status == 200 && me.json["email"] == "ada@example.com" && me.json["name"] == "Ada", "\(me.text)")
                #expect(try await service.send(.post, "/v1/tasks", ["title": "x"], token: token).status == 201)
                let again = try provider.token(["email": "new@example.com"])
                #expect(
                    try await service.send(.get, "/v1/me", token: again).json.id == me.json.id, "the subject counts")
                let other = try provider.token(["sub": "ben-1", "email": "ben@example.com"])
                let ben = try await service.send(.get, "/v1/me", token: other)
                #expect(ben.status == 200 && ben.json.id != me.json.id)
                let thief = try provider.token(["sub": "eve-1"])
                #expect(try await service.send(.get, "/v1/me", token: thief).status == 403, "the address is Ada's")
            }
        }
    }

    /// As those of Auth0 do.
    @Test func `the name of a provider may end with a slash`() async throws {
        try await Provider.with(ending: "/") { provider in
            try await RunningService.with(environment(provider)) { service in
                let token = try provider.token()
                #expect(try await service.send(.get, "/v1/me", token: token).status == 200)
            }
        }
    }

    @Test func `a provider of a private authority is trusted by that one's certificate`() async throws {
        try await Provider.withPrivateAuthority { provider, authority in
            let token = try provider.token()
            for (more, status) in [([:], 503), (["OIDC_CA": authority], 200)] {
                try await RunningService.with(environment(provider).merging(more) { $1 }) { service in
                    let answer = try await service.send(.get, "/v1/me", token: token)
                    #expect(answer.status == status, "\(answer.text)")
                }
            }
        }
    }

    @Test func `any other token is refused with the reason`() async throws {
        try await Provider.with { provider in
            try await RunningService.with(environment(provider)) { service in
                let past = JSON(Int(Date().timeIntervalSince1970) - 100)
                let good = try provider.token()
                let unsigned = good.split(separator: ".")[..<2].joined(separator: ".") + "."
                let tokens: [(String, String)] = try [
                    (provider.token(["exp": past]), "expired"),
                    (provider.token(["iss": "http://evil.example"]), "issuer"),
                    (provider.token(["aud": "other"]), "audience"),
                    (provider.token(["email_verified": false]), "verified"),
                    (provider.token(["sub": ""]), "subject"),
                    (provider.token(["nbf": JSON(Int(Date().timeIntervalSince1970) + 600)]), "yet"),
                    (provider.token(key: P256.Signing.PrivateKey()), "signed"),
                    (provider.token(header: ["alg": "none"]), "signed"),
                    (provider.token(header: ["alg": "HS256"]), "signed"),
                    (provider.token(header: ["kid": "k2"]), "signed"),
                    (unsigned, "signed"), (String(good.dropLast(4)) + "AAAA", "signed"), ("a.b.c", "not valid"),
                ]
                for (token, reason) in tokens {
                    let answer = try await service.send(.get, "/v1/me", token: token)
                    #expect(
                        answer.status == 401 && answer.json["detail"]?.string?.contains(reason) == true,
                        "\(reason): \(answer.text)")
                }
            }
        }
    }
}
