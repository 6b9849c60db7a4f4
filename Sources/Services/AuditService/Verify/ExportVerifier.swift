/// Walks an export of the log: checkpoints first, then the rows by shard and index. One of a log that dropped what is
/// older than it keeps begins with a signed anchor, which names the checkpoint that the rest follows from.
///
/// An export holds exactly the rows that its newest checkpoint covers, so that a row that was changed, removed, moved or
/// inserted, and a checkpoint that was, shows. What cannot show is that the log was cut back to an earlier checkpoint,
/// rows and all: who wants to know that keeps a checkpoint (they are served at `/v1/audit/checkpoints`) and passes it.
/// Nor can it show, when the keys are not told, that somebody signed a log of their own making; nor that rows were
/// rewritten in the database, hashes and all, before the first checkpoint that covers them was signed.
public struct ExportVerifier: Sendable {
    private let trusted: Set<[UInt8]>?
    private let kept: SignedCheckpoint?
    private let width: Int

    /// - Parameters:
    ///   - trusted: the raw Ed25519 keys that may have signed; nil for any.
    ///   - kept: a checkpoint of this log that the export must contain.
    ///   - width: how many pieces are checked at a time.
    public init(trusted: Set<[UInt8]>? = nil, kept: SignedCheckpoint? = nil, width: Int = 4) {
        self.trusted = trusted
        self.kept = kept
        self.width = max(1, width)
    }

    public struct Summary: Sendable, Hashable {
        public let rows: Int
        public let checkpoints: Int
        public let newest: Checkpoint
        /// The checkpoint from which on rows are there; nil where they are from the very first.
        public let since: Checkpoint?
        /// Those that signed, raw.
        public let keys: [[UInt8]]
    }

    /// Throws the first `ExportFault` in the order of the file, or what reading throws.
    public func verify(_ source: some ExportSource) async throws -> Summary {
        var pieces = LinePieces(source)
        let head = try await readCheckpoints(from: &pieces)
        let rows = try await checkRows(head, from: &pieces)
        return Summary(
            rows: rows, checkpoints: head.checkpoints.count, newest: head.newest, since: head.checkpoints.first,
            keys: head.checkpoints.keys)
    }
}

extension ExportVerifier {
    private struct Head {
        let checkpoints: CheckpointChain
        let newest: Checkpoint
        /// How many lines they took.
        let lines: Int
    }

    private func readCheckpoints(from pieces: inout LinePieces) async throws -> Head {
        var chain = CheckpointChain(trusted: trusted, kept: kept)
        var lines = 0
        var rows: [UInt8] = []
        while rows.isEmpty, let piece = try await pieces.next() {
            try piece.withUnsafeBytes { bytes in
                var rest = bytes
                while !rest.starts(with: ExportRow.opening.bytes), let line = rest.nextLine() {
                    lines += 1
                    try chain.add(line: line, number: lines)
                }
                rows = Array(rest)
            }
        }
        pieces.putBack(rows)
        return Head(checkpoints: chain, newest: try chain.finish(line: lines + 1), lines: lines)
    }

    /// Returns how many there are.
    private func checkRows(_ head: Head, from pieces: inout LinePieces) async throws -> Int {
        var position = head.checkpoints.start
        var checks = PieceChecks(lines: head.lines)
        while let piece = try await pieces.next() {
            if checks.running.count == width { try await checks.finishOne() }
            checks.running.append(Task { [position] in try head.checkpoints.check(piece, after: position) })
            // A last line that is no row is a fault: what comes after need not be looked at.
            guard let last = piece.withUnsafeBytes({ RowPosition(lastLineOf: $0) }) else { break }
            position = last
        }
        while !checks.running.isEmpty { try await checks.finishOne() }
        guard pieces.carried.isEmpty else { throw ExportFault(.line, line: checks.lines + 1, "is cut off") }
        try RowChecker(checkpoints: head.checkpoints, after: position).checkEnd(line: checks.lines + 1)
        return checks.lines - head.lines
    }
}

/// Pieces that are being checked at the same time.
private struct PieceChecks {
    /// How many lines are known to be good.
    var lines: Int
    /// Each gives how many lines it has.
    var running: [Task<Int, any Error>] = []

    /// Waits for the earliest piece, so that its fault is the first that is told.
    mutating func finishOne() async throws {
        do {
            lines += try await running.removeFirst().value
        } catch let fault as ExportFault {
            throw fault.moved(by: lines)
        }
    }
}

extension CheckpointChain {
    /// Returns how many rows the piece has.
    fileprivate func check(_ piece: [UInt8], after position: RowPosition) throws -> Int {
        var checker = RowChecker(checkpoints: self, after: position)
        try piece.withUnsafeBytes { try checker.check($0) }
        return checker.lines
    }
}

extension RowPosition {
    fileprivate init?(lastLineOf piece: UnsafeRawBufferPointer) {
        guard let row = ExportRow(piece.lastLine), row.shard < AuditShard.count else { return nil }
        self.init(shard: row.shard, index: row.index, hash: row.hash)
    }
}
