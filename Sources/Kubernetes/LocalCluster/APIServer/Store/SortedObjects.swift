/// Objects in the order of their keys, in chunks: a copy taken for a list costs the next write one chunk, not the table.
struct SortedObjects: Sendable {
    private var chunks: [[StoredObject]] = []
    private(set) var count = 0
    /// The sum of the objects' encoded sizes.
    private(set) var byteCount = 0

    private static let chunkLimit = 256

    subscript(key: String) -> StoredObject? {
        let at = position(of: key)
        return at.found ? chunks[at.chunk][at.index] : nil
    }

    /// Stores `object` under its key and returns what was there.
    @discardableResult
    mutating func insert(_ object: StoredObject) -> StoredObject? {
        byteCount += object.bytes.count
        let at = position(of: object.key)
        if at.found {
            let old = chunks[at.chunk][at.index]
            chunks[at.chunk][at.index] = object
            byteCount -= old.bytes.count
            return old
        }
        count += 1
        guard !chunks.isEmpty else {
            chunks = [[object]]
            return nil
        }
        chunks[at.chunk].insert(object, at: at.index)
        if chunks[at.chunk].count > Self.chunkLimit { split(at.chunk) }
        return nil
    }

    @discardableResult
    mutating func remove(_ key: String) -> StoredObject? {
        let at = position(of: key)
        guard at.found else { return nil }
        let old = chunks[at.chunk].remove(at: at.index)
        if chunks[at.chunk].isEmpty { chunks.remove(at: at.chunk) }
        count -= 1
        byteCount -= old.bytes.count
        return old
    }

    private mutating func split(_ index: Int) {
        let chunk = chunks[index]
        // Keys often come in order: a full last chunk then keeps its fill, and the new one grows.
        let middle = index == chunks.count - 1 ? chunk.count - 1 : chunk.count / 2
        chunks[index] = Array(chunk[..<middle])
        chunks.insert(Array(chunk[middle...]), at: index + 1)
    }

    /// Where `key` is, or would be inserted.
    private func position(of key: String) -> (chunk: Int, index: Int, found: Bool) {
        guard !chunks.isEmpty else { return (0, 0, false) }
        var low = 0
        var high = chunks.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if chunks[middle][0].key <= key { low = middle } else { high = middle - 1 }
        }
        let chunk = chunks[low]
        let index = Self.lowerBound(chunk, key)
        return (low, index, index < chunk.count && chunk[index].key == key)
    }

    private static func lowerBound(_ chunk: [StoredObject], _ key: String) -> Int {
        var low = 0
        var high = chunk.count
        while low < high {
            let middle = (low + high) / 2
            if chunk[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SortedObjects: Sequence {
    func makeIterator() -> Iterator { Iterator(chunks: chunks, chunk: 0, index: 0) }

    struct Iterator: IteratorProtocol {
        fileprivate let chunks: [[StoredObject]]
        fileprivate var chunk: Int
        fileprivate var index: Int

        mutating func next() -> StoredObject? {
            while chunk < chunks.count {
                if index < chunks[chunk].count {
                    defer { index += 1 }
                    return chunks[chunk][index]
                }
                chunk += 1
                index = 0
            }
            return nil
        }
    }

    /// Iterates from the first object whose key is not less than `start`.
    func iterator(from start: String) -> Iterator {
        let at = position(of: start)
        return Iterator(chunks: chunks, chunk: at.chunk, index: at.index)
    }
}
