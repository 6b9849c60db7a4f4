internal import FoundationEssentials

extension UUID {
    /// Where a walk along a key begins.
    static let belowAllKeys = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}
