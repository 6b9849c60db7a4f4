import Concurrency
import HTTPTransport
import HTTPTypes
import Postgres
import PostgresServer
import StructuredData
import TaskService
import Testing
import TodoStore

@Suite(.timeLimit(.minutes(10))) struct RelayTests {
    /// Keeps what it is given, in order; refuses when told to.
    final class Receiver: EventPublisher {
        struct Away: Error {}
        struct State {
            var events: [(topic: String, event: JSON)] = []
            var isAway = false
            var refused: Set<Int64> = []
            var refusesOnce = false
        }
        let state = Lock(State())

        func publish(_ entries: [Outbox.Entry], to topic: String) async throws -> [Int64: String] {
            try state.withLock { state in
                if state.isAway { throw Away() }
                var failed: [Int64: String] = [:]
                for entry in entries {
                    if state.refusesOnce, state.refused.insert(entry.id).inserted {
                        failed[entry.id] = "full"
                    } else {
                        state.events.append((topic, try JSON(parsing: entry.body)))
                    }
                }
                return failed
            }
        }

        func events(_ topic: String) -> [JSON] {
            state.withLock { state in state.events.filter { $0.topic == topic }.map(\.event) }
        }
    }

    private func eventually(
        _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
    ) async throws {
        for _ in 0..<6000 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record(what, sourceLocation: sourceLocation)
    }

    @Test func `what is written is published once, in order, and is valid against its schema`() async throws {
        let receiver = Receiver()
        try await RunningService.with(publisher: receiver) { service in
            let ada = try await service.person("ada")
            let task = try await ada.make("/v1/tasks", ["title": "x", "due": ["date": "2026-01-31"]]).id
            for path in ["complete", "reopen"] { _ = try await ada.send(.post, "/v1/tasks/\(task)/\(path)") }
            for _ in 0..<30 { _ = try await ada.make("/v1/tasks", ["title": "y"]) }
            try await eventually("all are published") { receiver.events("task-events").count == 34 }
            let events = receiver.events("task-events")
            #expect(events.map { $0["seq"]?.string } == (1...34).map { "\($0)" })
            #expect(Set(events.map { $0["id"] }).count == 34)
            let audit = receiver.events("audit-events")
            #expect(
                audit.map { $0["type"] } == [
                    "dev.todo-operator.account.created", "dev.todo-operator.account.signed-in",
                ])
            for event in events + audit {
                let schema = try await service.send(.get, "/v1/events/schemas/\(event["type"]?.string ?? "")").json
                #expect(SchemaValidator(root: schema).problems(event, schema) == [])
            }
        }
    }

    @Test func `of two services one relays, and what is refused comes again`() async throws {
        let receiver = Receiver()
        receiver.state.withLock { $0.refusesOnce = true }
        let uri = try await RunningService.database()
        try await RunningService.with(database: uri, publisher: receiver) { first in
            try await RunningService.with(database: uri, publisher: receiver) { second in
                for n in 0..<50 { _ = try await (n.isMultiple(of: 2) ? first : second).create("\(n)") }
                try await eventually("all are published") { receiver.events("task-events").count >= 51 }
            }
            let ids = receiver.events("task-events").compactMap { $0["id"]?.string }
            #expect(ids.count == 51 && Set(ids).count == 51)
        }
    }

    /// The others would take the processors from those that fire.
    @Test func `while reminders are fired, only the one that publishes looks every moment whether all are`() {
        var pace = RelayPace()
        let leading = RelayPace.Pause.untilCommit(atMost: .milliseconds(10))
        let standingBy = RelayPace.Pause.untilCommit(atMost: .milliseconds(250))
        #expect(pace.pause(after: .firing) == leading)
        #expect(pace.pause(after: .busy) == standingBy)
        #expect(pace.pause(after: .firing) == standingBy)
        #expect(pace.pause(after: .empty) == .untilCommit(atMost: .milliseconds(50)))
        #expect(pace.pause(after: .firing) == standingBy)
        #expect(pace.pause(after: .published(1)) == .none)
        #expect(pace.pause(after: .firing) == leading)
    }

    @Test func `what is refused or down is tried less and less often, whatever is committed`() {
        var pace = RelayPace()
        func seconds(_ pause: RelayPace.Pause) -> Double? {
            if case .time(let duration) = pause { duration / .seconds(1) } else { nil }
        }
        let held = (0..<6).map { _ in seconds(pace.pause(after: .published(1, held: 1))) }
        #expect(held == [0.1, 0.2, 0.4, 0.8, 1, 1])
        let down = (0..<4).map { _ in seconds(pace.pauseAfterFailure()) }
        #expect(down == [2, 4, 5, 5])
        #expect(pace.pause(after: .published(1)) == .none)
        #expect(seconds(pace.pauseAfterFailure()) == 0.1)
    }

    @Test func `what is written while the broker is away is published when it is back`() async throws {
        let receiver = Receiver()
        receiver.state.withLock { $0.isAway = true }
        try await RunningService.with(publisher: receiver) { service in
            for n in 0..<5 { _ = try await service.create("\(n)") }
            try await eventually("it is tried") {
                try await service.send(.get, "/metrics").text.contains("todo_outbox_failures_total")
            }
            #expect(receiver.events("task-events").isEmpty)
            receiver.state.withLock { $0.isAway = false }
            try await eventually("all are published") { receiver.events("task-events").count == 6 }
        }
    }
}
