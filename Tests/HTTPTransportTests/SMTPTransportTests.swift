import SMTPServer
import Testing

@testable import HTTPTransport

/// Against a server on a socket.
@Suite(.timeLimit(.minutes(10))) struct SMTPTransportTests {
    private func message(_ number: Int = 1, text: String = "Hello\n.\n..dots\n") -> MailMessage {
        MailMessage(
            from: .init(name: "Todo", address: "todo@example.com"), to: .init(address: "ada@example.org"),
            subject: "No. \(number)", date: 0, id: "\(number)@example.com", text: text, html: "<p>x</p>")
    }

    private func configuration(
        _ server: SMTPServer, _ security: SMTPTransport.Security = .none,
        trust: [UInt8]? = nil, _ configure: (inout SMTPTransport.Configuration) -> Void = { _ in }
    ) -> SMTPTransport.Configuration {
        var configuration = SMTPTransport.Configuration(
            host: "127.0.0.1", port: server.port, security: security, connectTimeout: .seconds(60),
            totalTimeout: .seconds(60))
        if let trust { configuration.trust = .authorities(pem: trust) }
        configure(&configuration)
        return configuration
    }

    @Test(arguments: [SMTPTransport.Security.startTLS, .implicitTLS])
    func `mail goes over TLS with a login, and its text arrives as it was`(_ security: SMTPTransport.Security)
        async throws
    {
        let certificates = try TestCertificates.shared.get()
        let server = try await SMTPServer.start(
            security == .startTLS ? .startTLS : .implicitTLS, certificate: certificates.server,
            key: certificates.serverKey, password: "s3cret")
        let transport = SMTPTransport(
            configuration(server, security, trust: certificates.authority) {
                $0.credentials = .init(user: "ann", password: "s3cret")
            })
        let reply = try await transport.send(message())
        #expect(reply.code == 250 && reply.stage == .message && reply.text == "2.0.0 taken")
        let mail = try #require(server.mails.first)
        #expect(mail.isEncrypted && mail.login == "ann")
        #expect(mail.from == "todo@example.com" && mail.to == "ada@example.org")
        #expect(mail.text == String(decoding: try message().encoded(), as: UTF8.self))
        transport.close()
        try await server.stop()
    }

    @Test func `many mails share few connections, and one that was closed meanwhile costs none`() async throws {
        let server = try await SMTPServer.start(.none)
        let transport = SMTPTransport(configuration(server) { $0.maxConnections = 3 })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<60 { group.addTask { try await transport.send(message(number)) } }
            try await group.waitForAll()
        }
        #expect(Set(server.mails.map(\.text)).count == 60 && server.connections <= 3)
        server.fail(.closeAfterMessage, times: 3)
        for number in 100..<110 { try await transport.send(message(number)) }
        #expect(server.mails.count == 70)
        transport.close()
        try await server.stop()
    }

    @Test func `nothing goes to a server without TLS, with a foreign certificate, or with a wrong password`()
        async throws
    {
        let certificates = try TestCertificates.shared.get()
        let plain = try await SMTPServer.start(.none)
        let secure = try await SMTPServer.start(
            .startTLS, certificate: certificates.server, key: certificates.serverKey, password: "s3cret")
        func failure(_ configuration: SMTPTransport.Configuration) async throws -> SMTPError {
            let transport = SMTPTransport(configuration)
            defer { transport.close() }
            return try await #require(throws: SMTPError.self) { try await transport.send(message()) }
        }
        let errors = [
            try await failure(configuration(plain, .startTLS)),
            try await failure(configuration(secure, .startTLS, trust: certificates.otherAuthority)),
            try await failure(
                configuration(secure, .startTLS, trust: certificates.authority) {
                    $0.credentials = .init(user: "ann", password: "wrong")
                }),
        ]
        for error in errors { #expect(!error.isPermanent && error.isAboutServer, "\(error)") }
        guard case .transport(.tls) = errors[0], case .transport(.tls) = errors[1],
            case .deferred(let reply) = errors[2]
        else { return #expect(Bool(false), "\(errors)") }
        #expect(reply.code == 535 && reply.stage == .session)
        #expect(plain.mails.isEmpty && secure.mails.isEmpty)
        try await plain.stop()
        try await secure.stop()
    }

    /// What a server may say, whether it is for good, and whether it is the server's matter.
    @Test(arguments: [
        ("", "421 4.3.2 busy", false, true), ("", "554 go away", false, true), ("MAIL", "451 later", false, true),
        ("MAIL", "550 not you", false, true), ("RCPT", "450 4.2.1 busy", false, false),
        ("RCPT", "550 5.1.1 nobody", true, false), ("RCPT", "421 4.7.0 too many", false, true),
        ("DATA", "451 later", false, false), ("DATA", "554 no", true, false),
        (".", "451 4.7.1 greylisted", false, false),
        (".", "552 5.3.4 too big", true, false),
    ])
    func `a refusal says whether to try again`(
        _ command: String, _ answer: String, _ isPermanent: Bool, _ isAboutServer: Bool
    ) async throws {
        let server = try await SMTPServer.start(.none)
        let transport = SMTPTransport(configuration(server))
        server.fail(.answer(answer, to: command))
        let error = try await #require(throws: SMTPError.self) { try await transport.send(message()) }
        #expect(error.isPermanent == isPermanent && error.isAboutServer == isAboutServer, "\(error)")
        #expect("\(error)".contains(answer))
        #expect(server.mails.isEmpty)
        try await transport.send(message(2))
        #expect(server.mails.count == 1, "the next one goes through")
        transport.close()
        try await server.stop()
    }

    @Test func `a server that is away, falls silent or hangs up after the message says so`() async throws {
        let server = try await SMTPServer.start(.none)
        let transport = SMTPTransport(configuration(server) { $0.totalTimeout = .seconds(10) })
        server.fail(.hangAfterMessage)
        #expect(await throws_(transport) == .transport(.timeout(.total)))
        server.fail(.dropAfterMessage)
        let lost = await throws_(transport)
        guard case .transport(.connectionLost) = lost else { return #expect(Bool(false), "\(lost as Any)") }
        #expect(server.mails.count == 2, "whether it took them nobody could tell")
        try await server.stop()
        guard case .transport(.connect) = await throws_(transport) else {
            return #expect(Bool(false), "there should be no connection")
        }
        transport.close()
        #expect(await throws_(transport) == .transport(.closed))
    }

    private func throws_(_ transport: SMTPTransport) async -> SMTPError? {
        do {
            try await transport.send(message())
            return nil
        } catch { return error }
    }

    @Test func `a message that cannot be sent is told before anybody is asked`() async throws {
        let server = try await SMTPServer.start(.none)
        let transport = SMTPTransport(configuration(server))
        var wrong = message()
        wrong.to.address = "ada@example.org>\r\nRCPT TO:<eve@example.org"
        let error = try await #require(throws: SMTPError.self) { try await transport.send(wrong) }
        guard case .invalidMessage = error else { return #expect(Bool(false), "\(error)") }
        #expect(error.isPermanent && server.connections == 0)
        transport.close()
        try await server.stop()
    }
}
