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
