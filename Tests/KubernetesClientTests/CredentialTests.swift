import Concurrency
import StructuredData
import Testing

@testable import KubernetesClient

@Suite struct TokenFileTests {
    @Test func theFileIsReadAgainAfterAMinute() async throws {
        let folder = try Folder()
        let path = try folder.write("token", "one\n")
        let time = FakeClock()
        let source = CredentialSource(.tokenFile(path: path), clock: time.clock)
        #expect(try await source.current().authorization == "Bearer one")
        try folder.write("token", "two")
        time.advance(by: .seconds(59))
        #expect(try await source.current().authorization == "Bearer one")
        time.advance(by: .seconds(1))
        #expect(try await source.current().authorization == "Bearer two")
    }

    @Test func aRefusalReadsTheFileAgainAtOnce() async throws {
        let folder = try Folder()
        let path = try folder.write("token", "old")
        let source = CredentialSource(.tokenFile(path: path), clock: FakeClock().clock)
        let old = try await source.current()
        try folder.write("token", "new")
        #expect(source.renew(after: old))
        let new = try await source.current()
        #expect(new.authorization == "Bearer new")
        try folder.write("token", "newer")
        #expect(source.renew(after: old))
        #expect(try await source.current() == new, "the refusal of an older token says nothing about this one")
    }

    @Test func aTokenThatVanishesStaysGood() async throws {
        let folder = try Folder()
        let path = try folder.write("token", "T")
        let time = FakeClock()
        let source = CredentialSource(.tokenFile(path: path), clock: time.clock)
        _ = try await source.current()
        try folder.remove("token")
        time.advance(by: .seconds(120))
        #expect(try await source.current().authorization == "Bearer T")
    }

    @Test func anEmptyFileIsAnErrorUnlessThereIsATokenBeside() async throws {
        let folder = try Folder()
        let path = try folder.write("token", " \n")
        let alone = CredentialSource(.tokenFile(path: path), clock: FakeClock().clock)
        let text = await message { () async throws(ConfigurationError) in try await alone.current() }
        #expect(text == "token file: \(path) is empty")
        let beside = CredentialSource(.tokenFile(path: path, fallback: "F"), clock: FakeClock().clock)
        #expect(try await beside.current().authorization == "Bearer F")
    }
}

@Suite struct BasicCredentialTests {
    @Test func userAndPasswordAreEncoded() async throws {
        // RFC 7617 section 2.
        let source = CredentialSource(.basic(user: "Aladdin", password: "open sesame"), clock: .system)
        #expect(try await source.current().authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(!source.renew(after: Credential()))
    }
}

@Suite struct ExecCredentialTests {
    private let plugin = ExecPlugin(apiVersion: "client.authentication.k8s.io/v1", command: "login", origin: "here")

    private func answer(_ token: String, expires: String? = nil) -> [UInt8] {
        var status: JSON = ["token": JSON(token)]
        status["expirationTimestamp"] = expires.map { JSON($0) }
        let json: JSON = [
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status,
        ]
        return json.encoded()
    }

    @Test func aCredentialIsKeptUntilItExpires() async throws {
        let time = FakeClock()
        let runs = Lock(0)
        let source = CredentialSource(.exec(plugin), clock: time.clock) { _ async throws(ConfigurationError) in
            let run = runs.withLock { runs in
                runs += 1
                return runs
            }
            return answer("t\(run)", expires: run == 1 ? "2026-01-01T00:10:00Z" : nil)
        }
        #expect(try await source.current().authorization == "Bearer t1")
        time.advance(by: .seconds(599))
        #expect(try await source.current().authorization == "Bearer t1")
        time.advance(by: .seconds(1))
        let second = try await source.current()
        #expect(second.authorization == "Bearer t2")
        time.advance(by: .seconds(100_000))
        #expect(try await source.current().authorization == "Bearer t2", "without a time it is good until refused")
        #expect(source.renew(after: second))
        #expect(try await source.current().authorization == "Bearer t3")
    }

    @Test func requestsAtOnceShareOneRun() async throws {
        let runs = Lock(0)
        let source = CredentialSource(.exec(plugin), clock: .system) { _ async throws(ConfigurationError) in
            runs.withLock { $0 += 1 }
            for _ in 0..<20 { await Task.yield() }
            return answer("t")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await source.current() } }
            try await group.waitForAll()
        }
        #expect(runs.withLock { $0 } == 1)
    }

    @Test func aClientCertificateIsHandedOn() throws {
        let output: JSON = [
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": ["clientCertificateData": "C", "clientKeyData": "K"],
        ]
        let credential = try plugin.credential(from: output.encoded())
        #expect(credential.identity == ClientIdentity(certificate: [67], privateKey: [75]))
        #expect(credential.token == nil)
    }

    @Test(arguments: [
        ("nonsense", "its output is not JSON"),
        (
            #"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"t"}}"#,
            "its output is client.authentication.k8s.io/v1beta1 ExecCredential, expected "
                + "client.authentication.k8s.io/v1 ExecCredential"
        ),
        (#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#, "its output has no status"),
        (
            #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}"#,
            "its output has neither a token nor a client certificate"
        ),
        (
            #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientKeyData":"k"}}"#,
            "its output must have both clientCertificateData and clientKeyData, or none"
        ),
        (
            """
            {"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
            "status":{"token":"t","expirationTimestamp":"soon"}}
            """,
            "expirationTimestamp soon is not RFC 3339"
        ),
    ])
    func badOutputIsExplained(output: String, expected: String) async {
        let text = await message { () throws(ConfigurationError) in
            try plugin.credential(from: Array(output.utf8))
        }
        #expect(text.hasPrefix("here: login: \(expected)"), "\(text)")
    }

    @Test func interactiveModeFollowsTheTerminal() async throws {
        var plugin = plugin
        plugin.clusterInfo = ["server": "https://c"]
        let (info, interactive) = try plugin.executionInfo(terminal: true)
        #expect(interactive)
        #expect(info.at("spec", "interactive") == true)
        #expect(info.at("spec", "cluster", "server") == "https://c")
        #expect(try !plugin.executionInfo(terminal: false).interactive)
        plugin.interactiveMode = .never
        #expect(try !plugin.executionInfo(terminal: true).interactive)
        plugin.interactiveMode = .always
        let text = await message { () throws(ConfigurationError) in try plugin.executionInfo(terminal: false) }
        #expect(text == "here: login: interactiveMode is Always, but standard input is not a terminal")
    }
}

@Suite(.timeLimit(.minutes(10))) struct ExecPluginRunTests {
    private func plugin(_ script: String, folder: Folder) throws -> ExecPlugin {
        ExecPlugin(
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "/bin/sh", arguments: [try folder.write("login", "\(script)\n"), "a b"],
            environment: ["EXTRA": "e"], interactiveMode: .never, origin: "here")
    }

    @Test func theProgramGetsArgumentsEnvironmentAndInfo() async throws {
        let folder = try Folder()
        let plugin = try plugin(#"read line; echo "$1|$EXTRA|$KUBERNETES_EXEC_INFO|$HOME|$line""#, folder: folder)
        let parts = String(decoding: try await plugin.run(), as: UTF8.self).split(
            separator: "|", omittingEmptySubsequences: false)
        #expect(parts.count == 5)
        #expect(parts[0] == "a b")
        #expect(parts[1] == "e")
        let info = try JSON(parsing: parts[2])
        #expect(info["apiVersion"] == "client.authentication.k8s.io/v1beta1")
        #expect(info.at("spec", "interactive") == false)
        #expect(String(parts[3]) == ProcessEnvironment.current["HOME"] ?? "")
        #expect(parts[4] == "\n", "its standard input is empty")
    }

    @Test func aBigAnswerArrivesWhole() async throws {
        let folder = try Folder()
        let plugin = try plugin("head -c 300000 /dev/zero", folder: folder)
        #expect(try await plugin.run().count == 300_000)
    }

    @Test func failuresAreExplained() async throws {
        let folder = try Folder()
        let failing = try plugin("exit 3", folder: folder)
        let text = await message { () async throws(ConfigurationError) in try await failing.run() }
        #expect(text == "here: /bin/sh: failed with exit status 3")
        let killed = try plugin("kill -9 $$", folder: folder)
        let signal = await message { () async throws(ConfigurationError) in try await killed.run() }
        #expect(signal == "here: /bin/sh: failed with signal 9")
        var absent = failing
        absent.command = "no-such-plugin-here"
        absent.installHint = "brew install it"
        let hint = await message { () async throws(ConfigurationError) in try await absent.run() }
        #expect(hint == "here: no-such-plugin-here: cannot be run: No such file or directory; brew install it")
    }

    @Test func aProgramThatNeverEndsIsKilled() async throws {
        let folder = try Folder()
        let endless = try plugin("exec sleep 1000", folder: folder)
        let text = await message { () async throws(ConfigurationError) in
            try await endless.run(deadline: .milliseconds(50))
        }
        #expect(text == "here: /bin/sh: did not answer within 0.05 seconds")
    }
}

@Suite struct Base64Tests {
    // RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func vectors(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test func everyByteSurvives() {
        for length in 0..<300 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "Z=g=", "Zg==Zg==", "Zm9*", "===="])
    func brokenTextIsRefused(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func lineBreaksArePassedOver() { #expect(Base64.decode("Zm9v\nYmFy\r\n") == Array("foobar".utf8)) }
}
