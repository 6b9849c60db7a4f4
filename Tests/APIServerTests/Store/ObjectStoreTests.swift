import StructuredData
import Testing

@testable import APIServer

struct ObjectStoreTests {
    @Test("writes get rising revisions, and a write based on a stale version is refused")
    func optimisticLocking() async throws {
        let store = ObjectStore()
        let (first, one) = try await store.commit(.create(thing("a", value: 1)), to: things)
        let (second, two) = try await store.commit(.update(thing("a", value: 2), replacing: first), to: things)
        #expect(one < two)
        #expect(store.object("a", in: things)?.json.at("metadata", "resourceVersion") == .string(String(two)))
        await #expect(throws: StoreError.self) {
            try await store.commit(.update(thing("a", value: 3), replacing: first), to: things)
        }
        await #expect(throws: StoreError.self) { try await store.commit(.create(thing("a")), to: things) }
        await #expect(throws: StoreError.self) { try await store.commit(.delete(first), to: things) }
        try await store.commit(.delete(second), to: things)
        #expect(store.object("a", in: things) == nil)
    }

    @Test("an object is not made in what has changed since its writer looked")
    func premises() async throws {
        let store = ObjectStore()
        let places = TableID(group: "", plural: "places")
        let (seen, _) = try await store.commit(.create(thing("p", value: 1)), to: places)
        let premise = StorePremise(table: places, object: seen)
        var effects = 0
        try await store.commit(.create(thing("p/a")), to: things, given: [premise]) { effects += 1 }
        try await store.commit(.update(thing("p", value: 2), replacing: seen), to: places)
        await #expect(throws: StoreError.self) {
            try await store.commit(.create(thing("p/b")), to: things, given: [premise])
        }
        #expect(store.object("p/a", in: things) != nil && store.object("p/b", in: things) == nil && effects == 1)
    }

    @Test("the objects of any remembered revision can be listed as they were")
    func listsThePast() async throws {
        let store = ObjectStore()
        var states: [UInt64: [String: Int]] = [store.revision: [:]]
        for step in 0..<400 {
            let key = "k\(Int.random(in: 0..<20))"
            switch (store.object(key, in: things), Int.random(in: 0..<3)) {
            case (nil, _): try await store.commit(.create(thing(key, value: step)), to: things)
            case (let old?, 0): try await store.commit(.delete(old), to: things)
            case (let old?, _): try await store.commit(.update(thing(key, value: step), replacing: old), to: things)
            }
            states[store.revision] = store.objects(in: things).objects.values
        }
        for (revision, state) in states {
            #expect(try store.objects(in: things, at: revision).values == state)
        }
        #expect(throws: StoreError.self) { try store.objects(in: things, at: store.revision + 1) }
    }

    @Test("history is bounded by count and by the bytes of old versions; what is forgotten is told")
    func historyIsBounded() async throws {
        var limits = ObjectStore.Limits()
        limits.history = History.Limits(events: 10, supersededBytes: 1_000)
        let store = ObjectStore(limits: limits)
        for index in 0..<11 { try await store.commit(.create(thing("a\(index)")), to: things) }
        #expect(throws: StoreError.self) { try store.watch(things, scope: .all, from: .after(0)) }
        _ = try store.watch(things, scope: .all, from: .after(1))

        let size = try #require(store.object("a0", in: things)).bytes.count
        for step in 0..<9 {
            let old = try #require(store.object("a0", in: things))
            try await store.commit(.update(thing("a0", value: step), replacing: old), to: things)
        }
        let kept = UInt64(1_000 / size)
        #expect(throws: StoreError.self) {
            try store.watch(things, scope: .all, from: .after(store.revision - kept - 2))
        }
    }

    @Test("a watch from a revision gets every later change of its scope once and in order, while writers race")
    func watchMissesNothing() async throws {
        let store = ObjectStore()
        let (watcher, _, _) = try store.watch(things, scope: .namespace("a"), from: .after(store.revision))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for index in 0..<100 {
                        for namespace in ["a", "ab"] {
                            try await store.commit(.create(thing("\(namespace)/\(writer)-\(index)")), to: things)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        var revisions: [UInt64] = []
        while revisions.count < 800, let items = await watcher.next() {
            for case .event(let event) in items {
                #expect(event.key.hasPrefix("a/"))
                revisions.append(event.revision)
            }
        }
        #expect(revisions.count == 800)
        #expect(revisions == revisions.sorted() && Set(revisions).count == 800)
    }

    @Test("a watcher that reads too slowly is ended, and can go on from the last revision that it saw")
    func slowWatcherEnds() async throws {
        var limits = ObjectStore.Limits()
        limits.watcherItems = 5
        let store = ObjectStore(limits: limits)
        let (slow, _, start) = try store.watch(things, scope: .all, from: .after(store.revision))
        for index in 0..<6 { try await store.commit(.create(thing("k\(index)")), to: things) }
        #expect(await slow.next() == nil)
        let (again, _, _) = try store.watch(things, scope: .all, from: .after(start))
        #expect(await again.next()?.count == 6)
    }

    @Test("cancelling the reader ends the watch")
    func cancellationEndsWatch() async throws {
        let store = ObjectStore()
        let (watcher, _, _) = try store.watch(things, scope: .all, from: .currentState)
        let reader = Task { await watcher.next() }
        reader.cancel()
        #expect(await reader.value == nil)
    }
}
