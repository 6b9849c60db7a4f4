import ChildProcess
import Foundation
import HTTPTypes
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// An app whose workers run in the operator, and two operators, of which one leads. Its database tells which of them
/// wrote what: their connections have the names `first` and `second`.
struct TwoOperators {
    private static let namespace = "leaders"

    let cluster: TestCluster
    let server: PostgresServer
    /// Of the app.
    let database: String
    let first: BackgroundProcess
    let second: BackgroundProcess
    private let firstHolder: String

    /// Returns when the app is ready and the first operator works for it.
    static func start() async throws -> TwoOperators {
        let cluster = try await TestCluster.start(forAppsIn: namespace)
        let first = try await cluster.startCandidate(in: namespace, environment: ["PGAPPNAME": "first"])
        let firstHolder = try await cluster.leader(in: namespace) { !$0.isEmpty }
        let second = try await cluster.startCandidate(in: namespace, environment: ["PGAPPNAME": "second"])
        _ = try await second.line(matching: /(another process leads)/)
        let server = try await PostgresServer.shared()
        let database = try await cluster.create(todoApp: "app", namespace: namespace, on: server)
        try await cluster.merge(["spec": ["auth": ["signUp": "Open"]]], into: "app", namespace: namespace)
        let all = TwoOperators(
            cluster: cluster, server: server, database: database, first: first, second: second,
            firstHolder: firstHolder)
        _ = try await eventually(within: .seconds(60), "the app is ready; \(first.output.suffix(2000))") {
            let app = try await cluster.client.get(.todoApps, namespace: namespace, name: "app")
            return app.isReady ? true : nil
        }
        try await all.sql(witness)
        return all
    }

    func stop() async throws {
        #expect(try await second.stop(SIGTERM) == .exited(0), "\(second.output)")
        try await cluster.stop()
    }

    /// Each statement that was to change planned reminders: whose, how many it changed, and how many of them it fired. And
    /// what each event was about, which the relay publishes and takes away.
    private static let witness = """
        CREATE TABLE written (
            by text DEFAULT current_setting('application_name'), at timestamptz DEFAULT clock_timestamp(), rows bigint,
            fired bigint);
        CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO written (rows, fired) SELECT count(*), count(*) FILTER (WHERE fired_at IS NOT NULL)
            FROM changed; RETURN NULL; END';
        CREATE TRIGGER witness AFTER UPDATE ON planned_reminders REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION witness();
        CREATE TABLE told (subject text);
        CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO told VALUES (NEW.body->>''subject''); RETURN NULL; END';
        CREATE TRIGGER tell AFTER INSERT ON outbox FOR EACH ROW
            WHEN (NEW.body->>'type' = 'dev.todo-operator.reminder.fired') EXECUTE FUNCTION tell();
        """

    @discardableResult
    func sql(_ text: String) async throws -> String { try await server.psql(text, database: database) }

    func count(_ query: String) async throws -> Int { Int(try await sql("SELECT count(*) FROM \(query)")) ?? -1 }

    /// How many reminders `name` has fired since.
    func fired(by name: String, since time: String = "-infinity") async throws -> Int {
        Int(try await sql("SELECT COALESCE(sum(fired), 0) FROM written WHERE by = '\(name)' AND at > '\(time)'")) ?? -1
    }

    /// How many connections of `name` are in that state.
    func sessions(of name: String, _ condition: String) async throws -> Int {
        try await count("pg_stat_activity WHERE \(Self.isOf(name)) AND \(condition)")
    }

    /// What `pg_stat_activity` has of `name`: other tests use the server, too.
    static func isOf(_ name: String) -> String { "datname = current_database() AND application_name = '\(name)'" }

    /// By the database's clock.
    func now() async throws -> String { try await sql("SELECT clock_timestamp()") }

    /// Returns when the second one leads.
    func secondLeads() async throws {
        _ = try await cluster.leader(in: Self.namespace, within: .seconds(40)) {
            $0 != firstHolder && !$0.isEmpty
        }
    }

    /// Somebody who is reminded so many seconds after the moment that it gives. That comes soon after all is planned,
    /// however long the planning took.
    func remind(after delays: [Double]) async throws -> Date {
        let service = try await cluster.client.get(.services, namespace: Self.namespace, name: "app-api")
        let address = try #require(service.spec?["clusterIP"]?.string)
        let ada = try await APIUser.signUp("ada", at: "http://\(address):8080")
        let planned = Date.now + 3600
        for start in stride(from: 0, to: delays.count, by: Self.mostOfATask) {
            let task = try await ada.insist(.post, "/v1/tasks", ["title": "Number \(start)"])["id"]?.string ?? ""
            for delay in delays[start...].prefix(Self.mostOfATask) {
                let moment = (planned + delay).text
                try await ada.insist(.post, "/v1/tasks/\(task)/reminders", ["at": .string(moment)])
            }
        }
        _ = try await eventually("all are planned") {
            try await count("planned_reminders WHERE state = 'pending'") == delays.count ? true : nil
        }
        let due = Date.now + 8
        try await hasten(by: planned.timeIntervalSince(due))
        return due
    }

    /// What is to fire after `time` does so that many seconds sooner, as if it had been asked for then: when it is due
    /// stays, by which it is planned. Workers that sleep until then are told.
    func hasten(by seconds: Double, after time: String = "-infinity") async throws {
        try await sql(
            """
            UPDATE planned_reminders SET fire_at = fire_at - interval '\(seconds) seconds'
            WHERE state = 'pending' AND fire_at > '\(time)';
            SELECT pg_notify('todo_workers', '')
            """)
    }

    private static let mostOfATask = 20

    /// Waits until all have fired; then each has done so once, and one event tells of it.
    func expectEachFiredOnce(of total: Int) async throws {
        _ = try await eventually(within: .seconds(90), "\(total) have fired; \(second.output.suffix(2000))") {
            try await count("planned_reminders WHERE state = 'fired'") == total ? true : nil
        }
        #expect(try await count("planned_reminders") == total)
        let told = try await sql("SELECT count(*) || ' ' || count(DISTINCT subject) FROM told")
        #expect(told == "\(total) \(total)", "events, and reminders that they are about")
    }
}

extension Date {
    /// As the API has it, with milliseconds.
    var text: String { formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }
}
