internal import Glibc

/// The last row that was looked at.
struct RowPosition: Sendable {
    let shard: Int
    let index: Int
    let hash: ChainHash
}

extension CheckpointChain {
    /// Before all rows.
    var start: RowPosition {
        let head = start(of: 0)
        return RowPosition(shard: 0, index: head.count, hash: head.hash)
    }
}

/// Checks rows against the row before and against the checkpoints. Each row says what its hash is, so pieces of an
/// export can be checked at the same time: the first row of one only needs the last row of the piece before.
struct RowChecker {
    let checkpoints: CheckpointChain
    private(set) var position: RowPosition
    /// Lines seen, the faulty one included.
    private(set) var lines = 0
    private var anchors: ArraySlice<CheckpointChain.Anchor>

    init(checkpoints: CheckpointChain, after position: RowPosition) {
        self.checkpoints = checkpoints
        self.position = position
        anchors = checkpoints.anchors(of: position.shard, from: position.index + 1)
    }

    /// Checks lines, each with its line feed. The fault's line counts from the piece's first, which is 1.
    mutating func check(_ piece: UnsafeRawBufferPointer) throws(ExportFault) {
        var rest = piece
        while let line = rest.nextLine() { try check(line: line) }
    }

    private mutating func check(line: UnsafeRawBufferPointer) throws(ExportFault) {
        lines += 1
        guard let row = ExportRow(line), row.shard < AuditShard.count else {
            throw ExportFault(.line, line: lines, "is not a row as the log writes them")
        }
        try checkOrder(row)
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(ExportFault) {
            if !condition { throw ExportFault(.row(shard: row.shard, index: row.index), line: lines, reason()) }
        }
        try require(
            row.index <= checkpoints.count(of: row.shard),
            "is covered by no checkpoint: it was inserted, or the checkpoint that covers it was removed")
        let start = checkpoints.start(of: row.shard)
        let before = row.shard == position.shard ? position.hash : start.hash
        try require(
            AuditEntry.hash(of: row.entry, after: before) == row.hash,
            "was changed\(row.index > start.count + 1 ? ", or row \(row.index - 1) together with its hash was" : "")")
        if row.shard != position.shard { anchors = checkpoints.anchors(of: row.shard, from: row.index) }
        if let anchor = anchors.first, anchor.head.count == row.index {
            try require(
                anchor.head.hash == row.hash,
                "is not the one that checkpoint \(anchor.checkpoint) signed: it, or a row before it, was rewritten")
            anchors.removeFirst()
        }
        position = RowPosition(shard: row.shard, index: row.index, hash: row.hash)
    }

    /// Rows stand by shard, then by index, and none is missing.
    private func checkOrder(_ row: ExportRow) throws(ExportFault) {
        let isBehind = (row.shard, row.index) <= (position.shard, position.index)
        guard !isBehind else {
            throw ExportFault(
                .row(shard: row.shard, index: row.index), line: lines,
                "is there twice, or out of order: it was inserted, repeated or moved")
        }
        if row.shard == position.shard {
            if row.index > position.index + 1 { throw Self.missing(position.shard, position.index + 1, lines) }
        } else {
            try checkEnd(before: row.shard, line: lines)
            let start = checkpoints.start(of: row.shard).count
            guard row.index > start else {
                throw ExportFault(
                    .row(shard: row.shard, index: row.index), line: lines,
                    "comes before the place where the log begins: it was inserted")
            }
            if row.index > start + 1 { throw Self.missing(row.shard, start + 1, lines) }
        }
    }

    /// Throws when rows of shards before `shard` are missing at their end; `line` is where they should have been.
    func checkEnd(before shard: Int = AuditShard.count, line: Int) throws(ExportFault) {
        for each in position.shard..<shard {
            let count = each == position.shard ? position.index : checkpoints.start(of: each).count
            if count < checkpoints.count(of: each) { throw Self.missing(each, count + 1, line) }
        }
    }

    private static func missing(_ shard: Int, _ index: Int, _ line: Int) -> ExportFault {
        ExportFault(.row(shard: shard, index: index), line: line, "is missing")
    }
}

extension UnsafeRawBufferPointer {
    /// Takes the next line off, without its line feed. Nil when there is none.
    mutating func nextLine() -> UnsafeRawBufferPointer? {
        guard let base = baseAddress, let feed = memchr(base, Int32(UInt8(ascii: "\n")), count) else { return nil }
        let length = UnsafeRawPointer(feed) - base
        defer { self = UnsafeRawBufferPointer(rebasing: self[(length + 1)...]) }
        return UnsafeRawBufferPointer(rebasing: self[..<length])
    }

    /// The last line, without its line feed; all lines have one.
    var lastLine: UnsafeRawBufferPointer {
        let lines = dropLast()
        let start = lines.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? lines.startIndex
        return UnsafeRawBufferPointer(rebasing: lines[start...])
    }
}
