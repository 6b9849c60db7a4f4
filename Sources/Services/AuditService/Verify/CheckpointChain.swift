internal import StructuredData

/// What the checkpoints of an export say about its rows. Filled line by line, then read by all who check rows.
struct CheckpointChain: Sendable {
    /// A row whose hash a checkpoint has signed.
    struct Anchor: Sendable {
        let head: ChainHead
        let checkpoint: Int
    }

    private let trusted: Set<[UInt8]>?
    private let kept: SignedCheckpoint?
    /// Where a log begins that dropped what is older.
    private(set) var anchor: RetentionAnchor?
    /// The one that the anchor names: rows begin after those that it covers.
    private(set) var first: Checkpoint?
    private(set) var last: Checkpoint?
    private(set) var keys: [[UInt8]] = []
    /// By shard, ascending; a checkpoint that found no new row in a shard adds none there.
    private var anchors: [[Anchor]] = Array(repeating: [], count: AuditShard.count)

    /// - Parameters:
    ///   - trusted: the keys that may have signed; nil for any.
    ///   - kept: a checkpoint that must be among them.
    init(trusted: Set<[UInt8]>?, kept: SignedCheckpoint?) {
        self.trusted = trusted
        self.kept = kept
    }

    /// The row of the shard after which the export begins.
    func start(of shard: Int) -> ChainHead { first?.heads[shard] ?? .empty }

    /// How many checkpoints there are.
    var count: Int { last.map { $0.index - (anchor?.checkpoint ?? 1) + 1 } ?? 0 }

    /// How many rows of the shard there have been, up to the last that the checkpoints cover.
    func count(of shard: Int) -> Int { anchors[shard].last?.head.count ?? 0 }

    /// The anchors of the shard from the row `index` on.
    func anchors(of shard: Int, from index: Int) -> ArraySlice<Anchor> {
        let all = anchors[shard]
        var (low, high) = (all.startIndex, all.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].head.count < index { low = middle + 1 } else { high = middle }
        }
        return all[low...]
    }

    mutating func add(line bytes: some Collection<UInt8>, number: Int) throws(ExportFault) {
        let json = try? JSON(parsing: bytes)
        guard let json, json.encoded(sortedKeys: true).elementsEqual(bytes) else { throw Self.unreadable(number) }
        if number == 1, let signed = SignedAnchor(json) { return try add(signed) }
        guard let signed = SignedCheckpoint(json) else { throw Self.unreadable(number) }
        let next = signed.checkpoint
        let expected = last.map { $0.index + 1 } ?? anchor?.checkpoint ?? 1
        if next.index > expected {
            throw ExportFault(.checkpoint(expected), line: number, "is missing")
        }
        func require(_ condition: Bool, _ reason: String) throws(ExportFault) {
            if !condition { throw ExportFault(.checkpoint(next.index), line: number, reason) }
        }
        try require(next.index == expected, "is there twice, or out of order")
        try require(signed.isSigned, "was changed: its signature does not fit")
        try require(trusted?.contains(next.key) ?? true, "is signed by a key that you do not trust")
        if let anchor, last == nil {
            try require(next.hash == anchor.hash, "is not the one at which the log was shortened")
            first = next
        } else {
            try require(next.previous == last?.hash ?? .zero, "does not follow from the one before")
        }
        if next.index == kept?.checkpoint.index {
            try require(next == kept?.checkpoint, "is not the one that you kept: the log was rewritten")
        }
        for (shard, head) in next.heads.enumerated() {
            let before = last?.heads[shard] ?? .empty
            try require(
                head.count > before.count || head == before,
                "takes back rows of shard \(shard) that the one before covered: they were removed from the log")
            if head.count > before.count { anchors[shard].append(Anchor(head: head, checkpoint: next.index)) }
        }
        if !keys.contains(next.key) { keys.append(next.key) }
        last = next
    }

    private static func unreadable(_ line: Int) -> ExportFault {
        ExportFault(.line, line: line, "is neither a row nor a checkpoint as the log writes them")
    }

    private mutating func add(_ signed: SignedAnchor) throws(ExportFault) {
        let next = signed.anchor
        guard signed.isSigned else {
            throw ExportFault(.line, line: 1, "says where the log begins, and was changed: its signature does not fit")
        }
        guard trusted?.contains(next.key) ?? true else {
            throw ExportFault(.line, line: 1, "says where the log begins, signed by a key that you do not trust")
        }
        if let kept, kept.checkpoint.index < next.checkpoint {
            throw ExportFault(
                .checkpoint(kept.checkpoint.index), line: 1,
                "is older than what the log keeps, so nothing follows from it: pass one from checkpoint "
                    + "\(next.checkpoint) on")
        }
        anchor = next
        keys.append(next.key)
    }

    /// Called when there are no more.
    func finish(line: Int) throws(ExportFault) -> Checkpoint {
        guard let last else {
            throw ExportFault(
                .checkpoint(anchor?.checkpoint ?? 1), line: line,
                "is missing: without one there is nothing to hold rows against")
        }
        if let kept, kept.checkpoint.index > last.index {
            throw ExportFault(.checkpoint(last.index + 1), line: line, "is missing, up to the one that you kept")
        }
        return last
    }
}
