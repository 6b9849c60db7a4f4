internal import Crypto
internal import FoundationEssentials
internal import StructuredData
internal import TodoModel

/// Where the log begins since older entries were dropped: at a checkpoint that covers all of them. It is signed, so that
/// nobody but the log itself can shorten it.
struct RetentionAnchor: Sendable, Hashable {
    /// Says what is signed, so that a signature can be used for nothing else; part of the format.
    static let format = "todo-audit-anchor/1"

    /// The index of the checkpoint.
    var checkpoint: Int
    /// The checkpoint's hash, which fixes the last dropped entry of every shard.
    var hash: ChainHash
    /// When it was decided.
    var time: Instant
    /// The Ed25519 key that signs it, raw; 32 bytes.
    var key: [UInt8]

    init(checkpoint: Int, hash: ChainHash, time: Instant, key: [UInt8]) {
        self.checkpoint = checkpoint
        self.hash = hash
        self.time = time
        self.key = key
    }

    var json: JSON {
        [
            "checkpoint": JSON(checkpoint), "format": .string(Self.format), "hash": .string(hash.hex),
            "key": .string(Data(key).base64EncodedString()), "time": .string(time.text),
        ]
    }

    /// What is signed: the canonical JSON, as of a checkpoint.
    private var canonical: [UInt8] { json.encoded(sortedKeys: true) }

    /// The anchor at `checkpoint`, signed by `key`.
    static func signed(
        at checkpoint: Checkpoint, time: Instant, by key: Curve25519.Signing.PrivateKey
    ) throws -> SignedAnchor {
        let anchor = RetentionAnchor(
            checkpoint: checkpoint.index, hash: checkpoint.hash, time: time,
            key: Array(key.publicKey.rawRepresentation))
        return SignedAnchor(anchor: anchor, signature: Array(try key.signature(for: anchor.canonical)))
    }

    fileprivate func isSigned(by signature: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else { return false }
        return key.isValidSignature(signature, for: canonical)
    }
}

/// An anchor and the signature over its canonical JSON.
struct SignedAnchor: Sendable, Hashable {
    let anchor: RetentionAnchor
    /// Ed25519 (RFC 8032); 64 bytes.
    let signature: [UInt8]

    init(anchor: RetentionAnchor, signature: [UInt8]) {
        self.anchor = anchor
        self.signature = signature
    }

    /// `{"anchor": …, "signature": base64}`
    var json: JSON {
        ["anchor": anchor.json, "signature": .string(Data(signature).base64EncodedString())]
    }

    /// Its line in an export, without the line feed.
    var line: String { String(decoding: json.encoded(sortedKeys: true), as: UTF8.self) }

    /// Whether the key that the anchor names has signed it. Whose key that is remains to be asked.
    var isSigned: Bool { anchor.isSigned(by: signature) }
}

extension SignedAnchor {
    /// Reads what `json` gives; nil when anything is missing, more, or written in another way.
    init?(_ json: JSON) {
        guard let body = json["anchor"], let checkpoint = body["checkpoint"]?.int,
            let hash = body["hash"]?.string.flatMap({ ChainHash(hex: $0.utf8) }),
            let time = body["time"]?.string.flatMap({ Instant($0) }), let key = Self.bytes(body["key"]),
            let signature = Self.bytes(json["signature"])
        else { return nil }
        self.init(
            anchor: RetentionAnchor(checkpoint: checkpoint, hash: hash, time: time, key: key), signature: signature)
        guard self.json == json else { return nil }
    }

    private static func bytes(_ json: JSON?) -> [UInt8]? {
        json?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }
}
