import Glibc
import Logging
import StructuredData
import Testing

@testable import APIServer

/// A folder that goes away with the test.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/apiserver-test-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/tmp/apiserver-test"
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in (try? Folder.names(in: path)) ?? [] { remove("\(path)/\(name)") }
        if unlink(path) != 0 { rmdir(path) }
    }

    /// The files as a crash at this moment would leave them.
    func copy() throws -> TemporaryFolder {
        let other = TemporaryFolder()
        for name in try Folder.names(in: path) where name != "lock" {
            try File("\(other.path)/\(name)", .create).write(try File("\(path)/\(name)", .read).readAll())
        }
        return other
    }

    /// The folder and the `objects` folder in it.
    func copyTree() throws -> TemporaryFolder {
        let other = TemporaryFolder()
        try Folder.make("\(other.path)/objects")
        for name in try Folder.names(in: path) where name != "objects" {
            try File("\(other.path)/\(name)", .create).write(try File("\(path)/\(name)", .read).readAll())
        }
        for name in try Folder.names(in: "\(path)/objects") where name != "lock" {
            try File("\(other.path)/objects/\(name)", .create)
                .write(try File("\(path)/objects/\(name)", .read).readAll())
        }
        return other
    }

    func size(of name: String) throws -> Int { try File("\(path)/\(name)", .read).readAll().count }
}

struct JournalTests {
    private let logger = Logger(label: "test")

    @discardableResult
    private func open(_ folder: TemporaryFolder, minimumSegment: Int = 16 << 20) throws -> (Journal, ObjectStore) {
        let (journal, state) = try Journal.open(folder.path, logger: logger, minimumSegment: minimumSegment)
        return (journal, ObjectStore(initial: state, journal: journal))
    }

    @Test("every acknowledged write is there after the process is gone; revisions never repeat")
    func survivesCrash() async throws {
        let live = TemporaryFolder()
        let folder: TemporaryFolder
        var last: UInt64 = 0
        do {
            let (_, store) = try open(live)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for index in 0..<20 {
                            let labels = ["writer": String(writer)]
                            try await store.commit(
                                .create(thing("\(writer)/\(index)", value: index, labels: labels)), to: things)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let old = try #require(store.object("0/0", in: things))
            try await store.commit(.delete(old), to: things)
            let other = try #require(store.object("1/1", in: things))
            try await store.commit(.update(thing("1/1", value: 99), replacing: other), to: things)
            last = store.revision
            folder = try live.copy()
        }
        let (_, store) = try open(folder)
        #expect(store.objects(in: things).objects.count == 159)
        #expect(store.object("0/0", in: things) == nil)
        #expect(store.object("1/1", in: things)?.value == 99)
        #expect(store.object("7/19", in: things)?.labels == ["writer": "7"])
        #expect(store.revision > last)
        #expect(throws: StoreError.self) { try store.watch(things, scope: .all, from: .after(last)) }
    }

    @Test("a record that was cut short is dropped, with nothing else; the log goes on behind it")
    func tornTailIsDropped() async throws {
        let live = TemporaryFolder()
        let (_, before) = try open(live)
        for index in 0..<10 { try await before.commit(.create(thing("k\(index)")), to: things) }
        let folder = try live.copy()
        let size = try folder.size(of: "log-0")
        truncate("\(folder.path)/log-0", off_t(size - 3))
        let (_, after) = try open(folder)
        #expect(after.objects(in: things).objects.count == 9)
        try await after.commit(.create(thing("new")), to: things)
        let (_, store) = try open(try folder.copy())
        #expect(store.objects(in: things).objects.keys == (0..<9).map { "k\($0)" } + ["new"])
    }

    @Test("snapshots replace old segments, and hold the same state")
    func compaction() async throws {
        let live = TemporaryFolder()
        let (journal, before) = try open(live, minimumSegment: 4_000)
        for step in 0..<400 {
            let key = "k\(step % 40)"
            if let old = before.object(key, in: things) {
                try await before.commit(.update(thing(key, value: step), replacing: old), to: things)
            } else {
                try await before.commit(.create(thing(key, value: step)), to: things)
            }
        }
        try await journal.close()
        let folder = try live.copy()
        let names = try Folder.names(in: folder.path)
        #expect(names.contains { $0.hasPrefix("snapshot-") })
        #expect(!names.contains("log-0"))
        let (_, store) = try open(folder)
        #expect(store.objects(in: things).objects.values == before.objects(in: things).objects.values)
    }

    @Test("damage before sound records is an error that names the file, not a silent loss")
    func damageIsReported() async throws {
        let live = TemporaryFolder()
        let (_, store) = try open(live)
        for index in 0..<10 { try await store.commit(.create(thing("k\(index)")), to: things) }
        let folder = try live.copy()
        do {
            let bytes = try File("\(folder.path)/log-0", .read).readAll()
            var damaged = bytes
            damaged[30] ^= 0xFF
            try File("\(folder.path)/log-0", .create).write(damaged)
            try File("\(folder.path)/log-1", .create).write(bytes)
        }
        #expect(throws: StorageError.corrupt(path: "\(folder.path)/log-0", offset: 0)) { try open(folder) }
    }

    @Test("a folder serves one process at a time")
    func folderIsLocked() throws {
        let folder = TemporaryFolder()
        let first = try open(folder)
        #expect(throws: StorageError.inUse(folder: folder.path)) { try open(folder) }
        withExtendedLifetime(first) {}
    }

    @Test("hostile bytes are no records")
    func garbageIsRefused() {
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
            var offset = 0
            #expect(JournalRecord.read(bytes, at: &offset) == nil)
            #expect(offset == 0)
        }
    }
}
