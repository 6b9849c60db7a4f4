internal import CPostgres
internal import Concurrency

extension PostgresConnection {
    /// Streams rows to the server: `COPY … FROM STDIN`. `body` writes through the writer, in whatever format the
    /// statement names; it is slowed to the server's pace. When `body` throws, the server drops all rows. Returns how
    /// many went in.
    ///
    ///     try await connection.copyIn("COPY tags (task, tag) FROM STDIN (FORMAT binary)") { writer in
    ///         for tag in tags { try await writer.writeRow(task, tag) }
    ///     }
    @discardableResult
    public func copyIn(
        _ sql: String, name: String? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresCopyWriter) async throws -> Void
    ) async throws -> Int {
        let label = StatementLabel(name: name, sql: sql)
        let writer = PostgresCopyWriter(connection: self, isBinary: try await beginCopy(sql, label, PGRES_COPY_IN))
        do {
            try await body(writer)
            try await writer.flush(isLast: true)
        } catch {
            _ = try? await endCopyIn(label, failure: "the client gave up")  // the reason to give up is what counts
            throw error
        }
        return try await endCopyIn(label, failure: nil)
    }

    /// Streams rows from the server: `COPY … TO STDOUT`. `body` gets each chunk (a row in text and CSV) before the next
    /// one is read, so a slow reader slows the server. When `body` throws, the statement is cancelled on the server.
    public func copyOut(
        _ sql: String, name: String? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: ([UInt8]) async throws -> Void
    ) async throws {
        let label = StatementLabel(name: name, sql: sql)
        _ = try await beginCopy(sql, label, PGRES_COPY_OUT)
        do {
            while let chunk = try await nextCopyChunk(label) { try await body(chunk) }
        } catch {
            await abandonCopyOut()
            throw error
        }
        try await endCopyOut(label)
    }

    /// Takes the turn and starts the statement; true when it copies in the binary format. Gives the turn back on
    /// failure.
    private func beginCopy(_ sql: String, _ label: StatementLabel, _ expected: ExecStatusType) async throws -> Bool {
        await takeTurn()
        do {
            let results = try await runSimple(sql, label: label)
            guard let result = results.last, result.status == expected else {
                throw PostgresError.misuse("\(label) does not copy in this direction")
            }
            return PQbinaryTuples(result.pointer) == 1
        } catch {
            giveTurn()
            throw error
        }
    }
}

extension PostgresConnection {
    /// Hands bytes to libpq; suspends while the server does not take them.
    func putCopyData(_ bytes: [UInt8]) async throws {
        for start in stride(from: 0, to: bytes.count, by: PostgresCopyWriter.chunkSize) {
            try Task.checkCancellation()
            let link = try liveLink()
            let sent = bytes[start..<min(bytes.count, start + PostgresCopyWriter.chunkSize)].withUnsafeBytes { buffer in
                PQputCopyData(
                    link.pointer, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count))
            }
            guard sent == 1 else { throw lose(link, link.message, "COPY") }
            if PQflush(link.pointer) == 1 { try await suspendCopy(until: .drained, on: link) }
        }
    }

    /// Suspends in the midst of COPY; a cancelled task goes on at once, to find that it is cancelled.
    private func suspendCopy(until goal: Waiter.Goal, on link: Link) async throws {
        try await withTaskCancellationHandler {
            try await suspend(until: goal, on: link, isCancellable: true)
        } onCancel: {
            Task { await self.wakeForCancellation() }
        }
    }

    /// Ends the stream and the turn.
    @discardableResult
    private func endCopyIn(_ label: StatementLabel, failure: String?) async throws -> Int {
        defer { giveTurn() }
        let results = try await perform(label, isCancellable: false) { PQputCopyEnd($0, failure) }
        return results.last.map { PostgresRows($0).affected } ?? 0
    }

    private func nextCopyChunk(_ label: StatementLabel) async throws -> [UInt8]? {
        while true {
            try Task.checkCancellation()
            let link = try liveLink()
            var buffer: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(link.pointer, &buffer, 1)
            if count > 0, let buffer {
                defer { PQfreemem(buffer) }
                return Array(UnsafeRawBufferPointer(start: buffer, count: Int(count)))
            }
            guard count == 0 else { return nil }  // the end, or an error that the result explains
            if link.isBroken { throw lose(link, link.message, label) }
            try await suspendCopy(until: .input, on: link)
        }
    }

    private func endCopyOut(_ label: StatementLabel) async throws {
        defer { giveTurn() }
        _ = try await perform(label, isCancellable: false) { _ in 1 }
    }

    /// Has the server stop, and reads what it sent before it did.
    private func abandonCopyOut() async {
        defer { giveTurn() }
        guard let link else { return }
        cancelOnServer(operation: operation)
        do {
            while true {
                var buffer: UnsafeMutablePointer<CChar>?
                let count = PQgetCopyData(link.pointer, &buffer, 1)
                PQfreemem(buffer)
                if count < 0 || link.isBroken { break }
                if count == 0 { try await suspend(until: .input, on: link) }
                _ = try liveLink()
            }
            _ = try await perform("COPY", isCancellable: false) { _ in 1 }
        } catch {
            // The cancelled statement's own error is expected; a lost connection has been recorded by `end`.
        }
    }
}

/// Takes what `copyIn` streams. Small writes are gathered.
public final class PostgresCopyWriter: Sendable {
    static let chunkSize = 64 * 1024
    private let connection: PostgresConnection
    private let isBinary: Bool
    private let buffer: Lock<[UInt8]>

    init(connection: PostgresConnection, isBinary: Bool) {
        self.connection = connection
        self.isBinary = isBinary
        buffer = Lock(isBinary ? Self.binaryHeader : [])
    }

    /// Adds bytes as they are; rows may span writes. For the text and CSV formats.
    public func write(_ bytes: some Collection<UInt8> & Sendable) async throws {
        let isFull = buffer.withLock { buffer in
            buffer.append(contentsOf: bytes)
            return buffer.count >= Self.chunkSize
        }
        if isFull { try await flush() }
    }

    /// Adds one row in the binary format. The values must be of the columns' exact types.
    /// Throws `PostgresError.misuse` when the statement copies in another format.
    public func writeRow<each Value: PostgresEncodable>(_ values: repeat each Value) async throws {
        guard isBinary else { throw PostgresError.misuse("rows of values need COPY … (FORMAT binary)") }
        var row: [UInt8] = []
        var count: Int16 = 0
        for value in repeat each values {
            row.append(lengthPrefixed: value)
            count += 1
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(row.count + 2)
        bytes.append(bigEndian: count)
        bytes += row
        try await write(bytes)
    }

    func flush(isLast: Bool = false) async throws {
        let bytes = buffer.withLock { buffer in
            var bytes = buffer
            buffer = []
            if isLast, isBinary { bytes.append(bigEndian: Int16(-1)) }
            return bytes
        }
        if !bytes.isEmpty { try await connection.putCopyData(bytes) }
    }

    /// Signature, flags, length of the header's extension (PostgreSQL documentation, `COPY`, binary format).
    private static let binaryHeader: [UInt8] =
        [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00] + [UInt8](repeating: 0, count: 8)
}
