internal import CPostgres
internal import Synchronization
internal import Concurrency

extension PostgresConnection {
    /// Runs one statement and returns its rows.
    ///
    /// Throws `PostgresError`, or `CancellationError` when the task is cancelled; the statement is then cancelled on
    /// the server, and the connection can be used again (unless the server did not react within `cancelGrace`).
    @discardableResult
    public func query(_ query: PostgresQuery) async throws -> PostgresRows {
        await takeTurn()
        defer { giveTurn() }
        do {
            return try await runOnce(query)
        } catch let error as PostgresError where isStalePlan(error) {
            try await renewStatements(after: error)
            return try await runOnce(query)
        }
    }

    /// Runs statements separated by semicolons, without parameters; rows are dropped. All of them make one transaction
    /// unless the text itself begins some.
    public func execute(script: String, name: String? = nil) async throws {
        await takeTurn()
        defer { giveTurn() }
        try await runSimple(script, label: StatementLabel(name: name, sql: script))
    }

    /// Asks the server whether it is there.
    public func ping() async throws { try await execute(script: "", name: "ping") }

    private func runOnce(_ query: PostgresQuery) async throws -> PostgresRows {
        let results: [ResultHandle]
        switch configuration.statementMode {
        case .prepared:
            let name = try await prepare(query)
            results = try await perform(query.label) { pointer in
                query.parameters.withPointers { count, values, lengths, formats in
                    PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
                }
            }
        case .unnamed:
            results = try await perform(query.label) { pointer in
                query.parameters.withPointers { count, values, lengths, formats in
                    PQsendQueryParams(pointer, query.sql, count, query.parameters.types, values, lengths, formats, 1)
                }
            }
        }
        guard let result = results.last else { throw PostgresError.misuse("\(query.label) gave no result") }
        return PostgresRows(result)
    }

    /// The server's name for the query's statement, which is prepared on its first use.
    private func prepare(_ query: PostgresQuery) async throws -> String {
        let key = query.statementKey
        if let name = statements.name(for: key) { return name }
        let name = statements.makeName()
        try await perform(query.label) { pointer in
            PQsendPrepare(pointer, name, query.sql, Int32(query.parameters.count), query.parameters.types)
        }
        if let evicted = statements.insert(key, name: name) {
            try await deallocate(evicted)
        }
        return name
    }

    func deallocate(_ statement: String) async throws {
        try await runSimple("DEALLOCATE \(statement)", label: "DEALLOCATE", isCancellable: false)
    }

    func forgetStatements() async throws {
        statements.removeAll()
        hasStaleStatements = false
        try await runSimple("DEALLOCATE ALL", label: "DEALLOCATE", isCancellable: false)
    }

    /// A statement can outlive its plan: a column's type changed (0A000), or somebody ran `DISCARD ALL` (26000).
    func isStalePlan(_ error: PostgresError) -> Bool {
        guard let state = error.sqlState, state == "26000" || state == "0A000" else { return false }
        return configuration.statementMode == .prepared
    }

    /// Outside a transaction, has statements prepared afresh, to be run again. Inside one the transaction has failed
    /// already: throws `error`, and they are prepared afresh once it is over.
    func renewStatements(after error: PostgresError) async throws {
        guard phase.load(ordering: .relaxed) == .idle else {
            hasStaleStatements = true
            throw error
        }
        try await forgetStatements()
    }

    @discardableResult
    func runSimple(_ sql: String, label: StatementLabel, isCancellable: Bool = true) async throws -> [ResultHandle] {
        try await perform(label, isCancellable: isCancellable) { PQsendQuery($0, sql) }
    }
}

extension PostgresConnection {
    /// Sends one command and gathers all its results. The turn must have been taken.
    @discardableResult
    func perform(
        _ label: StatementLabel, isCancellable: Bool = true, _ send: (OpaquePointer) -> Int32
    ) async throws -> [ResultHandle] {
        try begin(label, isCancellable: isCancellable, send)
        return try await finish(label, isCancellable: isCancellable) { try await self.gather($0) }
    }

    /// Hands a command to libpq.
    func begin(_ label: StatementLabel, isCancellable: Bool = true, _ send: (OpaquePointer) -> Int32) throws {
        if isCancellable { try Task.checkCancellation() }
        let link = try liveLink()
        guard send(link.pointer) == 1, PQflush(link.pointer) >= 0 else {
            let message = link.message
            // Half a pipeline cannot be taken back.
            guard link.isBroken || PQpipelineStatus(link.pointer) != PQ_PIPELINE_OFF else {
                throw PostgresError.misuse("\(label): \(message)")
            }
            throw lose(link, message, label)
        }
    }

    /// Waits for the end of the command under way, cancelling it on the server when the task is cancelled, and throws
    /// the first error among its results.
    func finish(
        _ label: StatementLabel, isCancellable: Bool = true,
        _ gather: (Link) async throws -> [ResultHandle]
    ) async throws -> [ResultHandle] {
        let link = try liveLink()
        operation += 1
        let current = operation
        let results: [ResultHandle]
        do {
            if isCancellable {
                results = try await withTaskCancellationHandler {
                    try await gather(link)
                } onCancel: {
                    Task { await self.cancelOnServer(operation: current) }
                }
            } else {
                results = try await gather(link)
            }
        } catch {
            if isCancellable { try Task.checkCancellation() }
            throw (error as? PostgresError)?.during(label) ?? error
        }
        operation += 1
        await settleCancellation()
        return try conclude(results, link, label, isCancellable: isCancellable)
    }

    private func conclude(
        _ results: [ResultHandle], _ link: Link, _ label: StatementLabel, isCancellable: Bool
    ) throws -> [ResultHandle] {
        let error = results.lazy.compactMap { $0.error(in: label) }.first
        if link.isBroken {
            throw lose(link, error, label)
        }
        noteTransactionStatus(link)
        if let error {
            if isCancellable, error.isQueryCanceled { try Task.checkCancellation() }
            throw error
        }
        return results
    }

    /// Results of a command, up to the point where libpq has no more or COPY begins.
    private func gather(_ link: Link) async throws -> [ResultHandle] {
        var results: [ResultHandle] = []
        while true {
            if PQisBusy(link.pointer) == 1, !link.isBroken { try await suspend(until: .result, on: link) }
            _ = try liveLink()
            guard let pointer = PQgetResult(link.pointer) else { return results }
            let result = ResultHandle(pointer)
            results.append(result)
            if result.beginsCopy { return results }
        }
    }

    func noteTransactionStatus(_ link: Link) {
        guard self.link != nil else { return }
        let status = PQtransactionStatus(link.pointer)
        phase.store(status == PQTRANS_IDLE ? .idle : .inTransaction, ordering: .releasing)
        listenToSocket(link)
    }

    func lose(_ link: Link, _ message: String, _ label: StatementLabel) -> PostgresError {
        lose(link, .connectionLost(message, statement: label.description), label)
    }

    private func lose(_ link: Link, _ error: PostgresError?, _ label: StatementLabel) -> PostgresError {
        link.unwatch()
        let reason =
            switch error {
            case .server(let farewell): PostgresError.connectionLost(farewell.message, statement: label.description)
            case let error?: error
            case nil: PostgresError.connectionLost(link.message, statement: label.description)
            }
        end(reason)
        return reason
    }
}

extension PostgresError {
    /// A connection that was ended from elsewhere takes its statement with it.
    fileprivate func during(_ label: StatementLabel) -> PostgresError {
        if case .connectionLost(let why, _) = self { .connectionLost(why, statement: label.description) } else { self }
    }
}
