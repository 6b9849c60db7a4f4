import Crypto
import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@testable import AuditService

/// A log made in memory, and its export.
struct SampleLog {
    static let signing = Curve25519.Signing.PrivateKey()

    private(set) var heads = [ChainHead](repeating: .empty, count: AuditShard.count)
    private(set) var checkpoints: [SignedCheckpoint] = []
    /// By shard.
    private(set) var rows = [[String]](repeating: [], count: AuditShard.count)

    /// Where it was shortened.
    private(set) var anchor: SignedAnchor?

    /// The lines of an export, without line feeds.
    var lines: [String] { (anchor.map { [$0.line] } ?? []) + checkpoints.map(\.line) + rows.flatMap { $0 } }

    /// Drops what the checkpoint at `place` covers.
    mutating func shorten(to place: Int, by key: Curve25519.Signing.PrivateKey = signing) throws {
        let first = checkpoints[place].checkpoint
        anchor = try RetentionAnchor.signed(at: first, time: first.time, by: key)
        checkpoints.removeFirst(place)
        for shard in rows.indices { rows[shard].removeFirst(first.heads[shard].count) }
    }

    mutating func append(
        to shard: Int, content: [UInt8]? = [1, 2, 3], random: inout some RandomNumberGenerator
    ) {
        let entry = AuditEntry(
            shard: shard, index: heads[shard].count + 1, event: .random(using: &random),
            type: "dev.todo-operator.task.created", time: Instant(microsecondsSince1970: 1_790_000_000_000_000),
            recorded: Instant(microsecondsSince1970: 1_790_000_000_123_456), user: .random(using: &random),
            actor: Bool.random(using: &random) ? .random(using: &random) : nil, subject: nil, content: content)
        add(entry)
    }

    mutating func add(_ entry: AuditEntry) {
        var line: [UInt8] = []
        let hash = heads[entry.shard].append(entry)
        ExportRow.write(entry, hash: hash, into: &line)
        rows[entry.shard].append(String(decoding: line.dropLast(), as: UTF8.self))
    }

    mutating func sign(by key: Curve25519.Signing.PrivateKey = signing) throws {
        checkpoints.append(
            try Checkpoint.signed(
                index: checkpoints.count + 1, time: Instant(microsecondsSince1970: 1_790_000_060_000_000),
                heads: heads, previous: checkpoints.last?.checkpoint.hash ?? .zero, by: key))
    }

    /// A log with rows in some shards and some checkpoints, the last of which covers all.
    static func random(rows: Int, checkpoints: Int, using random: inout some RandomNumberGenerator) throws -> SampleLog
    {
        var log = SampleLog()
        let shards = (0..<AuditShard.count).filter { _ in Bool.random(using: &random) } + [3]
        for _ in 0..<checkpoints {
            for _ in 0..<max(1, rows / checkpoints) {
                let size = Int.random(in: 0...80, using: &random)
                log.append(
                    to: shards.randomElement(using: &random) ?? 3,
                    content: size == 0 ? nil : (0..<size).map { _ in .random(in: 0...255, using: &random) },
                    random: &random)
            }
            try log.sign()
        }
        return log
    }
}

/// An export in memory, read in pieces of a few bytes so that every line is cut somewhere.
final class MemorySource: ExportSource {
    private let bytes: [UInt8]
    private let step: Int
    private let offset = Offset()

    private final class Offset: @unchecked Sendable { var value = 0 }  // read by one thread at a time

    init(_ bytes: [UInt8], step: Int = 1 << 20) {
        self.bytes = bytes
        self.step = step
    }

    convenience init(_ lines: [String], step: Int = 1 << 20) {
        self.init(Array(lines.map { $0 + "\n" }.joined().utf8), step: step)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let next = bytes[offset.value...].prefix(min(step, buffer.count))
        buffer.copyBytes(from: next)
        offset.value += next.count
        return next.count
    }
}

struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

extension UUID {
    static func random(using random: inout some RandomNumberGenerator) -> UUID {
        var generator = UUIDv7Generator()
        return generator.next(at: Instant(microsecondsSince1970: 1_790_000_000_000_000), using: &random)
    }
}
