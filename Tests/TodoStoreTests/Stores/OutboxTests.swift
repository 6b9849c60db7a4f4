import Concurrency
import FoundationEssentials
import PostgresServer
import Recurrence
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct OutboxTests {
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
            #expect(outcome == .published(1, held: 3))
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
            #expect(outcome == .published(14, held: 7))
            #expect(try await stores.database.outbox.backlog().count == 20)
            #expect(portions.withLock { $0 } == 3)
        }
    }

    @Test func `nothing overtakes an entry of the same person that was not taken, and nobody else waits for it`()
        async throws
    {
        try await Stores.with { stores in
            let sent = Lock<[Outbox.Entry]>([])
            #expect(try await stores.drain(noting: sent) == 4)
            sent.withLock { $0 = [] }
            for n in 0..<30 {
                _ = try await stores.create("\(n)", by: stores.ada)
                if n >= 10 { _ = try await stores.create("\(n)", by: stores.ben) }
            }
            let all = try await stores.rows()
            let refused = try #require(all.first { $0.user == stores.ada.id && $0.id > all[4].id })
            // Ben's, and what of Ada's comes before it; twice, for what waits is no more than that.
            #expect(try await stores.drain(refusing: refused.id, noting: sent) == 25)
            #expect(try await stores.drain(refusing: refused.id, noting: sent) == 0)
            #expect(try await stores.rows().map(\.id) == all.filter { $0.user == stores.ada.id }.dropFirst(5).map(\.id))
            #expect(try await stores.drain(noting: sent) == 25)
            for user in [stores.ada.id, stores.ben.id] {
                let own = sent.withLock { $0 }.filter { $0.user == user }.map(\.id)
                // Whatever went out early went out again after those before it.
                let last = Dictionary(own.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: max)
                let order = last.sorted { $0.value < $1.value }.map(\.key)
                #expect(order == order.sorted() && order.count == (user == stores.ada.id ? 30 : 20))
            }
            #expect(sent.withLock { $0 }.count { $0.user == stores.ben.id } == 20, "once")
        }
    }

    /// Such as when one partition of many is away.
    @Test func `however much of a person waits, nobody else does`() async throws {
        try await Stores.with { stores in
            let sent = Lock<[Outbox.Entry]>([])
            #expect(try await stores.drain(noting: sent) == 4)
            for n in 0..<100 { _ = try await stores.create("\(n)", by: stores.ada) }
            _ = try await stores.create("last", by: stores.ben)
            sent.withLock { $0 = [] }
            let first = try #require(try await stores.rows().first)
            #expect(try await stores.drain(refusing: first.id, noting: sent) == 1)
            #expect(try await stores.rows().count == 100)
            #expect(sent.withLock { $0 }.contains { $0.user == stores.ben.id })
        }
    }

    /// What a transaction wrote that began early and ended late comes first of the person's all the same.
    @Test func `what is committed during a run overtakes nothing of the same person`() async throws {
        try await Stores.with { stores in
            let sent = Lock<[Outbox.Entry]>([])
            #expect(try await stores.drain(noting: sent) == 4)
            sent.withLock { $0 = [] }
            let isBegun = Lock(false)
            let mayEnd = Lock(false)
            @Sendable func until(_ condition: Lock<Bool>) async throws {
                while !condition.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }  // set by the other
            }
            async let early: Void = stores.database.transaction { database in
                _ = try await database.tasks.create(
                    .init(title: "first"), by: database.operation(by: stores.ada.id))
                isBegun.withLock { $0 = true }
                try await until(mayEnd)
            }
            try await until(isBegun)
            for n in 0..<40 { _ = try await stores.create("\(n)", by: stores.ben) }
            let outcome = try await stores.database.outbox.drain(limit: 7) { entries in
                if !mayEnd.withLock({ $0 }) {
                    mayEnd.withLock { $0 = true }
                    _ = try await stores.create("second", by: stores.ada)
                }
                sent.withLock { $0 += entries }
                return Set(entries.map(\.id))
            }
            try await early
            #expect(outcome == .published(40))
            _ = try await stores.drain(noting: sent)
            let own = sent.withLock { $0 }.filter { $0.user == stores.ada.id }
            #expect(own.count == 2 && own[0].id < own[1].id)
        }
    }

    /// Others write between its two entries, so that they lie far apart.
    @Test func `a transaction that is committed during a run goes out in order`() async throws {
        try await Stores.with { stores in
            let sent = Lock<[Outbox.Entry]>([])
            #expect(try await stores.drain(noting: sent) == 4)
            sent.withLock { $0 = [] }
            let step = Lock(0)
            @Sendable func reach(_ number: Int) { step.withLock { $0 = number } }
            @Sendable func until(_ number: Int) async throws {
                while step.withLock({ $0 < number }) { try await Task.sleep(for: .milliseconds(1)) }
            }
            let both = Task {
                try await stores.database.transaction { database in
                    for number in [1, 3] {
                        _ = try await database.tasks.create(
                            .init(title: "\(number)"), by: database.operation(by: stores.ada.id))
                        reach(number)
                        try await until(number + 1)
                    }
                }
            }
            for number in [1, 3] {
                try await until(number)
                for n in 0..<20 { _ = try await stores.create("\(n)", by: stores.ben) }
                if number == 1 { reach(2) }
            }
            let outcome = try await stores.database.outbox.drain(limit: 7) { entries in
                reach(4)
                try await both.value
                sent.withLock { $0 += entries }
                return Set(entries.map(\.id))
            }
            #expect(outcome == .published(40))
            _ = try await stores.drain(noting: sent)
            let own = sent.withLock { $0 }.filter { $0.user == stores.ada.id }
            #expect(own.count == 2 && own[0].id < own[1].id)
        }
    }

    @Test func `changes go before reminders, which have a share of each portion all the same`() async throws {
        try await Stores.with { stores in
            _ = try await stores.drain(noting: Lock([]))
            try await stores.note(reminders: 20)
            for n in 0..<12 { _ = try await stores.create("\(n)", by: stores.ada) }
            let portions = try await stores.portions(limit: 10)
            #expect(portions.kinds == ["ccccccccccrr", "ccrrrrrrrr", "rrrrrrrrrr"])
            for isReminder in [false, true] {
                let ids = portions.joined().filter { $0.isReminder == isReminder }.map(\.id)
                #expect(ids == ids.sorted())
            }
            #expect(try await stores.database.outbox.backlog().count == 0)
        }
    }

    @Test func `a portion's bytes are no more the changes' alone than its entries are`() async throws {
        try await Stores.with { stores in
            _ = try await stores.drain(noting: Lock([]))
            try await stores.note(reminders: 20)
            for n in 0..<12 { _ = try await stores.create("\(n)", by: stores.ada) }
            func swell(_ rows: String, to bytes: Int) async throws {
                _ = try await stores.home.server.psql(
                    "UPDATE outbox SET body = json_build_object('x', repeat('x', \(bytes))) WHERE \(rows)",
                    database: stores.home.name)
            }
            try await swell("NOT is_reminder", to: 500_000)
            try await swell("is_reminder", to: 100_000)
            // 4 MiB, and a fifth of that.
            #expect(try await stores.portions(limit: 100).kinds == ["cccccccccrrrrrrrrr", "cccrrrrrrrrrrr"])
        }
    }

    @Test func `reminders wait until all that are due have been fired, half a second at most, and changes do not`()
        async throws
    {
        try await Stores.with { stores in
            let outbox = stores.database.outbox
            try await stores.note(reminders: 3)
            let sent = Lock<[Outbox.Entry]>([])
            let due = Instant.now()
            func claim(isRush: Bool, _ meanwhile: @Sendable () async throws -> Void) async throws {
                let order = FireStore.Order(
                    after: nil, through: due, now: due, missedBefore: due, deadline: .farFuture, isRush: isRush)
                try await stores.database.transaction { claiming in
                    #expect(try await claiming.firing.claim(order).isInTime)
                    try await meanwhile()
                }
            }
            try await claim(isRush: true) { () async throws in
                #expect(try await stores.drain(noting: sent) == 4)
                #expect(sent.withLock { $0 }.allSatisfy { !$0.isReminder })
                #expect(try await outbox.drain(limit: 7) { _ in [] } == .firing)
                _ = try await stores.home.server.psql(
                    "UPDATE outbox SET created_at = now() - interval '501 milliseconds'", database: stores.home.name)
                #expect(try await stores.drain(noting: sent) == 3)
                try await stores.note(reminders: 2)
                #expect(try await outbox.drain(limit: 7) { _ in [] } == .firing)
            }
            #expect(try await stores.drain(noting: sent) == 2)
            try await stores.note(reminders: 1)
            try await claim(isRush: false) { () async throws in
                #expect(try await stores.drain(noting: sent) == 1)
            }
        }
    }

    @Test func `a portion has some megabytes at most`() async throws {
        try await Stores.with { stores in
            let text = String(repeating: "\u{1}", count: TodoTask.Limits.description)
            for n in 0..<60 { _ = try await stores.create("\(n)", by: stores.ada) { $0.description = text } }
            let portions = Lock<[[Outbox.Entry]]>([])
            let outcome = try await stores.database.outbox.drain(limit: 500) { entries in
                portions.withLock { $0.append(entries) }
                return Set(entries.map(\.id))
            }
            #expect(outcome == .published(64))
            let sizes = portions.withLock { $0 }.map { $0.reduce(0) { $0 + $1.body.count } }
            #expect(sizes.count == 2 && sizes.allSatisfy { $0 < 4_400_000 }, "\(sizes)")
            let ids = portions.withLock { $0 }.flatMap { $0.map(\.id) }
            #expect(ids == ids.sorted() && ids.count == 64)
        }
    }

    /// What a person may write, and what others do: at its worst an event is still one that every broker takes.
    @Test func `the largest events are small enough for every broker`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            try await stores.fill(project, with: Project.memberLimit - 1)
            _ = try await stores.create(String(repeating: "\u{10FFFD}", count: TodoTask.Limits.title), by: stores.ada) {
                $0.project = project.id
                $0.description = String(repeating: "\u{1}", count: TodoTask.Limits.description)
                $0.tags = (0..<TodoTask.Limits.tags).map { n in
                    String(n) + String(repeating: "\u{10FFFD}", count: TodoTask.Limits.tag - 2)
                }
                $0.position = String(repeating: "z", count: FractionalIndex.lengthLimit)
                $0.due = try? .at("2030-01-01 10:00", zone: "America/Argentina/ComodRivadavia")
                let days = (1...366).flatMap { ["\($0)", "-\($0)"] }.joined(separator: ",")
                $0.recurrence = (try? RecurrenceRule("FREQ=YEARLY;BYYEARDAY=\(days)")).map { .init(rule: $0) }
            }
            let largest = try await stores.rows().map(\.body.count).max() ?? 0
            #expect((120_000...EventFlow.largestEvent).contains(largest), "\(largest)")
        }
    }
}

extension [[Outbox.Entry]] {
    /// `c` for a change, `r` for a reminder.
    fileprivate var kinds: [String] { map { $0.map { $0.isReminder ? "r" : "c" }.joined() } }
}

extension Stores {
    /// What waits, oldest first.
    fileprivate func rows() async throws -> [Outbox.Entry] {
        let rows = Lock<[Outbox.Entry]>([])
        struct Seen: Error {}
        do {
            _ = try await database.outbox.drain(limit: 500) { entries in
                rows.withLock { $0 = entries }
                throw Seen()
            }
        } catch is Seen {}
        return rows.withLock { $0 }
    }

    /// Puts so many events of reminders there, which stay new for a while.
    fileprivate func note(reminders count: Int) async throws {
        _ = try await home.server.psql(
            """
            INSERT INTO outbox (event_id, user_id, topic, type, body, created_at)
            SELECT gen_random_uuid(), '\(ada.id)', 'reminder-events', 'fired', '{}', now() + interval '1 minute' FROM generate_series(1, \(count))
            """, database: home.name)
    }

    /// In portions of 7; returns how many are gone.
    fileprivate func drain(refusing refused: Int64? = nil, noting sent: Lock<[Outbox.Entry]>) async throws -> Int {
        let outcome = try await database.outbox.drain(limit: 7) { entries in
            let taken = entries.filter { $0.id != refused }
            sent.withLock { $0 += taken }
            return Set(taken.map(\.id))
        }
        guard case .published(let count, _) = outcome else { return 0 }
        return count
    }

    /// Publishes all there is.
    fileprivate func portions(limit: Int) async throws -> [[Outbox.Entry]] {
        let portions = Lock<[[Outbox.Entry]]>([])
        let outcome = try await database.outbox.drain(limit: limit) { entries in
            portions.withLock { $0.append(entries) }
            return Set(entries.map(\.id))
        }
        let all = portions.withLock { $0 }
        #expect(outcome == .published(all.joined().count))
        return all
    }

    /// Gives a project so many members more that nobody knows.
    func fill(_ project: Project, with count: Int) async throws {
        _ = try await home.server.psql(
            """
            UPDATE projects SET viewers = ARRAY(SELECT gen_random_uuid() FROM generate_series(1, \(count)))
            WHERE id = '\(project.id)'
            """, database: home.name)
    }
}
