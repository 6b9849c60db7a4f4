internal import Concurrency

/// How far a long list has been sent. One reader at a time.
final class ListPosition: Sendable {
    private static let chunkSize = 1 << 16
    private let next = Lock(0)

    /// The next chunk; nil at the end.
    func nextChunk(head: [UInt8], objects: [StoredObject]) -> [UInt8]? {
        next.withLock { next in
            guard next <= objects.count else { return nil }
            var bytes = next == 0 ? head : []
            bytes.reserveCapacity(Self.chunkSize + 4_096)
            while next < objects.count, bytes.count < Self.chunkSize {
                if next > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(contentsOf: objects[next].bytes)
                next += 1
            }
            if next == objects.count {
                bytes.append(contentsOf: "]}".utf8)
                next += 1
            }
            return bytes
        }
    }
}
