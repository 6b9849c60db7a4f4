import ChildProcess
import Foundation
import Glibc
import LocalPostgres
import Postgres
import TodoStore

/// PostgreSQL with the people's tasks in it.
struct Database {
    /// Of the owner of the tables, which row-level security holds for.
    let uri: String
    let server: LocalPostgres

    /// PostgreSQL's processes.
    var processes: ProcessTree {
        let file = (try? String(contentsOfFile: "\(server.path)/data/postmaster.pid", encoding: .utf8)) ?? ""
        return ProcessTree(root: Int32(file.split(separator: "\n").first ?? "") ?? 0)
    }

    static func start(in folder: String, _ options: Options) async throws -> Database {
        let server = try await LocalPostgres(folder: folder)
        try await server.start()
        let uri = try await server.database("bench")
        let connection = try await PostgresConnection.connect(PostgresConfiguration(uri))
        // As PostgreSQL's manual has it: a quarter of the memory.
        let memory = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
        for setting in ["shared_buffers = '\(memory / (4 << 20))MB'", "max_wal_size = '4GB'"] {
            try await connection.execute(script: "ALTER SYSTEM SET \(setting)")
        }
        try await connection.execute(
            script:
                "CREATE ROLE app LOGIN PASSWORD 'app'; ALTER DATABASE bench OWNER TO app; GRANT CREATE ON SCHEMA public TO app"
        )
        await connection.close()
        await server.stop()
        try await server.start()
        let database = Database(
            uri: "postgresql://app:app@127.0.0.1:\(server.port)/bench?sslmode=disable", server: server)
        _ = try await Migrator.migrate(databaseURI: database.uri)
        return database
    }

    /// Runs a file of this folder as superuser.
    func run(_ file: String, _ options: Options) async throws {
        let script = try String(contentsOfFile: "\(Options.repository)/Tests/Benchmarks/\(file)", encoding: .utf8)
            .replacing(":users", with: "\(options.users)").replacing(":tasks", with: "\(options.tasks)")
        try await withConnection { try await $0.execute(script: script) }
    }

    /// What `sample.sql` finds.
    func sample() async throws -> String {
        let query = try String(
            contentsOfFile: "\(Options.repository)/Tests/Benchmarks/Tasks/sample.sql", encoding: .utf8)
        return try await withConnection { try await $0.query(PostgresQuery(query)).first?.decode(String.self) ?? "" }
    }

    func withConnection<Value>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(try await server.database("bench")))
        let value = try await body(connection)
        await connection.close()
        return value
    }
}

/// One of the two servers.
final class Server: Sendable {
    let name: String
    let dialect: Dialect
    let port: Int
    private let process: ChildProcess

    var processes: ProcessTree { ProcessTree(root: process.pid) }

    private init(_ name: String, _ dialect: Dialect, port: Int, _ process: ChildProcess) {
        self.name = name
        self.dialect = dialect
        self.port = port
        self.process = process
    }

    static func ours(_ options: Options, database: String, folder: String) async throws -> Server {
        let port = Int.random(in: 20_000..<30_000)
        let specification = ChildProcess.Specification(
            path: options.program, arguments: ["serve", "api"],
            environment: [
                "DATABASE_URI": database, "PORT": "\(port)", "TODO_BIND_ADDRESS": "127.0.0.1", "LOG_LEVEL": "error",
                "TODO_API_TOKEN": UUID().uuidString, "POOL_SIZE": "\(options.connections)",
            ])
        return try await start("todo", .ours, specification, port: port, path: "/readyz", log: "\(folder)/todo.log")
    }

    /// Nil, and a line that says why, when it cannot be installed.
    static func peer(_ options: Options, database: String, folder: String) async throws -> Server? {
        let source = "\(Options.repository)/Tests/Benchmarks/Peers/fastapi"
        let environment = "\(Options.repository)/.build/peers/fastapi"
        let install = """
            [ -e '\(environment)/ready' ] && exit; python3 -m venv '\(environment)' && \
            '\(environment)/bin/pip' install --quiet --disable-pip-version-check -r '\(source)/requirements.txt' && \
            touch '\(environment)/ready'
            """
        let shell = ChildProcess.Specification(
            path: "/bin/sh", arguments: ["-c", install], environment: ProcessInfo.processInfo.environment)
        guard case .ended(.exited(0), _) = try await ChildProcess.capture(shell, deadline: .seconds(600)) else {
            print("without the peer: FastAPI could not be installed from PyPI")
            return nil
        }
        let port = Int.random(in: 30_000..<32_000)
        var specification = ChildProcess.Specification(
            path: "\(environment)/bin/uvicorn",
            arguments: [
                "app:app", "--app-dir", source, "--port", "\(port)", "--workers", "2", "--no-access-log", "--log-level",
                "warning", "--timeout-keep-alive", "75",
            ],
            environment: [
                "DATABASE_URI": database.replacing("?sslmode=disable", with: ""), "PATH": "/usr/bin:/bin",
                "POOL_SIZE": "\(options.connections)",
            ])
        specification.workingDirectory = folder
        return try await start(
            "FastAPI + SQLModel", .peer, specification, port: port, path: "/openapi.json", log: "\(folder)/peer.log")
    }

    private static func start(
        _ name: String, _ dialect: Dialect, _ specification: ChildProcess.Specification, port: Int, path: String,
        log: String
    ) async throws -> Server {
        var specification = specification
        specification.standardOutput = .file(log)
        specification.standardError = .file(log)
        specification.signalWhenParentEnds = SIGTERM
        let server = Server(name, dialect, port: port, try await ChildProcess.start(specification))
        do {
            try await until("\(name) is up: \(log)") {
                guard server.process.isRunning else { throw Failure("\(name) ended: \(log)") }
                return (try? HTTPConnection(port: port).send("GET", path, token: ""))?.status == 200
            }
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    func stop() async { await process.stop() }
}

/// A process and all that it started.
struct ProcessTree {
    let root: Int32

    /// Seconds of processor time so far, to a hundredth for each process.
    var processorTime: Double {
        var children: [Int32: [(pid: Int32, ticks: Double)]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name), let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 14,
                let parent = Int32(fields[1])
            else { continue }
            // Its own, and that of children that have ended.
            let ticks = fields[11...14].compactMap { Double($0) }.reduce(0, +)
            children[pid == root ? 0 : parent, default: []].append((pid, ticks))
        }
        func sum(_ parent: Int32) -> Double {
            (children[parent] ?? []).reduce(0) { $0 + $1.ticks + sum($1.pid) }
        }
        return (children[0] ?? []).filter { $0.pid == root }.reduce(0) { $0 + $1.ticks + sum($1.pid) } / 100
    }
}
