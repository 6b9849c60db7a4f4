internal import CPostgres
internal import Concurrency

extension PostgresConnection {
    /// Runs queries in one round trip, as one transaction: all take effect or, when one fails, none. Inside a
    /// transaction they are part of it. Returns the rows of each, in order.
    ///
    /// Throws the first failure, which names its statement, or `batch` when they could not be committed.
    @discardableResult
    public func batch(_ queries: [PostgresQuery]) async throws -> [PostgresRows] {
        guard !queries.isEmpty else { return [] }
        await takeTurn()
        defer { giveTurn() }
        do {
            return try await runBatch(queries)
        } catch let error as PostgresError where isStalePlan(error) {
            try await renewStatements(after: error)
            return try await runBatch(queries)
        }
    }

    private func runBatch(_ queries: [PostgresQuery]) async throws -> [PostgresRows] {
        let label: StatementLabel = "batch"
        let steps = PipelinePlan.steps(for: queries, mode: configuration.statementMode, statements: &statements)
        try begin(label) { pointer in Self.send(steps, to: pointer) }
        var slots: [ResultHandle?] = []
        _ = try await finish(label) { link in
            slots = try await self.gatherPipeline(link, steps: steps)
            return []
        }
        return try await conclude(steps, slots)
    }

    private static func send(_ steps: [PipelinePlan.Step], to pointer: OpaquePointer) -> Int32 {
        guard PQenterPipelineMode(pointer) == 1 else { return 0 }
        for step in steps {
            let query = step.query
            let sent: Int32 =
                switch step.action {
                case .prepare(let name):
                    PQsendPrepare(pointer, name, query.sql, Int32(query.parameters.count), query.parameters.types)
                case .run(let name?):
                    query.parameters.withPointers { count, values, lengths, formats in
                        PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
                    }
                case .run(nil):
                    query.parameters.withPointers { count, values, lengths, formats in
                        PQsendQueryParams(
                            pointer, query.sql, count, query.parameters.types, values, lengths, formats, 1)
                    }
                }
            guard sent == 1 else { return 0 }
        }
        return PQpipelineSync(pointer)
    }

    /// One result for each step, up to the synchronisation point, and one more when that failed: libpq ends each with NULL.
    private func gatherPipeline(_ link: Link, steps: [PipelinePlan.Step]) async throws -> [ResultHandle?] {
        var slots: [ResultHandle?] = []
        slots.reserveCapacity(steps.count)
        var current: ResultHandle?
        while true {
            if PQisBusy(link.pointer) == 1, !link.isBroken { try await suspend(until: .result, on: link) }
            _ = try liveLink()
            guard let pointer = PQgetResult(link.pointer) else {
                guard !link.isBroken else { return slots }
                slots.append(current)
                current = nil
                continue
            }
            let result = ResultHandle(pointer)
            if result.status == PGRES_PIPELINE_SYNC {
                PQexitPipelineMode(link.pointer)
                return slots
            }
            current = result
            if link.isBroken { return slots + [result] }
        }
    }

    /// Learns what was prepared, and throws the first error under the name of the statement that made it.
    private func conclude(_ steps: [PipelinePlan.Step], _ slots: [ResultHandle?]) async throws -> [PostgresRows] {
        var rows: [PostgresRows] = []
        var evicted: [String] = []
        for (step, slot) in zip(steps, slots) {
            guard let result = slot else { throw PostgresError.misuse("\(step.query.label) gave no result") }
            try check(result, step.query.label)
            switch step.action {
            case .prepare(let name):
                if let old = statements.insert(step.query.statementKey, name: name) { evicted.append(old) }
            case .run: rows.append(PostgresRows(result))
            }
        }
        // At its end the transaction can still fail, by a deferred constraint for one: that comes after the last step.
        for result in slots.dropFirst(steps.count) { try check(result, "batch") }
        for name in evicted { try await deallocate(name) }
        return rows
    }

    private func check(_ result: ResultHandle?, _ label: StatementLabel) throws {
        guard let error = result?.error(in: label) else { return }
        if error.isQueryCanceled { try Task.checkCancellation() }
        throw error
    }
}

/// What a batch sends: each statement once to be prepared, where need be, and each query to be run.
enum PipelinePlan {
    enum Action: Equatable {
        case prepare(String)
        /// Under the server's name, or unnamed.
        case run(String?)
    }

    struct Step {
        let query: PostgresQuery
        let action: Action
    }

    static func steps(
        for queries: [PostgresQuery], mode: PostgresConfiguration.StatementMode, statements: inout StatementCache
    ) -> [Step] {
        guard mode == .prepared else { return queries.map { Step(query: $0, action: .run(nil)) } }
        var steps: [Step] = []
        steps.reserveCapacity(queries.count)
        var fresh: [StatementCache.Key: String] = [:]
        for query in queries {
            let key = query.statementKey
            if let name = statements.name(for: key) ?? fresh[key] {
                steps.append(Step(query: query, action: .run(name)))
            } else {
                let name = statements.makeName()
                fresh[key] = name
                steps.append(Step(query: query, action: .prepare(name)))
                steps.append(Step(query: query, action: .run(name)))
            }
        }
        return steps
    }
}
