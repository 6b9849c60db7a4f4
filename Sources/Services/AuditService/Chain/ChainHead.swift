/// How far a chain goes.
public struct ChainHead: Sendable, Hashable {
    /// How many entries there are, which is the index of the last.
    public var count: Int
    /// The last one's hash; zero when there is none.
    public var hash: ChainHash

    public static let empty = ChainHead(count: 0, hash: .zero)

    public init(count: Int, hash: ChainHash) {
        self.count = count
        self.hash = hash
    }

    /// Moves on to an entry whose index is the next one. Returns its hash.
    mutating func append(_ entry: AuditEntry) -> ChainHash {
        count = entry.index
        hash = entry.hash(after: hash)
        return hash
    }
}
