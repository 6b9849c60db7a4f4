import Concurrency
import Foundation
import LocalPostgres

/// A real PostgreSQL for tests, in a temporary folder of its own: fast (no fsync), with TLS, on a Unix socket and on
/// loopback. It ends, and its folder goes, when the test process does, however that dies.
///
/// PostgreSQL refuses to run as root; then the user `postgres` runs it.
public final class PostgresServer: Sendable {
    /// The server that tests share, each with a database of its own. Tests that harm a server start their own.
    public static func shared() async throws -> PostgresServer { try await sharedTask.value }
    private static let sharedTask = Task { try await PostgresServer.start() }

    /// Where data, socket, certificates and log are.
    public let directory: String
    public let port: Int
    /// The CA that signed the server's certificate, for `sslrootcert`.
    public var caCertificate: String { "\(directory)/ca.crt" }
    /// A CA that did not.
    public var foreignCACertificate: String { "\(directory)/foreign.crt" }
    private let keeper = Lock<Keeper?>(nil)
    private let templates = Lock<[String: Task<String, any Error>]>([:])

    private init(directory: String, port: Int) {
        self.directory = directory
        self.port = port
    }

    /// Makes a new server and waits until it answers. `settings` are added to `postgresql.conf`.
    public static func start(settings: [String: String] = [:]) async throws -> PostgresServer {
        let server = PostgresServer(directory: try await Shell.temporaryDirectory(), port: try LoopbackPort.free())
        try await server.initialise(settings)
        try await server.launch()
        return server
    }

    /// Starts the server again, on the same port and data, after `kill` or `stop`.
    public func restart() async throws { try await launch() }

    /// Stops the server in order; its data stays until the test process ends.
    public func stop() async throws {
        try await Shell.run("\(Shell.binaries)/pg_ctl", "stop", "-D", "\(directory)/data", "-m", "fast", "-w")
    }

    /// SIGKILL to the postmaster: what a power cut looks like to clients. Returns when its children are gone, too.
    public func kill() async throws {
        guard let pid = postmaster else { throw Shell.Failure("the server is not running") }
        // A child that it had after they were listed would hold on to the memory that its successor waits for.
        Foundation.kill(pid, SIGSTOP)
        let children = try await Shell.run("/usr/bin/pgrep", "-P", "\(pid)").split(separator: "\n").compactMap {
            Int32($0)
        }
        Foundation.kill(pid, SIGKILL)
        for process in [pid] + children {
            try await Shell.wait("process \(process) to end") { !Shell.isRunning(process) }
        }
        // Its keeper may not have reaped it yet, and a successor takes a zombie for a running server.
        try await Shell.run(
            "/bin/rm", "-f", "\(directory)/data/postmaster.pid", "\(directory)/.s.PGSQL.\(port).lock")
    }

    /// The process id of the postmaster, while it runs.
    public var postmaster: Int32? {
        let lines = try? String(contentsOfFile: "\(directory)/data/postmaster.pid", encoding: .utf8)
        return lines?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// A connection string for the Unix socket, without a password.
    public func socketURI(user: String = "postgres", database: String = "postgres") -> String {
        let host = directory.replacingOccurrences(of: "/", with: "%2F")
        return "postgresql://\(user)@\(host):\(port)/\(database)"
    }

    /// A connection string for loopback TCP. Users: `postgres` (no password), `app` (password `app-secret`),
    /// `tlsonly` (let in over TLS only). `options` are added as the query.
    public func uri(
        user: String = "postgres", database: String = "postgres", host: String = "localhost", options: String = ""
    ) -> String {
        "postgresql://\(user)@\(host):\(port)/\(database)\(options.isEmpty ? "" : "?\(options)")"
    }

    /// Makes a database with a name of its own, empty or as `template`; returns the name.
    public func createDatabase(owner: String = "postgres", template: String = "template0") async throws -> String {
        let name = "test_\(UInt64.random(in: 0...UInt64.max))"
        try await psql("CREATE DATABASE \(name) TEMPLATE \(template) OWNER \(owner)")
        return name
    }

    /// Makes a database that `app` owns, as `fill` leaves the one at the URI that it is given; returns the name. It fills
    /// only the first of its `kind`, of which the others are copies.
    public func createDatabase(
        _ kind: String, filledBy fill: @escaping @Sendable (_ uri: String) async throws -> Void
    ) async throws -> String {
        let filling = templates.withLock { templates in
            if let begun = templates[kind] { return begun }
            let started = Task {
                let name = try await createDatabase(owner: "app")
                try await fill(socketURI(user: "app", database: name))
                return name
            }
            templates[kind] = started
            return started
        }
        return try await createDatabase(owner: "app", template: filling.value)
    }

    /// Runs SQL as the superuser by psql, apart from the client under test.
    @discardableResult
    public func psql(_ sql: String, database: String = "postgres") async throws -> String {
        try await Shell.run(
            "\(Shell.binaries)/psql", "-XqAt", "-h", directory, "-p", "\(port)", "-d", database, "-U", "postgres",
            "-v", "ON_ERROR_STOP=1", "-c", sql)
    }
}

extension PostgresServer {
    private func initialise(_ settings: [String: String]) async throws {
        let data = "\(directory)/data"
        try await Shell.run(
            "\(Shell.binaries)/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
            "--no-sync")
        try await makeCertificates()
        var lines = """
            listen_addresses = '127.0.0.1'
            port = \(port)
            unix_socket_directories = '\(directory)'
            max_connections = 1000
            fsync = off
            synchronous_commit = off
            full_page_writes = off
            ssl = on
            ssl_cert_file = '\(directory)/server.crt'
            ssl_key_file = '\(directory)/server.key'

            """
        for (key, value) in settings { lines += "\(key) = \(value)\n" }
        try Shell.write("\(data)/postgresql.auto.conf", lines)
        try Shell.write(
            "\(data)/pg_hba.conf",
            """
            local     all all                  trust
            hostssl   all tlsonly 127.0.0.1/32 trust
            host      all tlsonly 127.0.0.1/32 reject
            host      all app     127.0.0.1/32 scram-sha-256
            host      all all     127.0.0.1/32 trust

            """)
    }

    /// A CA, a certificate of it for `localhost` (and not for 127.0.0.1, so that verify-full can fail), a foreign CA.
    private func makeCertificates() async throws {
        func openssl(_ arguments: String...) async throws { try await Shell.run("/usr/bin/openssl", arguments) }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        for name in ["ca", "foreign"] {
            try await Shell.run(
                "/usr/bin/openssl",
                ["req", "-x509"] + key + [
                    "-subj", "/CN=test \(name)", "-keyout", "\(directory)/\(name).key", "-out",
                    "\(directory)/\(name).crt",
                ])
        }
        try await Shell.run(
            "/usr/bin/openssl",
            ["req"] + key + [
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", "\(directory)/server.key", "-out", "\(directory)/server.csr",
            ])
        try await openssl(
            "x509", "-req", "-in", "\(directory)/server.csr", "-CA", caCertificate, "-CAkey", "\(directory)/ca.key",
            "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", "\(directory)/server.crt")
    }

    private func launch() async throws {
        let keeper = try await Keeper.start(
            directory: directory, command: ["\(Shell.binaries)/postgres", "-D", "\(directory)/data"])
        self.keeper.withLock { current in
            current?.detach()
            current = keeper
        }
        try await Shell.wait("PostgreSQL to answer; see \(directory)/log") {
            (try? await psql("SELECT 1")) == "1"
        }
        try await psql(
            """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
                    SET password_encryption = 'scram-sha-256';
                    CREATE ROLE app LOGIN PASSWORD 'app-secret';
                    CREATE ROLE tlsonly LOGIN;
                END IF;
            END $$
            """)
    }
}
