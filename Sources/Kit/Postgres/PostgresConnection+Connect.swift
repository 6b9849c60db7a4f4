internal import CPostgres
public import Concurrency
public import Logging
internal import Glibc
internal import Synchronization

extension PostgresConnection {
    /// Connects to the first address that lets us in; each gets `configuration.connectTimeout`.
    /// Throws `PostgresError.connectionFailed`, naming every address that was tried and why it failed.
    public static func connect(
        _ configuration: PostgresConfiguration, reactor: Reactor = .shared,
        logger: Logger = Logger(label: "postgres", factory: { _ in SwiftLogNoOpLogHandler() })
    ) async throws -> PostgresConnection {
        let hosts = configuration["host"] ?? getenv("PGHOST").map { String(cString: $0) }
        let candidates = try HostCandidate.list(
            host: hosts, address: configuration["hostaddr"], port: configuration["port"])
        var failures: [ConnectFailure] = []
        for candidate in candidates {
            do {
                for address in try await candidate.resolved() {
                    let connection = PostgresConnection(configuration: configuration, reactor: reactor, logger: logger)
                    do {
                        try await connection.open(address)
                        return connection
                    } catch let failure as ConnectFailure {
                        failures.append(failure)
                    }
                }
            } catch PostgresError.connectionFailed(let why, _) {
                failures.append(ConnectFailure(why))
            }
        }
        throw PostgresError.connectionFailed(
            failures.map(\.message).joined(separator: "; "), isPermanent: failures.contains(where: \.isPermanent))
    }

    private func open(_ candidate: HostCandidate) async throws {
        let timeout = configuration.connectTimeout
        let deadline = Task {
            try await Task.sleep(for: timeout)  // the deadline itself; cancelled when the connection is there
            abandonConnect("no answer from \(candidate.host ?? candidate.address ?? "the server") within \(timeout)")
        }
        defer { deadline.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await poll(try start(candidate))
            } onCancel: {
                Task { await self.end(.closed) }
            }
        } catch {
            try Task.checkCancellation()
            end(.closed)
            if case PostgresError.connectionFailed(let why, _) = error { throw ConnectFailure(why) }
            throw error
        }
    }

    private func abandonConnect(_ why: String) {
        if phase.load(ordering: .relaxed) == .connecting { end(.connectionFailed(why, isPermanent: false)) }
    }

    private func start(_ candidate: HostCandidate) throws -> OpaquePointer {
        if let failure { throw failure }  // cancelled before it began
        var parameters = configuration.parameters
        for (key, value) in [("host", candidate.host), ("hostaddr", candidate.address), ("port", candidate.port)] {
            parameters.removeAll { $0.key == key }
            if let value { parameters.append((key, value)) }
        }
        let pointer = withCStrings(parameters.map(\.key)) { keys in
            withCStrings(parameters.map(\.value)) { values in PQconnectStartParams(keys, values, 0) }
        }
        guard let pointer else { throw PostgresError.connectionFailed("out of memory", isPermanent: false) }
        _ = PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)  // the only way to learn the SQLSTATE of a refusal
        link = Link(pointer: pointer, reactor: reactor)
        return pointer
    }

    /// Drives libpq's handshake (PostgreSQL documentation, 34.1, `PQconnectPoll`).
    private func poll(_ pointer: OpaquePointer) async throws {
        var next = PQstatus(pointer) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            let link = try liveLink()
            guard next != PGRES_POLLING_FAILED else {
                throw PostgresError.connectionFailed(link.message, isPermanent: false)
            }
            try await suspend(until: next == PGRES_POLLING_READING ? .pollRead : .pollWrite, on: link)
            _ = try liveLink()
            link.unwatch()  // the next step may go on with another socket
            next = PQconnectPoll(pointer)
        }
        try finishConnect(pointer)
    }

    private func finishConnect(_ pointer: OpaquePointer) throws {
        let old = try liveLink()
        guard PQsetnonblocking(pointer, 1) == 0 else {
            throw PostgresError.connectionFailed(old.message, isPermanent: false)
        }
        old.cancelKey = CancelKey(of: pointer)
        // Notices are for people at a terminal: libpq would write them to standard error.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        phase.store(.idle, ordering: .releasing)
        listenToSocket(old)
    }
}

/// Lends `strings` as a NULL-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    let pointers: [UnsafePointer<CChar>?] = copies.map { UnsafePointer($0) } + [nil]
    return body(pointers)
}
