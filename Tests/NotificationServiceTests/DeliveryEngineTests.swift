import Concurrency
import FoundationEssentials
import Postgres
import Telemetry
import Testing
import TodoModel
import TodoStore

@testable import NotificationService

@Suite(.timeLimit(.minutes(10))) struct DeliveryEngineTests {
    @Test func `one notice is one delivery for each channel, however often it comes`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.channel(.webhook, "https://b.example/")
            _ = try await home.channel(.email, "ada@example.com")
            _ = try await home.channel(.email, "unconfirmed@example.com", isVerified: false)
            _ = try await home.channel(.webhook, "https://of-ben.example/", of: home.ben)
            let notice = home.notice(["in-app", "webhook", "email"])
            var counts: [Int] = []
            for _ in 0..<3 { counts.append(try await home.store.enqueue([notice, notice], at: home.clock.now)) }
            #expect(counts == [3, 0, 0])
            let deliveries = try await home.store.deliveries(of: home.ada.id, limit: 100)
            #expect(
                Set(deliveries.map { "\($0.kind) \($0.target) \($0.state)" }) == [
                    "in-app  delivered", "webhook https://a.example/ pending", "webhook https://b.example/ pending",
                    "email ada@example.com pending",
                ])
            #expect(deliveries.count == 4)
            var again = notice
            again.fired = home.clock.now + .seconds(60)
            #expect(try await home.store.enqueue([again], at: home.clock.now) == 3, "it fired once more")
        }
    }

    @Test func `where there is nothing to send to, that is written down`() async throws {
        try await NotificationDatabase.with { home in
            let paused = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.store.setPaused(true, paused.id, of: home.ada.id, at: home.clock.now)
            #expect(
                try await home.store.enqueue([home.notice(["webhook", "email", "pigeon"])], at: home.clock.now) == 0)
            let deliveries = try await home.store.deliveries(of: home.ada.id, in: .skipped, limit: 100)
            #expect(Set(deliveries.map(\.kind)) == ["webhook", "email", "pigeon"])
            #expect(deliveries.allSatisfy { $0.lastError?.isEmpty == false })
            var stranger = home.notice()
            stranger.user = home.database.makeID()
            #expect(try await home.store.enqueue([stranger], at: home.clock.now) == 0, "nobody of that id is there")
        }
    }

    @Test func `without a mail server mails are skipped, and those that were made before end with their time`()
        async throws
    {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.email, "ada@example.com")
            _ = try await home.channel(.webhook, "https://a.example/")
            let engine = home.engine([.webhook: ScriptedSender()])
            // One that asks for mails, and one that asks for whatever there is.
            let notices = [home.notice(["email"]), home.notice([])]
            #expect(try await home.store.enqueue(notices, sending: engine.kinds, at: home.clock.now) == 1)
            #expect(try await engine.deliverDue() == 1)
            #expect(try await home.states() == ["skipped": 2, "delivered": 2])
            let skipped = try await home.store.deliveries(of: home.ada.id, in: .skipped, limit: 100)
            #expect(skipped.allSatisfy { $0.kind == "email" && $0.lastError?.contains("no mail server") == true })

            // By a replica that has one.
            _ = try await home.store.enqueue([home.notice(["email"])], at: home.clock.now)
            func givenUp(allBut kinds: Set<NotificationChannel.Kind>) async throws -> Int {
                try await home.store.giveUp(allBut: kinds, endedBefore: home.clock.now)
            }
            #expect(try await givenUp(allBut: engine.kinds) == 0)
            home.clock.advance(EnqueueRules().lifetime + .seconds(1))
            #expect(try await givenUp(allBut: [.webhook, .email]) == 0)
            #expect(try await givenUp(allBut: engine.kinds) == 1)
            #expect(try await home.states()["dead"] == 1)
        }
    }

    @Test func `people see their own deliveries and channels only`() async throws {
        try await NotificationDatabase.with { home in
            let channel = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            let delivery = try #require(try await home.store.deliveries(of: home.ada.id, limit: 1).first)
            #expect(try await home.store.deliveries(of: home.ben.id, limit: 1).isEmpty)
            #expect(try await home.store.channels(of: home.ben.id).isEmpty)
            let (ben, now) = (home.ben.id, home.clock.now)
            await #expect(throws: StoreError.notFound) { try await home.store.delivery(delivery.id, of: ben) }
            await #expect(throws: StoreError.notFound) { try await home.store.channel(channel.id, of: ben) }
            await #expect(throws: StoreError.notFound) { try await home.store.delete(channel.id, of: ben) }
            await #expect(throws: StoreError.notFound) {
                try await home.store.replay(delivery.id, of: ben, lifetime: .seconds(1), at: now)
            }
        }
    }

    @Test func `replicas share the work, and each delivery is sent once`() async throws {
        try await NotificationDatabase.with { home in
            for number in 0..<20 { _ = try await home.channel(.webhook, "https://\(number).example/") }
            _ = try await home.store.enqueue((0..<30).map { _ in home.notice() }, at: home.clock.now)
            let sender = ScriptedSender()
            let engines = (0..<3).map { _ in home.engine([.webhook: sender]) }
            for _ in 0..<20 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for engine in engines { group.addTask { _ = try await engine.deliverDue() } }
                    try await group.waitForAll()
                }
                home.clock.advance(.seconds(2))
            }
            #expect(sender.attempts.count == 600 && Set(sender.attempts).count == 600)
            #expect(try await home.states() == ["delivered": 600])
        }
    }

    @Test func `who dies between sending and writing down leaves it to others, under the same id`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            let dead = try await home.store.claim(
                .webhook, .unlimited, lease: DeliveryEngine.lease, at: home.clock.now)
            let sender = ScriptedSender()
            let engine = home.engine([.webhook: sender])
            #expect(try await engine.deliverDue() == 0, "the lease holds")
            home.clock.advance(DeliveryEngine.lease)
            #expect(try await engine.deliverDue() == 1)
            #expect(sender.attempts == dead.map(\.delivery.id))
            // The first comes back to life and has something to say of it: too late.
            let late = try #require(dead.first)
            #expect(try await home.store.settle(late, .dead(error: "x"), at: home.clock.now) == false)
            let delivery = try await home.store.delivery(late.delivery.id, of: home.ada.id)
            #expect(delivery.state == .delivered && delivery.attempts == 2)
        }
    }

    @Test func `a receiver that is down for an hour loses nothing`() async throws {
        try await NotificationDatabase.with { home in
            let channels = [
                try await home.channel(.webhook, "https://a.example/"),
                try await home.channel(.webhook, "https://of-ben.example/", of: home.ben),
            ]
            let end = home.clock.now + .seconds(3600)
            let clock = home.clock
            let sender = ScriptedSender { claimed throws(AttemptFailure) in
                guard claimed.delivery.channel != channels[0].id || clock.now >= end else {
                    throw AttemptFailure(message: "down")
                }
            }
            let engine = home.engine([.webhook: sender])
            _ = try await home.store.enqueue((0..<40).map { _ in home.notice() }, at: clock.now)
            _ = try await home.store.enqueue((0..<40).map { _ in home.notice(of: home.ben) }, at: clock.now)
            try await home.run(engine, for: .seconds(60))
            #expect(try await home.states() == ["pending": 40, "delivered": 40], "Ben waits for nobody")
            let blocked = try await home.store.channel(channels[0].id, of: home.ada.id)
            #expect(blocked.failures >= Circuit.threshold && blocked.blockedUntil != nil)
            try await home.run(engine, for: .seconds(6 * 3600))
            #expect(try await home.states() == ["delivered": 80])
            let down = sender.attempts.count - 80
            #expect(down < 300, "\(down) attempts were made in vain")
            let well = try await home.store.channel(channels[0].id, of: home.ada.id)
            #expect(well.failures == 0 && well.blockedUntil == nil)
        }
    }

    @Test func `what fails for a day is dead, is listed, and goes out when it is replayed`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            let isWell = Lock(false)
            let sender = ScriptedSender { _ throws(AttemptFailure) in
                guard isWell.withLock({ $0 }) else { throw AttemptFailure(message: "the receiver answered 500") }
            }
            let engine = home.engine([.webhook: sender])
            let start = home.clock.now
            _ = try await home.store.enqueue([home.notice()], at: start)
            try await home.run(engine, for: .seconds(23 * 3600))
            #expect(try await home.states() == ["pending": 1])
            try await home.run(engine, for: .seconds(4 * 3600))
            let dead = try #require(try await home.store.deliveries(of: home.ada.id, in: .dead, limit: 10).first)
            let last = try #require(dead.lastAttempt)
            #expect(last - start >= .seconds(86_400) && dead.lastError == "the receiver answered 500")
            #expect((8...25).contains(dead.attempts), "\(dead.attempts)")
            isWell.withLock { $0 = true }
            _ = try await home.store.replay(dead.id, of: home.ada.id, lifetime: .seconds(60), at: home.clock.now)
            #expect(try await engine.deliverDue() == 1)
            #expect(try await home.states() == ["delivered": 1])
            #expect(Set(sender.attempts) == [dead.id])
            let now = home.clock.now
            await #expect(throws: StoreError.self, "it is not dead any more") {
                try await home.store.replay(dead.id, of: home.ada.id, lifetime: .seconds(60), at: now)
            }
        }
    }

    @Test func `what is replayed goes by the channel that there is now, once it is verified`() async throws {
        try await NotificationDatabase.with { home in
            let (ada, target, isWell) = (home.ada.id, "https://a.example/", Lock(false))
            let old = try await home.channel(.webhook, target)
            let sender = ScriptedSender { _ throws(AttemptFailure) in
                guard isWell.withLock({ $0 }) else { throw AttemptFailure(message: "404", isPermanent: true) }
            }
            let engine = home.engine([.webhook: sender])
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            #expect(try await engine.deliverDue() == 1)
            let dead = try #require(try await home.store.deliveries(of: ada, in: .dead, limit: 1).first)
            func replay() async throws -> NotificationDelivery {
                try await home.store.replay(dead.id, of: ada, lifetime: .seconds(60), at: home.clock.now)
            }
            try await home.store.delete(old.id, of: ada)
            _ = try await home.channel(.webhook, "https://b.example/")
            await #expect(throws: StoreError.self, "none goes there") { try await replay() }
            let new = try await home.channel(.webhook, target, isVerified: false)
            await #expect(throws: StoreError.self, "it may be somebody else's") { try await replay() }
            _ = try await home.store.verify(new.id, of: ada, at: home.clock.now)
            #expect(try await replay().channel == new.id)
            isWell.withLock { $0 = true }
            #expect(try await engine.deliverDue() == 1)
            #expect(try await home.states() == ["delivered": 1])
        }
    }

    @Test func `what is refused for good is dead at once, and a receiver that is gone is paused`() async throws {
        try await NotificationDatabase.with { home in
            let channel = try await home.channel(.webhook, "https://a.example/")
            let sender = ScriptedSender { _ throws(AttemptFailure) in
                throw AttemptFailure(message: "410", isPermanent: true, pausesChannel: "the receiver answered 410 Gone")
            }
            let engine = home.engine([.webhook: sender])
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            #expect(try await engine.deliverDue() == 1)
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            #expect(try await engine.deliverDue() == 0)
            #expect(try await home.states() == ["dead": 1, "skipped": 1])
            #expect(
                try await home.store.channel(channel.id, of: home.ada.id).pausedBecause
                    == "the receiver answered 410 Gone")
        }
    }

    @Test func `a burst goes out at the channel's pace`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            let (start, clock) = (home.clock.now, home.clock)
            let times = Lock<[Duration]>([])
            let engine = home.engine([
                .webhook: ScriptedSender { _ in times.withLock { $0.append(clock.now - start) } }
            ])
            for _ in 0..<3 {
                _ = try await home.store.enqueue((0..<100).map { _ in home.notice() }, at: clock.now)
            }
            try await home.run(engine, for: .seconds(3600))
            let sent = times.withLock { $0.sorted() }
            #expect(sent.count == 300)
            for second in 0..<20 {
                let count = sent.filter { $0 <= .seconds(second) }.count
                #expect(count <= 50 + 10 * second + 1, "\(count) in \(second) s")
            }
            #expect((sent.last ?? .zero) < .seconds(40), "and no slower than that: \(sent.last ?? .zero)")
        }
    }

    @Test func `while the mail server is down webhooks go on, and no mail is lost`() async throws {
        try await NotificationDatabase.with { home in
            for number in 0..<10 { _ = try await home.channel(.email, "\(number)@example.com") }
            _ = try await home.channel(.webhook, "https://a.example/")
            let (end, clock) = (home.clock.now + .seconds(3600), home.clock)
            let mails = ScriptedSender { _ throws(AttemptFailure) in
                guard clock.now >= end else { throw AttemptFailure(message: "down", fault: .server) }
            }
            let engine = home.engine([.email: mails, .webhook: ScriptedSender()])
            _ = try await home.store.enqueue((0..<5).map { _ in home.notice(["webhook", "email"]) }, at: clock.now)
            try await home.run(engine, for: .seconds(5))
            #expect(try await home.states()["delivered"] == 5)
            try await home.run(engine, for: .seconds(4 * 3600))
            #expect(try await home.states() == ["delivered": 55])
            #expect(
                try await home.store.channels(of: home.ada.id).allSatisfy { $0.failures == 0 }, "it is not their fault")
        }
    }

    @Test func `a channel that hangs leaves room for others`() async throws {
        try await NotificationDatabase.with { home in
            let slow = try await home.channel(.webhook, "https://slow.example/")
            _ = try await home.channel(.webhook, "https://fast.example/", of: home.ben)
            let gate = Signal()
            let sender = ScriptedSender { claimed throws(AttemptFailure) in
                if claimed.delivery.channel == slow.id { await gate.wait(since: 0, atMost: .seconds(500)) }
            }
            let engine = DeliveryEngine(
                store: home.store, senders: [.webhook: sender],
                metrics: NotificationMetrics(.init()), logger: NotificationDatabase.quiet)
            _ = try await home.store.enqueue((0..<40).map { _ in home.notice() }, at: .now())
            _ = try await home.store.enqueue((0..<40).map { _ in home.notice(of: home.ben) }, at: .now())
            let running = Task { await engine.run() }
            try await eventually { try await home.states()["delivered"] == 40 }
            gate.signal()
            try await eventually { try await home.states() == ["delivered": 80] }
            engine.stop()
            await running.value
            #expect(sender.attempts.count == 80)
        }
    }

    @Test func `mails that hang keep no webhook waiting`() async throws {
        try await NotificationDatabase.with { home in
            for number in 0..<20 { _ = try await home.channel(.email, "\(number)@example.com") }
            _ = try await home.channel(.webhook, "https://a.example/", of: home.ben)
            let gate = Signal()
            let (mails, hooks) = (
                ScriptedSender { _ in await gate.wait(since: 0, atMost: .seconds(500)) }, ScriptedSender()
            )
            let engine = DeliveryEngine(
                store: home.store, senders: [.email: mails, .webhook: hooks],
                metrics: NotificationMetrics(.init()), logger: NotificationDatabase.quiet)
            _ = try await home.store.enqueue((0..<10).map { _ in home.notice(["email"]) }, at: .now())
            let running = Task { await engine.run() }
            try await eventually { !mails.attempts.isEmpty }
            for count in 1...3 {
                _ = try await home.store.enqueue([home.notice(of: home.ben)], at: .now())
                engine.nudge()
                try await eventually { hooks.attempts.count == count }
            }
            engine.stop()
            gate.signal()
            await running.value
        }
    }

    @Test func `who looks for webhooks does not look through the mails that wait for their server`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            let mail = try await home.channel(.email, "ada@example.com")
            try await home.psql(
                """
                INSERT INTO deliveries (user_id, id, purpose, reminder_id, fired_at, kind, target, channel_id, state,
                    created_at, give_up_at, next_attempt_at, content)
                SELECT '\(home.ada.id)', gen_random_uuid(), 'reminder', gen_random_uuid(), now(), 'email', 'ada@example.com',
                    '\(mail.id)', 'pending', now(), now() + interval '1 day', '2026-01-01', '{}'
                FROM generate_series(1, 20000)
                """)
            try await home.psql("ANALYZE deliveries")
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            // A server counts what a connection has read when that ends.
            let pool = PostgresPool(try PostgresConfiguration(home.uri), limits: .init(size: 1))
            let engine = DeliveryEngine(
                store: TodoDatabase(pool: pool).notifications, senders: [.webhook: ScriptedSender()],
                metrics: NotificationMetrics(.init()), logger: NotificationDatabase.quiet, now: { home.clock.now })
            let sent = try await engine.deliverDue()
            await pool.close()
            #expect(sent == 1)
            var read = 0
            try await eventually {
                let count = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'deliveries'"
                read = try await Int(home.psql(count)) ?? 0
                return read > 0
            }
            #expect(read < 100)
        }
    }

    @Test func `a removed channel's deliveries are skipped, also one that is under way`() async throws {
        try await NotificationDatabase.with { home in
            let channel = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.store.enqueue([home.notice(), home.notice()], at: home.clock.now)
            let one = ClaimQuota(limit: 1, perChannel: 1, perPerson: 1, perHost: 1)
            let claimed = try await home.store.claim(.webhook, one, lease: .seconds(60), at: home.clock.now)
            try await home.store.delete(channel.id, of: home.ada.id)
            #expect(try await home.states() == ["skipped": 2])
            let first = try #require(claimed.first)
            #expect(try await home.store.settle(first, .delivered, at: home.clock.now) == false)
        }
    }

    @Test func `an erased account leaves nothing behind, and old deliveries go`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.channel(.webhook, "https://of-ben.example/", of: home.ben)
            _ = try await home.store.enqueue([home.notice(), home.notice(of: home.ben)], at: home.clock.now)
            _ = try await home.engine([.webhook: ScriptedSender()]).deliverDue()
            try await home.database.accounts.erase(home.ada.id)
            #expect(try await home.psql("SELECT count(*) FROM deliveries") == "1")
            #expect(try await home.psql("SELECT count(*) FROM notification_channels") == "1")
            let now = home.clock.now
            #expect(try await home.store.forget(deliveredBefore: now, deadBefore: now - .seconds(60)) == 0)
            #expect(
                try await home.store.forget(deliveredBefore: now + .seconds(1), deadBefore: now - .seconds(60)) == 1)
        }
    }
}

/// Waits for what comes in its own time.
func eventually(
    sourceLocation: SourceLocation = #_sourceLocation, _ isTrue: () async throws -> Bool
) async throws {
    for _ in 0..<3000 {
        if try await isTrue() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("it never came to be", sourceLocation: sourceLocation)
}
