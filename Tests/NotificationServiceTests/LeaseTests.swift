import Concurrency
import Postgres
import PostgresServer
import Testing
import TodoModel
import TodoStore

@testable import NotificationService

/// What one replica sends no other sends as well, at its end too.
@Suite(.timeLimit(.minutes(10))) struct LeaseTests {
    /// Runs `body` while others wait for what `statement` has locked.
    private static func holding<Value: Sendable>(
        _ statement: PostgresQuery, in home: NotificationDatabase, _ body: () async throws -> Value
    ) async throws -> Value {
        let uri = try await PostgresServer.shared().socketURI(database: home.name)
        let other = try await PostgresConnection.connect(try PostgresConfiguration(uri))
        let value = try await other.withTransaction { connection in
            try await connection.query(statement)
            return try await body()
        }
        await other.close()
        return value
    }

    private static func isWaitedFor(_ kind: String, in home: NotificationDatabase) async throws -> Bool {
        let waiting = """
            SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE NOT l.granted AND l.locktype = '\(kind)' AND d.datname = current_database()
            """
        return try await home.psql(waiting) == "1"
    }

    @Test func `what is claimed while it is told to stop is held until it is sent`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            let gate = Signal()
            let sender = ScriptedSender { _ in await gate.wait(since: 0, atMost: .seconds(500)) }
            let engine = home.engine([.webhook: sender])
            let running = try await Self.holding("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE", in: home) {
                let running = Task { await engine.run() }
                try await eventually { try await Self.isWaitedFor("relation", in: home) }
                engine.stop()
                return running
            }
            try await eventually { !sender.attempts.isEmpty }
            home.clock.advance(.seconds(10))
            let end = home.clock.now + DeliveryEngine.lease
            try await eventually {
                try await home.store.deliveries(of: home.ada.id, limit: 1).first?.nextAttempt == end
            }
            gate.signal()
            await running.value
            #expect(try await home.states() == ["delivered": 1] && sender.attempts.count == 1)
        }
    }

    @Test func `what was sent when the process was to end at once is written down`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.store.enqueue([home.notice()], at: home.clock.now)
            // The receiver takes it at that moment.
            let gate = Signal()
            let sender = ScriptedSender { _ in await gate.wait(since: 0, atMost: .seconds(500)) }
            let engine = home.engine([.webhook: sender])
            let running = Task { await engine.run() }
            try await eventually { !sender.attempts.isEmpty }
            running.cancel()
            await running.value
            #expect(try await home.states() == ["delivered": 1])
        }
    }

    @Test func `what is claimed waits for no other claim`() async throws {
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.webhook, "https://a.example/")
            _ = try await home.channel(.email, "ada@example.com")
            // The second claim gets no further.
            try await home.psql(
                """
                CREATE SEQUENCE claims;
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                    IF nextval('claims') > 1 THEN PERFORM pg_advisory_xact_lock(7); END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER hold BEFORE UPDATE ON deliveries FOR EACH ROW WHEN (NEW.attempts > OLD.attempts)
                    EXECUTE FUNCTION hold();
                """)
            _ = try await home.store.enqueue([home.notice(["webhook", "email"])], at: home.clock.now)
            let sender = ScriptedSender()
            let engine = home.engine([.webhook: sender, .email: sender])
            let running = try await Self.holding("SELECT 1::int4 FROM pg_advisory_xact_lock(7)", in: home) {
                let running = Task { await engine.run() }
                try await eventually { try await Self.isWaitedFor("advisory", in: home) && sender.attempts.count == 1 }
                return running
            }
            try await eventually { try await home.states() == ["delivered": 2] }
            engine.stop()
            await running.value
            #expect(sender.attempts.count == 2)
        }
    }
}
