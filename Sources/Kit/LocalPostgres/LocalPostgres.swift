public import ChildProcess
internal import Crypto
internal import Glibc
internal import Postgres

/// A PostgreSQL server of our own: made in a folder at the first start, and started on the same data ever after.
///
/// It listens on loopback, asks for a password (SCRAM), and ends when this process does, however that ends; what was
/// committed is kept, for every write is flushed as PostgreSQL's defaults have it. PostgreSQL refuses to run as root, so
/// for root it runs as the user `postgres`, or else `nobody`, who then owns the data.
public actor LocalPostgres {
    public static let user = "todo"
    /// How long it may take until the server answers.
    private static let patience: Duration = .seconds(60)

    /// The folder with data, password and log.
    public nonisolated var path: String { folder.path }
    public nonisolated let port: Int
    private nonisolated let folder: PostgresFolder
    private let password: String
    private let programs: PostgresPrograms
    private let log: ServerLog
    private let onUnexpectedEnd: @Sendable (ChildProcess.Exit) -> Void
    private var lock: FolderLock?
    private var process: ChildProcess?
    /// From `start` to `stop`: meanwhile the server is started again whenever it ends.
    private var isWanted = false
    /// Since `start` somebody has killed it before it took connections.
    private var wasKilledEarly = false

    /// Makes or finds the data in `folder`; `start` starts it. Cancelling the task ends it at once; the next try begins
    /// anew.
    ///
    /// - Parameter port: nil takes the one of the last start, and a free one when there was none or it is in use.
    /// - Parameter onUnexpectedEnd: told when the server ended by itself, before it is started again.
    /// - Throws: `LocalPostgresError` that says what to install or to mend.
    public init(
        folder path: String, port: Int? = nil,
        onUnexpectedEnd: @escaping @Sendable (ChildProcess.Exit) -> Void = { _ in }
    ) async throws(LocalPostgresError) {
        let folder = try PostgresFolder(path)
        programs = try PostgresPrograms.find(for: folder)
        try await folder.checkWayIn()
        let lock = try await FolderLock(folder)
        password = try folder.password()
        self.port = try folder.port(port)
        if folder.dataVersion == nil { try await folder.initialise(programs, lock: lock) }
        self.lock = lock
        self.folder = folder
        self.onUnexpectedEnd = onUnexpectedEnd
        log = ServerLog(path: folder.log)
    }

    /// How clients connect to a database: `postgresql://todo:…@127.0.0.1:PORT/NAME`.
    private nonisolated func uri(database: String) -> String {
        "postgresql://\(Self.user):\(password)@127.0.0.1:\(port)/\(database)?sslmode=disable"
    }

    /// Starts the server and waits until it takes connections; nothing happens when it runs. One that ends without being
    /// told is started again, until `stop`. Cancelling the task while it starts stops it.
    public func start() async throws(LocalPostgresError) {
        isWanted = true
        wasKilledEarly = false
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        while true {
            do { return try await launch() } catch {
                // Whoever killed it need not do so again.
                guard case .start = error, wasKilledEarly, ContinuousClock.now < deadline, isWanted else { throw error }
            }
            // Its children hold the shared memory for a moment.
            do { try await Task.sleep(for: .milliseconds(200)) } catch { throw .stopped }  // they tell nobody when not
        }
    }

    private func launch() async throws(LocalPostgresError) {
        if let process, process.isRunning { return }
        let held = if let lock { lock } else { try await FolderLock(folder) }
        lock = held
        await folder.endOrphans()
        try folder.removeStaleProcessFile()
        let (output, copying) = try log.open()
        let started: ChildProcess
        do {
            defer { close(output) }
            started = try await ChildProcess.start(command(output: output, lock: held))
        } catch {
            throw .start(error.description)
        }
        guard isWanted else {
            await started.stop(SIGQUIT)
            throw .stopped
        }
        process = started
        try await waitUntilReady(started, copying)
        Task { await self.restart(after: started) }
    }

    private func command(output: Int32, lock: FolderLock) -> ChildProcess.Specification {
        var command = ChildProcess.Specification(
            path: programs.path("postgres"),
            arguments: [
                "-D", folder.data, "-p", "\(port)", "-c", "listen_addresses=127.0.0.1",
                "-c", "unix_socket_directories=", "-c", "logging_collector=off", "-c", "max_connections=200",
            ],
            environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": folder.data])
        command.workingDirectory = folder.data
        command.user = folder.account.map { (uid: $0.uid, gid: $0.gid) }
        // SIGQUIT: an immediate shutdown, which takes PostgreSQL's own children along; recovery is by its log.
        command.signalWhenParentEnds = SIGQUIT
        command.sharedDescriptor = lock.descriptor
        command.standardOutput = .descriptor(output)
        command.standardError = .descriptor(output)
        return command
    }

    private func restart(after started: ChildProcess) async {
        let exit = await started.exit
        guard isWanted, process === started else { return }
        process = nil
        onUnexpectedEnd(exit)
        while isWanted, process == nil {
            if (try? await launch()) != nil { return }
            try? await Task.sleep(for: .seconds(1))  // children of a killed server tell nobody when they let go
        }
    }

    /// The URI of a database, which is made when it is not there.
    /// - Parameter name: lower-case letters, digits and `_`.
    public func database(_ name: String) async throws(LocalPostgresError) -> String {
        guard name.utf8.count < 64, !name.isEmpty,
            name.allSatisfy({ $0 == "_" || $0.isASCII && ($0.isLowercase || $0.isNumber) })
        else { throw .start("\(name) is not a name for a database") }
        try await administer(uri(database: "postgres"), "the database \(name) could not be made") { connection in
            let there = try await connection.query("SELECT 1::int4 FROM pg_database WHERE datname = \(name)")
            if there.isEmpty { try await connection.execute(script: "CREATE DATABASE \"\(name)\" TEMPLATE template0") }
        }
        return uri(database: name)
    }

    /// The URI of a database with a login of its own name that owns it and may do nothing else in the server: what an
    /// application should get, for row-level security does not hold for the server's own user. Both are made when they are
    /// not there; the password is the same at each start.
    /// - Parameter name: lower-case letters, digits and `_`.
    public func ownedDatabase(_ name: String) async throws(LocalPostgresError) -> String {
        let own = try await database(name)
        let secret = HMAC<SHA256>.authenticationCode(
            for: Array(name.utf8), using: SymmetricKey(data: Array(password.utf8)))
        let digits = Array("0123456789abcdef")
        let ownPassword = String(secret.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        try await administer(own, "the login of the database \(name) could not be made") { connection in
            let there = try await connection.query("SELECT 1::int4 FROM pg_roles WHERE rolname = \(name)")
            try await connection.execute(
                script: """
                    \(there.isEmpty ? "CREATE" : "ALTER") ROLE "\(name)" LOGIN PASSWORD '\(ownPassword)';
                    ALTER DATABASE "\(name)" OWNER TO "\(name)"
                    """)
        }
        return "postgresql://\(name):\(ownPassword)@127.0.0.1:\(port)/\(name)?sslmode=disable"
    }

    /// Runs `body` on a connection; anew when the server goes away meanwhile, which is started again.
    private func administer(
        _ uri: String, _ failure: String, _ body: @Sendable (PostgresConnection) async throws -> Void
    ) async throws(LocalPostgresError) {
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        while true {
            do {
                let connection = try await PostgresConnection.connect(PostgresConfiguration(uri))
                try await body(connection)
                return await connection.close()
            } catch {
                guard Self.isAway(error), isWanted, ContinuousClock.now < deadline else {
                    throw .start("\(failure): \(error)")
                }
            }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { throw .stopped }  // PostgreSQL tells nobody
        }
    }

    private static func isAway(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        if case .connectionFailed(_, isPermanent: true) = error { return false }
        return error.isConnectionFailure
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
        lock = nil
    }

    private func waitUntilReady(
        _ process: ChildProcess, _ copying: Task<Void, Never>
    ) async throws(LocalPostgresError) {
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        while true {
            do {
                let connection = try await PostgresConnection.connect(PostgresConfiguration(uri(database: "postgres")))
                await connection.close()
                return
            } catch {
                let isLate = ContinuousClock.now >= deadline
                guard process.isRunning, !isLate, !Task.isCancelled else {
                    if !process.isRunning, await process.exit == .signalled(SIGKILL) { wasKilledEarly = true }
                    await process.stop(SIGQUIT, patience: .seconds(20))
                    await folder.endOrphans()
                    if self.process === process { self.process = nil }
                    if Task.isCancelled || !isWanted { throw .stopped }
                    await copying.value
                    let why = isLate ? "\(error)" : log.complaint ?? "\(error)"
                    throw .start("PostgreSQL did not start: \(why); see \(folder.log)")
                }
            }
            try? await Task.sleep(for: .milliseconds(50))  // PostgreSQL tells nobody when it is ready
        }
    }
}
