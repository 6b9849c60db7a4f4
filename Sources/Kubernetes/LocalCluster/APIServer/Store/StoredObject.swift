/// A resource's storage: the group and plural under which its objects are kept, whatever version they are asked in.
struct TableID: Hashable, Sendable, CustomStringConvertible {
    let group: String
    let plural: String

    var description: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

/// One version of one object, as the bytes that answer a request for it.
final class StoredObject: Sendable {
    /// `namespace/name`, or `name` for a resource without namespaces: the order of lists.
    let key: String
    /// The global revision of the write that made this version; it is also the object's `resourceVersion`.
    let revision: UInt64
    /// The object as JSON, `metadata.resourceVersion` included.
    let bytes: [UInt8]
    let labels: [String: String]
    /// Where the digits of `metadata.resourceVersion` start in `bytes`.
    let revisionOffset: Int
    /// Whether `metadata.deletionTimestamp` is there: asked at each create, of the namespace and of the definition.
    let isBeingDeleted: Bool

    init(key: String, revision: UInt64, bytes: [UInt8], labels: [String: String], revisionOffset: Int) {
        self.key = key
        self.revision = revision
        self.bytes = bytes
        self.labels = labels
        self.revisionOffset = revisionOffset
        isBeingDeleted = bytes.withUnsafeBytes { Self.hasDeletionMark($0) }
    }

    /// In a string the quotes would be escaped. Every write asks: so by a letter that is rare, not by the quote.
    private static func hasDeletionMark(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.indices.dropFirst(deletion.count).contains { index in
            bytes[index] == UInt8(ascii: "T") && bytes.dropFirst(index - deletion.count).starts(with: deletionMark)
        }
    }

    private static let deletion = Array("\"deletion".utf8)
    private static let deletionMark = deletion + Array("Timestamp\":\"".utf8)

    var namespace: Substring? { key.firstIndex(of: "/").map { key[..<$0] } }
    var name: Substring { key.firstIndex(of: "/").map { key[key.index(after: $0)...] } ?? key[...] }

    /// The same state under another resourceVersion, as the last event of an object carries it.
    func bytes(atRevision other: UInt64) -> [UInt8] {
        let old = revision.decimalDigits.count
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 4)
        result.append(contentsOf: bytes[..<revisionOffset])
        result.append(contentsOf: other.decimalDigits)
        result.append(contentsOf: bytes[(revisionOffset + old)...])
        return result
    }
}

/// An object ready to be stored but for its revision, which only the commit knows.
struct EncodedObject: Sendable {
    let key: String
    let labels: [String: String]
    /// The JSON up to where the revision's digits belong, and what follows them.
    let head: [UInt8]
    let tail: [UInt8]

    func stored(at revision: UInt64) -> StoredObject {
        let digits = revision.decimalDigits
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.count + digits.count + tail.count)
        bytes.append(contentsOf: head)
        bytes.append(contentsOf: digits)
        bytes.append(contentsOf: tail)
        return StoredObject(
            key: key, revision: revision, bytes: bytes, labels: labels, revisionOffset: head.count)
    }
}

extension UInt64 {
    var decimalDigits: [UInt8] { Array(String(self).utf8) }
}
