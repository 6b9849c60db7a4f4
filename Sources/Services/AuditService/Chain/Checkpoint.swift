public import Crypto
internal import FoundationEssentials
public import StructuredData
public import TodoModel

/// The state of all chains at an instant. Checkpoints make a chain of their own: each has the hash of the one before.
public struct Checkpoint: Sendable, Hashable {
    /// Says what is signed, so that a signature can be used for nothing else; part of the format.
    public static let format = "todo-audit-checkpoint/1"

    /// From 1.
    public var index: Int
    public var time: Instant
    /// By shard.
    public var heads: [ChainHead]
    /// SHA-256 of the canonical JSON of the checkpoint before; zero for the first.
    public var previous: ChainHash
    /// The Ed25519 key that signs it, raw; 32 bytes.
    public var key: [UInt8]

    public init(index: Int, time: Instant, heads: [ChainHead], previous: ChainHash, key: [UInt8]) {
        self.index = index
        self.time = time
        self.heads = heads
        self.previous = previous
        self.key = key
    }

    public var json: JSON {
        [
            "format": .string(Self.format),
            "heads": .array(heads.map { ["count": JSON($0.count), "hash": .string($0.hash.hex)] }),
            "index": JSON(index), "key": .string(Data(key).base64EncodedString()),
            "previous": .string(previous.hex), "time": .string(time.text),
        ]
    }

    /// What is hashed and signed: the canonical JSON (RFC 8785), which for ASCII names and whole numbers is the sorted one.
    var canonical: [UInt8] { json.encoded(sortedKeys: true) }

    public var hash: ChainHash { ChainHash(SHA256.hash(data: canonical)) }

    /// The checkpoint, signed by `key`, whose public half it names.
    public static func signed(
        index: Int, time: Instant, heads: [ChainHead], previous: ChainHash, by key: Curve25519.Signing.PrivateKey
    ) throws -> SignedCheckpoint {
        let checkpoint = Checkpoint(
            index: index, time: time, heads: heads, previous: previous, key: Array(key.publicKey.rawRepresentation))
        return SignedCheckpoint(checkpoint: checkpoint, signature: Array(try key.signature(for: checkpoint.canonical)))
    }
}

/// A checkpoint and the signature over its canonical JSON.
public struct SignedCheckpoint: Sendable, Hashable {
    public var checkpoint: Checkpoint
    /// Ed25519 (RFC 8032); 64 bytes.
    public var signature: [UInt8]

    public init(checkpoint: Checkpoint, signature: [UInt8]) {
        self.checkpoint = checkpoint
        self.signature = signature
    }

    /// `{"checkpoint": …, "signature": base64}`
    public var json: JSON {
        ["checkpoint": checkpoint.json, "signature": .string(Data(signature).base64EncodedString())]
    }

    /// Whether the key that the checkpoint names has signed it. Whose key that is remains to be asked.
    public var isSigned: Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: checkpoint.key) else { return false }
        return key.isValidSignature(signature, for: checkpoint.canonical)
    }
}

extension SignedCheckpoint {
    /// Reads what `json` gives; nil when anything is missing, more, or written in another way.
    public init?(_ json: JSON) {
        guard let body = json["checkpoint"], let index = body["index"]?.int,
            let time = body["time"]?.string.flatMap({ Instant($0) }),
            let previous = body["previous"]?.string.flatMap({ ChainHash(hex: $0.utf8) }),
            let key = Self.bytes(body["key"]), let signature = Self.bytes(json["signature"]),
            let heads = body["heads"]?.array?.compactMap(Self.head), heads.count == AuditShard.count
        else { return nil }
        self.init(
            checkpoint: Checkpoint(index: index, time: time, heads: heads, previous: previous, key: key),
            signature: signature)
        guard self.json == json else { return nil }
    }

    private static func head(_ json: JSON) -> ChainHead? {
        guard let count = json["count"]?.int, count >= 0,
            let hash = json["hash"]?.string.flatMap({ ChainHash(hex: $0.utf8) })
        else { return nil }
        return ChainHead(count: count, hash: hash)
    }

    private static func bytes(_ json: JSON?) -> [UInt8]? {
        json?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }
}
