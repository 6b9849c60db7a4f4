import Concurrency
import FoundationEssentials
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(2))) struct OutboxTests {
    @Test func `entries are published once, in order, by one at a time`() async throws {
        try await Stores.with { stores in
            let seen = Lock<[Int64]>([])
            let running = Lock(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for n in 0..<100 { _ = try await stores.create("\(n)", by: stores.ada) } }
                for _ in 0..<3 {
                    group.addTask {
                        while seen.withLock({ $0.count }) < 104 {
                            _ = try await stores.database.outbox.drain(limit: 7) { entries in
                                #expect(
                                    running.withLock {
                                        $0 += 1; return $0
                                    } == 1)
                                seen.withLock { $0 += entries.map(\.id) }
                                await Task.yield()
                                running.withLock { $0 -= 1 }
                                return Set(entries.map(\.id))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let ids = seen.withLock { $0 }
            #expect(ids == ids.sorted() && Set(ids).count == ids.count)
            #expect(try await stores.database.outbox.drain(limit: 7) { _ in [] } == .empty)
        }
    }

    @Test func `what could not be published stays`() async throws {
        struct Refused: Error {}
        try await Stores.with { stores in
            await #expect(throws: Refused.self) {
                try await stores.database.outbox.drain(limit: 10) { _ in throw Refused() }
            }
            let outcome = try await stores.database.outbox.drain(limit: 10) { entries in
                #expect(entries.count == 4)
                return Set(entries.prefix(1).map(\.id))
            }
            #expect(outcome == .published(1))
            #expect(try await stores.database.outbox.backlog().count == 3)
        }
    }

    @Test func `many go out in one run, in portions and in order`() async throws {
        try await Stores.with { stores in
            for n in 0..<30 { _ = try await stores.create("\(n)", by: stores.ada) }
            let seen = Lock<[[Int64]]>([])
            let outcome = try await stores.database.outbox.drain(limit: 7) { entries in
                seen.withLock { $0.append(entries.map(\.id)) }
                return Set(entries.map(\.id))
            }
            let ids = seen.withLock { $0 }
            #expect(outcome == .published(34) && ids.map(\.count) == [7, 7, 7, 7, 6])
            #expect(ids.flatMap { $0 } == ids.flatMap { $0 }.sorted())
            #expect(try await stores.database.outbox.backlog().count == 0)
        }
    }

    @Test func `what went out before a portion failed does not go out again`() async throws {
        struct Refused: Error {}
        try await Stores.with { stores in
            for n in 0..<30 { _ = try await stores.create("\(n)", by: stores.ada) }
            await #expect(throws: Refused.self) {
                try await stores.database.outbox.drain(limit: 7) { _ in throw Refused() }
            }
            let portions = Lock(0)
            let outcome = try await stores.database.outbox.drain(limit: 7) { entries in
                let portion = portions.withLock { portions in
                    portions += 1
                    return portions
                }
                if portion == 3 { throw Refused() }
                return Set(entries.map(\.id))
            }
            #expect(outcome == .published(14))
            #expect(try await stores.database.outbox.backlog().count == 20)
            #expect(portions.withLock { $0 } == 3)
        }
    }

    @Test func `nothing overtakes an entry that was not taken`() async throws {
        try await Stores.with { stores in
            for n in 0..<30 { _ = try await stores.create("\(n)", by: stores.ada) }
            let first = Lock<[Int64]>([])
            for _ in 0..<2 {
                let outcome = try await stores.database.outbox.drain(limit: 7) { entries in
                    first.withLock { $0.append(entries[0].id) }
                    return Set(entries.dropFirst().map(\.id))
                }
                #expect(outcome == .published(6))
            }
            let ids = first.withLock { $0 }
            #expect(ids.count == 2 && ids[0] == ids[1], "it is the first again, and the portions after it wait")
        }
    }
}
