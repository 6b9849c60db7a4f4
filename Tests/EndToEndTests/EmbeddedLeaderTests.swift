import ChildProcess
import Foundation
import Postgres
import PostgresServer
import Testing

/// Who leads fires the reminders; when it goes, at whatever point, another does, and nothing is lost or done twice.
@Suite(.inTime) struct EmbeddedLeaderTests {
    /// - Parameter isLost: the connection is gone at once, and the batch with it; else the server finishes what it has.
    @Test(arguments: [true, false])
    func killedInTheMidstOfABatch(isLost: Bool) async throws {
        try await LoadGate.shared.idly { try await Self.killInTheMidstOfABatch(isLost: isLost) }
    }

    private static func killInTheMidstOfABatch(isLost: Bool) async throws {
        let all = try await TwoOperators.start()
        // Its events wait for a lock, so that there is a midst.
        try await all.sql(
            """
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN IF current_setting(''application_name'') = ''first'' THEN
                PERFORM pg_advisory_xact_lock_shared(1); END IF; RETURN NEW; END';
            CREATE TRIGGER hold BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.topic = 'reminder-events')
                EXECUTE FUNCTION hold()
            """)
        let gate = try await PostgresConnection.connect(
            PostgresConfiguration(all.server.socketURI(database: all.database)))
        let (batch, start) = try await gate.withTransaction { gate in
            try await gate.execute(script: "SELECT pg_advisory_xact_lock(1)")
            // One batch; some fall due while nobody leads.
            _ = try await all.remind(after: Array(repeating: 0, count: 200) + (1...100).map { 0.2 * Double($0) })
            _ = try await eventually("a batch is under way; \(all.first.output.suffix(2000))") {
                let isHeld = "wait_event = 'advisory' AND query LIKE 'WITH fence AS%'"
                return try await all.sessions(of: "first", isHeld) > 0 ? true : nil
            }
            // Those of the batch are locked.
            let others = try await all.count("(SELECT FROM planned_reminders FOR UPDATE SKIP LOCKED) p")
            let start = ContinuousClock.now
            try await all.first.stop(SIGKILL)
            #expect(try await all.count("planned_reminders WHERE state = 'fired'") == 0, "it was in the midst")
            if isLost {
                try await all.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \(TwoOperators.isOf("first"))")
            }
            return (300 - others, start)
        }
        await gate.close()
        #expect(batch >= 200)
        try await all.secondLeads()
        let leads = ContinuousClock.now - start
        _ = try await eventually("the second fires") { try await all.fired(by: "second") > 0 ? true : nil }
        let fires = ContinuousClock.now - start
        try await all.expectEachFiredOnce(of: 300)
        let first = try await all.fired(by: "first")
        print(
            "a leader killed in the midst of a batch: \(first) were committed; another led after \(leads.inSeconds),",
            "fired after \(fires.inSeconds)")
        #expect(first == (isLost ? 0 : batch), "all of the batch, or nothing")
        #expect(try await all.fired(by: "second") == 300 - first)
        // The Lease is for 15 s from its last renewal, and the other one looks every 2 s or a bit more.
        #expect(leads < .seconds(30) && fires < .seconds(40))
        try await all.stop()
    }

    /// A statement of its own, that reached the server in time, has its turn when another one leads already.
    @Test func stoppedPastItsLease() async throws {
        try await LoadGate.shared.idly { try await Self.stopPastTheLease() }
    }

    private static func stopPastTheLease() async throws {
        let all = try await TwoOperators.start()
        let later = 3600.0
        var delays = Array(repeating: 0.0, count: 100) + (1...100).map { 0.18 * Double($0) }
        delays += (1...100).map { later + 0.1 * Double($0) }
        let due = try await all.remind(after: delays)
        let takeover = try await Self.takeOver(all, due: due)
        let late = try await all.count("written WHERE by = 'first' AND at > '\(takeover)'")
        #expect(late > 0, "the statement that was to fire had its turn")

        _ = try await eventually("the second fires") { try await all.fired(by: "second") >= 100 ? true : nil }
        // While more fall due, which it would fire.
        try await all.hasten(by: (due + later).timeIntervalSinceNow, after: (due + later).text)
        #expect(try await all.count("planned_reminders WHERE state = 'pending'") > 0)
        let start = ContinuousClock.now
        all.first.signal(SIGCONT)
        #expect(try await all.first.exit() == .exited(1), "\(all.first.output)")
        let ended = ContinuousClock.now - start
        try await all.expectEachFiredOnce(of: 300)
        let rows = try await all.sql(
            "SELECT COALESCE(sum(rows), 0) FROM written WHERE by = 'first' AND at > '\(takeover)'")
        #expect(rows == "0", "what the stopped one changed after another led")
        print(
            "a leader stopped while it fires: \(late) of its statements had their turn under another leader and",
            "changed \(rows) rows; it ended \(ended.inSeconds) after it went on")
        #expect(try await all.fired(by: "second") + all.fired(by: "first") == 300)
        try await all.stop()
    }

    /// Stops the first one with a statement that waits on the server for a lock, until the second one leads; when that
    /// is, by the database's clock.
    private static func takeOver(_ all: TwoOperators, due: Date) async throws -> String {
        let lock = try await PostgresConnection.connect(
            PostgresConfiguration(all.server.socketURI(database: all.database)))
        let takeover = try await lock.withTransaction { lock in
            try await lock.execute(script: "LOCK TABLE planned_reminders IN SHARE MODE")
            // What waits from before then has nothing to fire: it is to ask again.
            _ = try await eventually("reminders are due") { Date.now > due + 0.5 ? true : nil }
            let isFiring = "wait_event_type = 'Lock' AND query LIKE 'WITH fence AS%'"
            try await all.sql(
                """
                SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                WHERE \(TwoOperators.isOf("first")) AND \(isFiring) AND query_start < '\(due.text)'
                """)
            _ = try await eventually("a statement that fires what is due; \(all.first.output.suffix(2000))") {
                try await all.sessions(of: "first", "\(isFiring) AND query_start > '\(due.text)'") > 0 ? true : nil
            }
            all.first.signal(SIGSTOP)
            try await all.secondLeads()
            return try await all.now()
        }
        await lock.close()
        _ = try await eventually("its statements have ended") {
            try await all.sessions(of: "first", "state = 'active'") == 0 ? true : nil
        }
        return takeover
    }
}
