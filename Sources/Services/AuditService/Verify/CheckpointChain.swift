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

    /// How many rows of the shard the checkpoints cover.
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
        guard let json = try? JSON(parsing: bytes), let signed = SignedCheckpoint(json),
            json.encoded(sortedKeys: true).elementsEqual(bytes)
        else { throw ExportFault(.line, line: number, "is neither a row nor a checkpoint as the log writes them") }
        let next = signed.checkpoint
        let expected = (last?.index ?? 0) + 1
        if next.index > expected {
            throw ExportFault(.checkpoint(expected), line: number, "is missing")
        }
        func require(_ condition: Bool, _ reason: String) throws(ExportFault) {
            if !condition { throw ExportFault(.checkpoint(next.index), line: number, reason) }
        }
        try require(next.index == expected, "is there twice, or out of order")
        try require(signed.isSigned, "was changed: its signature does not fit")
        try require(trusted?.contains(next.key) ?? true, "is signed by a key that you do not trust")
        try require(next.previous == last?.hash ?? .zero, "does not follow from the one before")
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

    /// Called when there are no more.
    func finish(line: Int) throws(ExportFault) -> Checkpoint {
        guard let last else {
            throw ExportFault(
                .checkpoint(1), line: line, "is missing: without one there is nothing to hold rows against")
        }
        if let kept, kept.checkpoint.index > last.index {
            throw ExportFault(.checkpoint(last.index + 1), line: line, "is missing, up to the one that you kept")
        }
        return last
    }
}
