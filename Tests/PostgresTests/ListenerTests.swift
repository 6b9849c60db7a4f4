import Concurrency
import Glibc
import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct ListenerTests {
    @Test func `notifications arrive, and listening resumes after the connection was lost`() async throws {
        try await withDatabase { connection, configuration in
            var events = PostgresListener(configuration, channels: ["first", "se\"cond"]).makeAsyncIterator()
            let own = try #require(try await events.next()?.connection)
            let answer = try await own.query("SELECT 'there'").first?.decode(String.self)
            #expect(answer == "there")
            try await connection.query("SELECT pg_notify('first', 'one'), pg_notify('se\"cond', 'two')")
            let pid = await connection.backendProcess
            #expect(
                try await events.next()?.notification == .init(channel: "first", payload: "one", backendProcess: pid))
            #expect(
                try await events.next()?.notification
                    == .init(channel: "se\"cond", payload: "two", backendProcess: pid))
            try await connection.query(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """)
            #expect(try await events.next()?.isLost == true)
            #expect(try await events.next()?.connection != nil)
            try await connection.query("SELECT pg_notify('first', 'three')")
            #expect(
                try await events.next()?.notification == .init(channel: "first", payload: "three", backendProcess: pid))
        }
    }

    @Test(.timeLimit(.minutes(10))) func `a notification that comes right behind an answer arrives`() async throws {
        try await withDatabase { connection, configuration in
            let reactor = Reactor(name: "held")
            var events = PostgresListener(configuration, channels: ["c"], reactor: reactor).makeAsyncIterator()
            let own = try #require(try await events.next()?.connection)
            let pid = Int(await own.backendProcess)
            try await connection.query("SELECT pg_advisory_lock(1)")
            let answer = Task { try await own.query("SELECT pg_advisory_lock(1)") }
            try await connection.eventually(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(pid) AND wait_event = 'advisory')")
            // Nothing is read from here on, so that both are there when it is.
            let gate = Lock((isReached: false, isOpen: false))
            let held = Task(executorPreference: reactor) {
                gate.withLock { $0.isReached = true }
                while !gate.withLock({ $0.isOpen }) { usleep(1000) }
            }
            while !gate.withLock({ $0.isReached }) { await Task.yield() }
            try await connection.query("SELECT pg_advisory_unlock(1)")
            try await connection.eventually(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(pid) AND state = 'idle')")
            try await connection.query("SELECT pg_notify('c', 'one')")
            try await connection.query("SELECT pg_sleep(0.2)")  // the server tells nobody that the other has been told
            gate.withLock { $0.isOpen = true }
            await held.value
            _ = try await answer.value
            #expect(try await events.next()?.notification?.payload == "one")
        }
    }

    @Test func `listening ends with its reader`() async throws {
        try await withDatabase { connection, configuration in
            let task = Task {
                for try await event in PostgresListener(configuration, channels: ["c"]) where event.connection != nil {
                    return
                }
            }
            try await task.value
            try await connection.eventually(
                "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()")
        }
    }

    @Test func `what makes listening hopeless is thrown`() async throws {
        let server = try await PostgresServer.shared()
        let configuration = try PostgresConfiguration(server.socketURI(database: "no_such_database"))
        let error = try await postgresError {
            for try await _ in PostgresListener(configuration, channels: ["c"]) {}
        }
        #expect("\(error)".contains("does not exist"))
    }
}

extension PostgresListener.Event {
    fileprivate var connection: PostgresConnection? {
        if case .listening(let connection) = self { connection } else { nil }
    }
    fileprivate var notification: PostgresNotification? { if case .notification(let it) = self { it } else { nil } }
    fileprivate var isLost: Bool { if case .lost = self { true } else { false } }
}
