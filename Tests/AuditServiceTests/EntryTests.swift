import Crypto
import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@testable import AuditService

@Suite struct EntryTests {
    private static func id(_ last: UInt8) -> UUID {
        UUID(uuid: (0x01, 0x92, 0xf0, 0xc1, 0x2b, 0x3c, 0x7d, 0x4e, 0x8f, 0x90, 0, 0, 0, 0, 0, last))
    }

    private let full = AuditEntry(
        shard: 11, index: 42, event: Self.id(1),
        type: "odd \"type\"\n\u{1f}€😀/", time: Instant(microsecondsSince1970: 1),
        recorded: Instant(microsecondsSince1970: 2),
        user: Self.id(10),
        actor: Self.id(11),
        subject: Self.id(12), content: [0, 255, 62, 63])

    private func canonical(_ entry: AuditEntry) -> [UInt8] {
        var bytes: [UInt8] = []
        entry.writeCanonical(into: &bytes)
        return bytes
    }

    @Test func `an entry is hashed in canonical JSON`() throws {
        var sparse = full
        sparse.actor = nil
        sparse.subject = nil
        sparse.content = nil
        for entry in [full, sparse] { #expect(canonical(entry) == (try entry.json.canonical())) }
        let end = #""type":"odd \"type\"\n\u001f€😀/","user":"0192f0c1-2b3c-7d4e-8f90-00000000000a"}"#
        #expect(String(decoding: canonical(sparse), as: UTF8.self).hasSuffix(end))
    }

    @Test func `the hash is SHA-256 over the previous hash and the canonical JSON`() throws {
        let previous = ChainHash(SHA256.hash(data: [1]))
        let expected = SHA256.hash(data: previous.bytes + (try full.json.canonical()))
        #expect(full.hash(after: previous).bytes == Array(expected))
        #expect(full.hash(after: .zero) != full.hash(after: previous))
    }

    @Test func `every member of an entry counts`() {
        let changes: [(inout AuditEntry) -> Void] = [
            { $0.shard = 12 }, { $0.index = 43 }, { $0.event = AuditEvent.nobody }, { $0.type = "other" },
            { $0.time = $0.recorded }, { $0.recorded = $0.time }, { $0.user = AuditEvent.nobody }, { $0.actor = nil },
            { $0.subject = nil }, { $0.content = [] },
        ]
        for change in changes {
            var other = full
            change(&other)
            #expect(other.hash(after: .zero) != full.hash(after: .zero))
        }
    }

    @Test func `users spread over all shards, and stay where they are`() {
        #expect(AuditShard.of(AuditEvent.nobody) == 7)  // SHA-256 of 16 zero bytes begins with 37
        var random = SeededRandom(seed: 1)
        var counts = [Int](repeating: 0, count: AuditShard.count)
        for _ in 0..<16_000 { counts[AuditShard.of(.random(using: &random))] += 1 }
        #expect(counts.allSatisfy { (800...1200).contains($0) }, "\(counts)")
    }

    @Test func `a hash reads back from its digits, and from no others`() {
        let hash = full.hash(after: .zero)
        #expect(ChainHash(hex: hash.hex.utf8) == hash)
        #expect(ChainHash(hash.bytes) == hash)
        #expect(ChainHash(hex: hash.hex.uppercased().utf8) == nil || hash.hex == hash.hex.uppercased())
        #expect(ChainHash(hex: hash.hex.dropLast().utf8) == nil)
        #expect(ChainHash(hash.bytes.dropLast()) == nil)
    }

    @Test func `a checkpoint reads back from its JSON, and only whole`() throws {
        var random = SeededRandom(seed: 2)
        let signed = try #require(
            try SampleLog.random(rows: 20, checkpoints: 2, using: &random).checkpoints.last)
        #expect(SignedCheckpoint(signed.json) == signed)
        #expect(signed.isSigned)
        #expect(try signed.checkpoint.json.canonical() == signed.checkpoint.json.encoded(sortedKeys: true))
        var longer = signed.json
        longer["more"] = 1
        #expect(SignedCheckpoint(longer) == nil)
        var other = signed
        other.checkpoint.index += 1
        #expect(!other.isSigned)
    }

    @Test func `what is sealed for one opens for no other`() throws {
        let secrets = try #require(
            AuditSecrets(master: [UInt8](repeating: 1, count: 32), signingSeed: [UInt8](repeating: 2, count: 32)))
        let other = try #require(
            AuditSecrets(master: [UInt8](repeating: 3, count: 32), signingSeed: [UInt8](repeating: 2, count: 32)))
        let (key, wrapped) = try secrets.makeKey(of: full.user)
        #expect(try secrets.unwrap(wrapped, of: full.user) == key)
        #expect(throws: (any Error).self) { try secrets.unwrap(wrapped, of: full.event) }
        #expect(throws: (any Error).self) { try other.unwrap(wrapped, of: full.user) }
        let sealed = try AuditSecrets.seal([1, 2, 3], with: key, for: full.event)
        #expect(try AuditSecrets.open(sealed, with: key, for: full.event) == [1, 2, 3])
        #expect(throws: (any Error).self) { try AuditSecrets.open(sealed, with: key, for: full.user) }
        #expect(sealed != (try AuditSecrets.seal([1, 2, 3], with: key, for: full.event)))
        #expect(AuditSecrets(master: [1], signingSeed: [UInt8](repeating: 2, count: 32)) == nil)
    }
}

@Suite struct AuditEventTests {
    private func read(_ change: (inout JSON) -> Void) throws -> AuditEvent {
        var json: JSON = [
            "specversion": "1.0", "id": "0192f0c1-2b3c-7d4e-8f90-123456789abc", "type": "dev.todo-operator.unheard.of",
            "source": "/users/x", "subject": "0192f0c1-2b3c-7d4e-8f90-00000000000c", "time": "2026-01-31T09:26:53.589Z",
            "partitionkey": "0192f0c1-2b3c-7d4e-8f90-00000000000a", "traceid": "1",
            "data": [
                "user": "0192f0c1-2b3c-7d4e-8f90-00000000000a", "actor": "0192f0c1-2b3c-7d4e-8f90-00000000000b",
                "n": 1e2,
            ],
        ]
        change(&json)
        return try AuditEvent(cloudEvent: json)
    }

    @Test func `ids are taken out, all else is content`() throws {
        let event = try read { _ in }
        #expect(event.type == "dev.todo-operator.unheard.of" && event.time == Instant("2026-01-31T09:26:53.589Z"))
        #expect(event.user.text.hasSuffix("a") && event.actor?.text.hasSuffix("b") == true)
        #expect(event.subject?.text.hasSuffix("c") == true)
        let content = try JSON(parsing: event.content)
        #expect(content.object?.keys == ["source", "data"])
        #expect(content.at("data", "n")?.number?.text == "100")
    }

    @Test func `a subject that is no id may be somebody's address: it is sealed`() throws {
        let event = try read { $0["subject"] = "me@example.com" }
        #expect(event.subject == nil)
        #expect(try JSON(parsing: event.content)["subject"] == "me@example.com")
    }

    @Test func `the stream is the partition key, else the user of the data, else nobody's`() throws {
        #expect(try read { $0["partitionkey"] = Optional.none }.user.text.hasSuffix("a"))
        let none = try read {
            $0["partitionkey"] = Optional.none
            $0["data"] = ["email": "x"]
        }
        #expect(none.user == AuditEvent.nobody && none.actor == nil)
        #expect(try read { $0["time"] = Optional.none }.time == nil)
    }

    @Test(
        arguments: [
            ("id", JSON.null), ("id", "7"), ("type", .null), ("type", ""), ("type", "a\u{0}b"),
            ("type", .string(String(repeating: "x", count: 256))), ("time", "yesterday"), ("time", 5),
            ("partitionkey", "somebody"),
        ] as [(String, JSON)])
    func `what cannot be placed is malformed`(_ name: String, _ value: JSON) {
        #expect(throws: MalformedEvent.self) { try read { $0[name] = value } }
    }

    @Test func `only objects are events`() {
        for json: JSON in [.null, [], "x"] {
            #expect(throws: MalformedEvent.self) { try AuditEvent(cloudEvent: json) }
        }
    }
}
