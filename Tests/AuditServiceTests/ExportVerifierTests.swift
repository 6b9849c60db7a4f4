import Crypto
import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@testable import AuditService

@Suite(.timeLimit(.minutes(10))) struct ExportVerifierTests {
    private func fault(
        _ lines: [String], trusted: Set<[UInt8]>? = nil, kept: SignedCheckpoint? = nil, step: Int = 1 << 20
    ) async throws -> ExportFault? {
        do {
            _ = try await ExportVerifier(trusted: trusted, kept: kept).verify(MemorySource(lines, step: step))
            return nil
        } catch let fault as ExportFault {
            return fault
        }
    }

    @Test func `an untouched export is intact, however it is cut into pieces`() async throws {
        var random = SeededRandom(seed: 3)
        let log = try SampleLog.random(rows: 200, checkpoints: 5, using: &random)
        for step in [1, 7, 1000, 1 << 20] {
            let summary = try await ExportVerifier().verify(MemorySource(log.lines, step: step))
            #expect(summary.rows == 200 && summary.checkpoints == 5)
            #expect(summary.newest == log.checkpoints.last?.checkpoint)
            #expect(summary.keys == [Array(SampleLog.signing.publicKey.rawRepresentation)])
        }
    }

    @Test func `an export of many pieces is intact, and a fault in any of them is the first that is told`() async throws
    {
        var random = SeededRandom(seed: 4)
        var log = SampleLog()
        let content = [UInt8](repeating: 9, count: 60_000)
        for row in 0..<300 { log.append(to: row / 100, content: content, random: &random) }
        try log.sign()
        #expect(log.lines.joined().utf8.count > 5 * LinePieces.usualSize)
        #expect(try await fault(log.lines) == nil)
        for row in [1, 57, 150, 298] {
            var lines = log.lines
            lines[row + 1] = lines[row + 1].replacing("CQkJ", with: "CQkK", maxReplacements: 1)
            lines[300] = "{}"
            let found = try #require(try await fault(lines))
            #expect(found.line == row + 2)
            #expect(found.place == .row(shard: row / 100, index: row % 100 + 1))
        }
    }

    /// Whatever single thing is done to an export, the verifier names the row or checkpoint that it was done to, or one
    /// that the change tore from its neighbour.
    @Test(arguments: 0..<60)
    func `any single change is named`(_ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var log = try SampleLog.random(
            rows: .random(in: 2...60, using: &random), checkpoints: .random(in: 1...4, using: &random), using: &random)
        // Not at the last one: that alone, without rows, is an intact log, as of somebody who cuts it back.
        let places = log.checkpoints.indices.dropFirst().dropLast()
        if let place = places.randomElement(using: &random) { try log.shorten(to: place) }
        #expect(try await fault(log.lines) == nil)
        for mutation in Mutation.all {
            guard let mutant = mutation.apply(to: log.lines, using: &random),
                log.anchor == nil || mutant.bytes != Self.bytes(log.lines.prefix(2))
            else { continue }
            let source = MemorySource(mutant.bytes, step: .random(in: 1...5000, using: &random))
            do {
                _ = try await ExportVerifier(width: .random(in: 1...4, using: &random)).verify(source)
                Issue.record("\(mutation) of line \(mutant.line) was not found")
            } catch let fault as ExportFault {
                #expect(mutant.allowed.contains(fault.line), "\(mutation) of line \(mutant.line): \(fault)")
            }
        }
    }

    private static func bytes(_ lines: some Sequence<String>) -> [UInt8] {
        Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    @Test func `a log that was shortened is checked from a checkpoint that it signed for`() async throws {
        var random = SeededRandom(seed: 6)
        let whole = try SampleLog.random(rows: 40, checkpoints: 4, using: &random)
        var log = whole
        try log.shorten(to: 1)
        let key = Array(SampleLog.signing.publicKey.rawRepresentation)
        let summary = try await ExportVerifier(trusted: [key]).verify(MemorySource(log.lines, step: 9))
        #expect(summary.rows == 20 && summary.checkpoints == 3)
        #expect(summary.since == whole.checkpoints[1].checkpoint)
        // A checkpoint that somebody kept must be among those that are left.
        for place in 1..<4 { #expect(try await fault(log.lines, kept: whole.checkpoints[place]) == nil) }
        #expect(try await fault(log.lines, kept: whole.checkpoints[0])?.reason.contains("older than what") == true)
        // Nobody else can shorten it: neither without an anchor nor with one of their own.
        #expect(try await fault(Array(log.lines.dropFirst()))?.place == .checkpoint(1))
        var forged = whole
        try forged.shorten(to: 1, by: Curve25519.Signing.PrivateKey())
        #expect(try await fault(forged.lines, trusted: [key])?.line == 1)
        // Nor is an anchor good for another checkpoint than its own.
        var further = whole
        try further.shorten(to: 2)
        #expect(try await fault([log.lines[0]] + further.lines.dropFirst()) != nil)
    }

    @Test(arguments: [false, true])
    func `every byte counts`(isShortened: Bool) async throws {
        var random = SeededRandom(seed: 5)
        var log = try SampleLog.random(rows: isShortened ? 4 : 3, checkpoints: isShortened ? 2 : 1, using: &random)
        if isShortened { try log.shorten(to: 0) }
        let bytes = Self.bytes(log.lines)
        // What is left then is the log as it was at that checkpoint: who wants to know more keeps a later one.
        let beginning = isShortened ? Self.bytes(log.lines.prefix(2)).count : 0
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= [1, 0x20, 0x80].randomElement(using: &random) ?? 1
            await #expect(throws: ExportFault.self, "byte \(place)") {
                try await ExportVerifier().verify(MemorySource(changed))
            }
            guard place == 0 || place != beginning else { continue }
            await #expect(throws: ExportFault.self, "cut at \(place)") {
                try await ExportVerifier().verify(MemorySource(Array(bytes[..<place])))
            }
        }
    }

    @Test func `a row is named by shard and index, with what was done to it`() async throws {
        var random = SeededRandom(seed: 6)
        var log = SampleLog()
        for _ in 0..<5 { log.append(to: 2, random: &random) }
        for _ in 0..<5 { log.append(to: 9, random: &random) }
        try log.sign()
        let lines = log.lines  // 0 the checkpoint, 1...5 shard 2, 6...10 shard 9
        var changed = lines
        changed[3] = changed[3].replacing("AQID", with: "AQIE")
        #expect(
            try await fault(changed)?.description
                == "line 4: row 3 of shard 2 was changed, or row 2 together with its hash was")
        var removed = lines
        removed.remove(at: 8)
        #expect(try await fault(removed)?.description == "line 9: row 3 of shard 9 is missing")
        var swapped = lines
        swapped.swapAt(2, 3)
        #expect(try await fault(swapped)?.description == "line 3: row 2 of shard 2 is missing")
        var inserted = lines
        inserted.insert(lines[3], at: 4)
        #expect(
            try await fault(inserted)?.description
                == "line 5: row 3 of shard 2 is there twice, or out of order: it was inserted, repeated or moved")
        #expect(try await fault(Array(lines.dropLast()))?.description == "line 11: row 5 of shard 9 is missing")
        #expect(try await fault(Array(lines.dropLast(5)))?.description == "line 7: row 1 of shard 9 is missing")
        #expect(try await fault(["{}"] + lines)?.place == .line)
        #expect(try await fault([])?.place == .checkpoint(1))
    }

    @Test func `a chain that was rewritten from a row on does not end where the checkpoint says`() async throws {
        var random = SeededRandom(seed: 7)
        var log = SampleLog()
        for _ in 0..<5 { log.append(to: 2, random: &random) }
        try log.sign()
        for _ in 0..<5 { log.append(to: 2, random: &random) }
        try log.sign()
        var forged = SampleLog()
        for _ in 0..<10 { forged.append(to: 2, random: &random) }
        let lines = log.checkpoints.map(\.line) + forged.rows[2]
        #expect(
            try await fault(lines)?.description
                == "line 7: row 5 of shard 2 is not the one that checkpoint 1 signed: it, or a row before it, was rewritten"
        )
    }

    @Test func `a log that somebody else signed is not trusted`() async throws {
        var random = SeededRandom(seed: 8)
        var log = SampleLog()
        log.append(to: 1, random: &random)
        try log.sign()
        log.append(to: 1, random: &random)
        let stranger = Curve25519.Signing.PrivateKey()
        try log.sign(by: stranger)
        let (own, other) = (
            Array(SampleLog.signing.publicKey.rawRepresentation), Array(stranger.publicKey.rawRepresentation)
        )
        #expect(try await fault(log.lines, trusted: [own])?.place == .checkpoint(2))
        #expect(try await fault(log.lines, trusted: [own, other]) == nil)
        #expect(try await fault(log.lines) == nil)
    }

    @Test func `a log that was cut back to a checkpoint is shown by a later one that was kept`() async throws {
        var random = SeededRandom(seed: 9)
        var log = SampleLog()
        log.append(to: 1, random: &random)
        try log.sign()
        let before = log
        log.append(to: 1, random: &random)
        try log.sign()
        let kept = try #require(log.checkpoints.last)
        #expect(try await fault(before.lines) == nil)  // what nobody can tell without
        #expect(try await fault(before.lines, kept: kept)?.place == .checkpoint(2))
        #expect(try await fault(log.lines, kept: kept) == nil)
        #expect(try await fault(log.lines, kept: log.checkpoints[0]) == nil)
        var rewritten = before
        rewritten.append(to: 5, random: &random)
        try rewritten.sign()
        #expect(try await fault(rewritten.lines, kept: kept)?.place == .checkpoint(2))
    }

    @Test func `checkpoints that take rows back, or do not follow from each other, are named`() async throws {
        var random = SeededRandom(seed: 10)
        var log = SampleLog()
        for _ in 0..<3 { log.append(to: 1, random: &random) }
        try log.sign()
        let first = log.checkpoints[0].checkpoint
        func second(_ heads: [ChainHead], previous: ChainHash) throws -> String {
            try Checkpoint.signed(
                index: 2, time: first.time, heads: heads, previous: previous, by: SampleLog.signing
            ).line
        }
        var fewer = first.heads
        fewer[1].count = 2
        var lines = log.lines
        lines.insert(try second(fewer, previous: first.hash), at: 1)
        #expect(try await fault(lines)?.reason.contains("takes back rows of shard 1") == true)
        lines[1] = try second(first.heads, previous: .zero)
        #expect(try await fault(lines)?.description == "line 2: checkpoint 2 does not follow from the one before")
        lines[1] = try second(first.heads, previous: first.hash)
        #expect(try await fault(lines) == nil)
    }

    @Test func `a line that never ends does not fill the memory`() async throws {
        struct Endless: ExportSource {
            func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
                buffer.initializeMemory(as: UInt8.self, repeating: 0x20)
                return buffer.count
            }
        }
        var pieces = LinePieces(Endless(), longestLine: 16 << 20)
        await #expect(throws: ExportFileError.self) { _ = try await pieces.next() }
    }
}
