internal import Crypto
public import FoundationEssentials
public import StructuredData
public import TodoModel

/// One entry of the log: who did what to which thing, in the clear only as ids; all else is sealed in `content`.
public struct AuditEntry: Sendable, Hashable {
    /// Which chain it is on: 0 up to `AuditShard.count`.
    public var shard: Int
    /// Its place in the chain, from 1.
    public var index: Int
    /// The id of the event that it records.
    public var event: UUID
    /// The event's type, such as `dev.todo-operator.task.created`.
    public var type: String
    /// When it happened, by the event.
    public var time: Instant
    /// When it was written down, by the log.
    public var recorded: Instant
    /// Whose stream it belongs to.
    public var user: UUID
    /// Who did it; nil when the event does not say.
    public var actor: UUID?
    /// What it is about; nil unless the event's subject is an id.
    public var subject: UUID?
    /// The rest of the event, sealed with the user's key; nil when the user had been erased before it came.
    public var content: [UInt8]?

    public init(
        shard: Int, index: Int, event: UUID, type: String, time: Instant, recorded: Instant, user: UUID,
        actor: UUID? = nil, subject: UUID? = nil, content: [UInt8]? = nil
    ) {
        self.shard = shard
        self.index = index
        self.event = event
        self.type = type
        self.time = time
        self.recorded = recorded
        self.user = user
        self.actor = actor
        self.subject = subject
        self.content = content
    }

    /// What is hashed, in its canonical form.
    public var json: JSON {
        [
            "actor": actor.map { .string($0.text) } ?? .null,
            "content": content.map { .string(Data($0).base64EncodedString()) } ?? .null,
            "event": .string(event.text), "index": JSON(index), "recorded": .string(recorded.text),
            "shard": JSON(shard), "subject": subject.map { .string($0.text) } ?? .null, "time": .string(time.text),
            "type": .string(type), "user": .string(user.text),
        ]
    }

    /// Appends `json` in canonical form (RFC 8785) without building it first: every append and export goes through here.
    func writeCanonical(into bytes: inout [UInt8]) {
        bytes.append(text: #"{"actor":"#)
        bytes.append(actor)
        bytes.append(text: #","content":"#)
        if let content {
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: Data(content).base64EncodedData())
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.append(text: "null")
        }
        bytes.append(text: #","event":"#)
        bytes.append(event)
        bytes.append(text: #","index":"#)
        bytes.append(contentsOf: String(index).utf8)
        bytes.append(text: #","recorded":""#)
        bytes.append(contentsOf: recorded.text.utf8)
        bytes.append(text: #"","shard":"#)
        bytes.append(contentsOf: String(shard).utf8)
        bytes.append(text: #","subject":"#)
        bytes.append(subject)
        bytes.append(text: #","time":""#)
        bytes.append(contentsOf: time.text.utf8)
        bytes.append(text: #"","type":"#)
        JSON.string(type).write(into: &bytes)
        bytes.append(text: #","user":"#)
        bytes.append(user)
        bytes.append(UInt8(ascii: "}"))
    }

    /// The hash of this entry after one whose hash is `previous`: SHA-256 over those 32 bytes and the canonical JSON.
    public func hash(after previous: ChainHash) -> ChainHash {
        var bytes: [UInt8] = []
        writeCanonical(into: &bytes)
        return bytes.withUnsafeBytes { Self.hash(of: $0, after: previous) }
    }

    static func hash(of canonical: UnsafeRawBufferPointer, after previous: ChainHash) -> ChainHash {
        var hash = SHA256()
        previous.withBytes { hash.update(bufferPointer: $0) }
        hash.update(bufferPointer: canonical)
        return ChainHash(hash.finalize())
    }
}

/// The chains that the log is made of. A user's entries are all on one.
public enum AuditShard {
    /// Part of the format: another number would put users onto other chains.
    public static let count = 16

    /// The first byte of the SHA-256 over the id's 16 bytes, modulo the number of chains.
    public static func of(_ user: UUID) -> Int {
        withUnsafeBytes(of: user.uuid) { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            return hash.finalize().withUnsafeBytes { Int($0[0]) % count }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The id as a JSON string, or null.
    fileprivate mutating func append(_ id: UUID?) {
        guard let id else { return append(text: "null") }
        append(UInt8(ascii: "\""))
        Swift.withUnsafeBytes(of: id.uuid) { bytes in
            for (place, byte) in bytes.enumerated() {
                if place == 4 || place == 6 || place == 8 || place == 10 { append(UInt8(ascii: "-")) }
                Hex.append(CollectionOfOne(byte), to: &self)
            }
        }
        append(UInt8(ascii: "\""))
    }
}
