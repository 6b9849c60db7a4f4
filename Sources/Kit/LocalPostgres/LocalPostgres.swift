public import ChildProcess
internal import Concurrency
internal import Glibc
internal import Postgres

/// A PostgreSQL server of our own: made in a folder at the first start, and started on the same data ever after.
///
/// It listens on loopback, asks for a password (SCRAM), and ends when this process does, however that ends; what was
/// committed is kept, for every write is flushed as PostgreSQL's defaults have it. PostgreSQL refuses to run as root, so
/// for root it runs as the user `postgres`, or else `nobody`, who then owns the folder.
public actor LocalPostgres {
    public static let user = "todo"

    /// The folder with data, password and log.
    public nonisolated let folder: String
    public nonisolated let port: Int
    private let password: String
    private let programs: PostgresPrograms
    private let account: UnixAccount?
    private let onUnexpectedEnd: @Sendable (ChildProcess.Exit) -> Void
    private var process: ChildProcess?
    /// From `start` to `stop`: meanwhile the server is started again whenever it ends.
    private var isWanted = false

    /// Makes or finds the data in `folder`; `start` starts it.
    ///
    /// - Parameter port: nil takes the one of the last start, and a free one when there was none or it is in use.
    /// - Parameter onUnexpectedEnd: told when the server ended by itself, before it is started again.
    /// - Throws: `LocalPostgresError` that says what to install or to mend.
    public init(
        folder: String, port: Int? = nil, onUnexpectedEnd: @escaping @Sendable (ChildProcess.Exit) -> Void = { _ in }
    ) async throws(LocalPostgresError) {
        self.folder = folder
        self.onUnexpectedEnd = onUnexpectedEnd
        programs = try PostgresPrograms.find()
        account = try UnixAccount.forPostgres()
        password = try Self.prepare(folder, account)
        try await Self.awaitOldServer(in: folder)
        if let port = port ?? Self.lastPort(in: folder) {
            self.port = port
        } else {
            self.port = try LoopbackPort.free()
        }
        try SmallFile.write("\(self.port)", to: "\(folder)/port")
        if access("\(folder)/data/PG_VERSION", F_OK) != 0 { try await initialise() }
        try checkVersion()
    }

    /// How clients connect to a database: `postgresql://todo:…@127.0.0.1:PORT/NAME`.
    private nonisolated func uri(database: String) -> String {
        "postgresql://\(Self.user):\(password)@127.0.0.1:\(port)/\(database)?sslmode=disable"
    }

    /// Starts the server and waits until it takes connections; nothing happens when it runs. One that ends without being
    /// told is started again, until `stop`.
    public func start() async throws(LocalPostgresError) {
        isWanted = true
        try await launch()
    }

    private func launch() async throws(LocalPostgresError) {
        if let process, process.isRunning { return }
        var command = ChildProcess.Specification(
            path: programs.path("postgres"),
            arguments: [
                "-D", "\(folder)/data", "-p", "\(port)", "-c", "listen_addresses=127.0.0.1",
                "-c", "unix_socket_directories=", "-c", "logging_collector=off", "-c", "max_connections=200",
            ],
            environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": folder])
        command.workingDirectory = folder
        command.user = account.map { (uid: $0.uid, gid: $0.gid) }
        // SIGQUIT: an immediate shutdown, which takes PostgreSQL's own children along; recovery is by its log.
        command.signalWhenParentEnds = SIGQUIT
        command.standardOutput = .file("\(folder)/log")
        command.standardError = .file("\(folder)/log")
        let started = try await Self.start(command)
        guard isWanted else {
            await started.stop(SIGQUIT)
            throw .start("PostgreSQL was stopped while it started")
        }
        process = started
        try await waitUntilReady(started)
        Task { await self.restart(after: started) }
    }

    private func restart(after started: ChildProcess) async {
        let exit = await started.exit
        guard isWanted, process === started else { return }
        process = nil
        onUnexpectedEnd(exit)
        while isWanted, process == nil {
            if (try? await launch()) != nil { return }
            // Of a server that was killed, children may hold the shared memory for a moment.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// The URI of a database, which is made when it is not there.
    /// - Parameter name: lower-case letters, digits and `_`.
    public func database(_ name: String) async throws(LocalPostgresError) -> String {
        guard name.utf8.count < 64, !name.isEmpty,
            name.allSatisfy({ $0 == "_" || $0.isASCII && ($0.isLowercase || $0.isNumber) })
        else { throw .start("\(name) is not a name for a database") }
        do {
            let connection = try await PostgresConnection.connect(PostgresConfiguration(uri(database: "postgres")))
            let there = try await connection.query("SELECT 1::int4 FROM pg_database WHERE datname = \(name)")
            if there.isEmpty { try await connection.execute(script: "CREATE DATABASE \"\(name)\" TEMPLATE template0") }
            await connection.close()
        } catch {
            throw .start("the database \(name) could not be made: \(error)")
        }
        return uri(database: name)
    }

    /// Ends all sessions and stops in order.
    public func stop() async { await end(SIGINT) }

    /// Stops at once, as by a loss of power; the next start recovers by the log.
    public func kill() async { await end(SIGQUIT) }

    private func end(_ signal: Int32) async {
        isWanted = false
        let running = process
        process = nil
        await running?.stop(signal, patience: .seconds(20))
    }
}

extension LocalPostgres {
    /// The folder, its owner and the password in it.
    private static func prepare(_ folder: String, _ account: UnixAccount?) throws(LocalPostgresError) -> String {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw .folder("cannot make \(folder): \(String(cString: strerror(errno)))")
        }
        let file = "\(folder)/password"
        let isNew = access(file, F_OK) != 0
        let password = isNew ? makePassword() : try SmallFile.read(file)
        if isNew { try SmallFile.write(password, to: file) }
        if let account {
            for path in [folder, file] where chown(path, account.uid, account.gid) != 0 {
                throw .folder("cannot give \(path) to the user \(account.name): \(String(cString: strerror(errno)))")
            }
        }
        return password
    }

    private static func makePassword() -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String((0..<32).compactMap { _ in alphabet.randomElement() })
    }

    private static func lastPort(in folder: String) -> Int? {
        guard let port = (try? SmallFile.read("\(folder)/port")).flatMap({ Int($0) }), LoopbackPort.isFree(port) else {
            return nil
        }
        return port
    }

    private func initialise() async throws(LocalPostgresError) {
        // Made beside and renamed when whole: a start that was cut short leaves nothing that looks like a database.
        let unfinished = "\(folder)/data.new"
        _ = try await run("/bin/rm", ["-rf", unfinished])
        try await run(
            programs.path("initdb"),
            [
                "-D", unfinished, "-U", Self.user, "--auth=scram-sha-256", "--pwfile=\(folder)/password",
                "-E", "UTF8", "--locale=C.UTF-8",
            ])
        guard rename(unfinished, "\(folder)/data") == 0 else {
            throw .folder("cannot rename \(unfinished): \(String(cString: strerror(errno)))")
        }
    }

    private func checkVersion() throws(LocalPostgresError) {
        let data = (try? SmallFile.read("\(folder)/data/PG_VERSION")) ?? ""
        guard data == programs.majorVersion else {
            throw .version(
                "the data in \(folder) is of PostgreSQL \(data), installed is \(programs.majorVersion): install "
                    + "postgresql-\(data), or move the folder away to begin anew")
        }
    }

    /// Waits for a server that its parent left behind, and which is ending: after a kill -9 of the parent it takes a
    /// moment. The file that is left when everything was killed names another process, or none.
    private static func awaitOldServer(in folder: String) async throws(LocalPostgresError) {
        let file = "\(folder)/data/postmaster.pid"
        for _ in 0..<100 {
            guard let text = try? SmallFile.read(file),
                let pid = text.split(separator: "\n").first.flatMap({ Int32($0) }),
                (try? SmallFile.read("/proc/\(pid)/comm")) == "postgres"
            else {
                unlink(file)
                return
            }
            try? await Task.sleep(for: .milliseconds(100))  // a process that is not our child tells nobody of its end
        }
        throw .start("another PostgreSQL uses \(folder): is todo up running on this folder already?")
    }

    private func waitUntilReady(_ process: ChildProcess) async throws(LocalPostgresError) {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while true {
            do {
                let connection = try await PostgresConnection.connect(PostgresConfiguration(uri(database: "postgres")))
                await connection.close()
                return
            } catch {
                guard process.isRunning, ContinuousClock.now < deadline else {
                    await process.stop(SIGQUIT, patience: .seconds(20))
                    if self.process === process { self.process = nil }
                    throw .start("PostgreSQL did not start (\(error)); see \(folder)/log")
                }
            }
            try? await Task.sleep(for: .milliseconds(50))  // PostgreSQL tells nobody when it is ready
        }
    }

    @discardableResult
    private func run(_ path: String, _ arguments: [String]) async throws(LocalPostgresError) -> ChildProcess.Exit {
        var command = ChildProcess.Specification(
            path: path, arguments: arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"])
        command.workingDirectory = folder
        command.user = account.map { (uid: $0.uid, gid: $0.gid) }
        command.standardOutput = .file("\(folder)/log")
        command.standardError = .file("\(folder)/log")
        let exit = try await Self.start(command).exit
        guard exit == .exited(0) else { throw .start("\(path) ended with \(exit); see \(folder)/log") }
        return exit
    }

    private static func start(_ command: ChildProcess.Specification) async throws(LocalPostgresError) -> ChildProcess {
        do { return try await ChildProcess.start(command) } catch { throw .start(error.description) }
    }
}
