import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct ConnectTests {
    func connect(_ uri: String, timeout: Duration = .seconds(10)) async throws -> PostgresConnection {
        var configuration = try PostgresConfiguration(uri)
        configuration.connectTimeout = timeout
        return try await PostgresConnection.connect(configuration)
    }

    @Test func `verify-full lets us in when name and CA are right`() async throws {
        let server = try await PostgresServer.shared()
        let tls = "sslmode=verify-full&sslrootcert=\(server.caCertificate)"
        let connection = try await connect(server.uri(user: "tlsonly", options: tls))
        #expect(await connection.usesTLS)
        #expect(try await connection.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", as: Bool.self))
        await connection.close()
    }

    @Test func `verify-full keeps us out when the CA or the name is another`() async throws {
        let server = try await PostgresServer.shared()
        let foreign = "sslmode=verify-full&sslrootcert=\(server.foreignCACertificate)"
        let wrongCA = try await postgresError { _ = try await connect(server.uri(options: foreign)) }
        #expect("\(wrongCA)".contains("certificate verify failed"))
        let right = "sslmode=verify-full&sslrootcert=\(server.caCertificate)"
        let wrongName = try await postgresError { _ = try await connect(server.uri(host: "127.0.0.1", options: right)) }
        #expect("\(wrongName)".contains("does not match host name"))
    }

    @Test func `a server without TLS is refused when TLS is asked for`() async throws {
        let server = try await PostgresServer.start(settings: ["ssl": "off"])
        let error = try await postgresError { _ = try await connect(server.uri(options: "sslmode=require")) }
        #expect("\(error)".contains("server does not support SSL, but SSL was required"))
        guard case .connectionFailed(_, isPermanent: true) = error else {
            Issue.record("not permanent: \(error)")
            return
        }
    }

    @Test func `a wrong password is told without the password`() async throws {
        let server = try await PostgresServer.shared()
        let error = try await postgresError { _ = try await connect(server.uri(user: "app:wrong-secret")) }
        #expect("\(error)".contains("password authentication failed for user \"app\""))
        #expect(!"\(error)".contains("wrong-secret") && !"\(error)".contains("\n"))
        guard case .connectionFailed(_, isPermanent: true) = error else {
            Issue.record("not permanent: \(error)")
            return
        }
        await (try connect(server.uri(user: "app:app-secret"))).close()
    }

    @Test func `the next host is tried when one does not answer`() async throws {
        let server = try await PostgresServer.shared()
        let connection = try await connect("postgresql://postgres@127.0.0.1:1,localhost:\(server.port)/postgres")
        #expect(try await connection.value("SELECT 1", as: Int.self) == 1)
        await connection.close()
    }

    @Test func `all failures are told when no host answers`() async throws {
        let error = try await postgresError {
            _ = try await connect("postgresql://no-such-host.invalid:1,127.0.0.1:1/x")
        }
        #expect("\(error)".contains("no-such-host.invalid") && "\(error)".contains("Connection refused"))
    }

    @Test func `a host that accepts but says nothing is given up`() async throws {
        let mute = try MuteListener()
        let error = try await postgresError {
            _ = try await connect("postgresql://127.0.0.1:\(mute.port)/x", timeout: .milliseconds(50))
        }
        #expect("\(error)".contains("no answer from 127.0.0.1"))
    }

    @Test func `cancelling ends an attempt to connect, whenever it comes`() async throws {
        let mute = try MuteListener()
        for round in 0..<200 {
            let task = Task { try await connect("postgresql://127.0.0.1:\(mute.port)/x") }
            for _ in 0..<round % 20 { await Task.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
        }
    }

    @Test func `closing a connection fails the statements that wait, whenever it comes`() async throws {
        let server = try await PostgresServer.shared()
        for round in 0..<100 {
            let connection = try await connect(server.socketURI())
            let task = Task { try await connection.query("SELECT pg_sleep(60)") }
            for _ in 0..<round % 10 { await Task.yield() }
            await connection.close()
            await #expect(throws: PostgresError.self) { _ = try await task.value }
        }
    }

    @Test(arguments: [
        ("postgresql://u@h/d?sslmodee=x", "invalid URI query parameter: \"sslmodee\""),
        ("host=h password='hunter2", "unterminated quoted string"),
        ("hunter2", "missing"),
    ])
    func `a string that cannot be read is told without its secrets`(text: String, reason: String) async throws {
        let error = try await postgresError { _ = try PostgresConfiguration(text) }
        #expect("\(error)".contains(reason) && !"\(error)".contains("hunter2"))
    }

    @Test func `a configuration describes itself without its password`() throws {
        let configuration = try PostgresConfiguration("postgresql://app:hunter2@db.example:6432/todo?sslmode=require")
        #expect("\(configuration)" == "app@db.example:6432/todo")
        #expect(configuration["sslmode"] == "require")
    }
}
