import ChildProcess
import Concurrency
import Foundation
import HTTPTransport
import LocalPostgres
import PostgresServer
import SMTPServer
import StructuredData
import Testing
import TodoModel
import WebhookReceiver

@testable import NotificationService

/// Two replicas of `todo serve notification` as processes of their own, killed again and again while they send.
@Suite(.serialized, .timeLimit(.minutes(10))) struct KillTests {
    private static var todo: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "todo").path
    }

    private func start(_ home: NotificationDatabase, port: Int, _ more: [String: String]) async throws -> ChildProcess {
        let environment = RunningNotification.environment(
            home.uri,
            ["PORT": "\(port)", "TODO_API_URL": "http://127.0.0.1:1", "LOG_LEVEL": "critical"].merging(more) { $1 })
        var specification = ChildProcess.Specification(
            path: Self.todo, arguments: ["serve", "notification"],
            environment: ProcessInfo.processInfo.environment.merging(environment) { $1 })
        specification.standardOutput = .null
        specification.standardError = .null
        specification.signalWhenParentEnds = SIGKILL
        return try await ChildProcess.start(specification)
    }

    @Test func `killed while they send, they lose nothing, and what comes twice has the same id`() async throws {
        let mail = try await SMTPServer.start(.none)
        try await WebhookReceiver.with { receiver in
            try await NotificationDatabase.with { home in
                let people = [home.ada, home.ben]
                for person in people {
                    for number in 0..<3 {
                        let url = "http://127.0.0.1:\(receiver.port)/\(person.name)/\(number)"
                        _ = try await home.channel(.webhook, url, of: person)
                    }
                    _ = try await home.channel(.email, person.email, of: person)
                }
                let settings = [
                    "TODO_SMTP_HOST": "127.0.0.1", "TODO_SMTP_PORT": "\(mail.port)", "TODO_SMTP_TLS": "none",
                    "TODO_SMTP_FROM": "todo@example.com", "POOL_SIZE": "4",
                ]
                let events = (0..<40).map { ReminderEvents.fired(of: people[$0 % 2], ["webhook", "email", "in-app"]) }
                let ports = [try LoopbackPort.free(), try LoopbackPort.free()]
                let transport = CurlTransport(configuration: .init(proxy: .none))
                let isOver = Lock(false)
                // Each replica is killed after some messages, in the midst of others, and started again.
                let killing = Task {
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for port in ports {
                            group.addTask {
                                var kills = 0
                                while !isOver.withLock({ $0 }) {
                                    let process = try await start(home, port: port, settings)
                                    let goal =
                                        kills < 6 ? receiver.received.count + .random(in: 1...12) : .max
                                    while receiver.received.count < goal, !isOver.withLock({ $0 }) {
                                        try await Task.sleep(for: .milliseconds(5))
                                    }
                                    process.kill()
                                    _ = await process.exit
                                    kills += 1
                                }
                                return kills
                            }
                        }
                        return try await group.reduce(0, +)
                    }
                }
                // The sidecar: what is not answered SUCCESS comes again, to whichever replica is there.
                for (number, event) in events.enumerated() {
                    var attempt = number
                    while true {
                        attempt += 1
                        let service = RunningNotification(port: ports[attempt % 2], transport: transport)
                        if let statuses = try? await service.deliver([event]), statuses == ["SUCCESS"] { break }
                        try await Task.sleep(for: .milliseconds(50))
                    }
                }
                for _ in 0..<3000 {
                    if try await home.states() == ["delivered": 200] { break }
                    try await Task.sleep(for: .milliseconds(50))
                }
                isOver.withLock { $0 = true }
                let kills = try await killing.value
                transport.close()
                #expect(kills >= 4, "\(kills)")
                #expect(
                    try await home.states() == ["delivered": 200], "40 reminders: 3 webhooks, a mail and the page each")
                // Each delivery's id was received at least once, and no other.
                let hooks: Set<String> = Set(receiver.received.map(\.id))
                #expect(try await hooks == ids(of: "webhook", home))
                let bodies = Dictionary(grouping: receiver.received, by: \.id).values.map { Set($0.map(\.body)).count }
                #expect(bodies.allSatisfy { $0 == 1 }, "the same id is the same message")
                let mails: Set<String> = Set(mail.mails.map { String($0.messageID.prefix(36)) })
                #expect(try await mails == ids(of: "email", home))
            }
        }
        try await mail.stop()
    }

    private func ids(of kind: String, _ home: NotificationDatabase) async throws -> Set<String> {
        let text = try await home.psql("SELECT string_agg(id::text, ',') FROM deliveries WHERE kind = '\(kind)'")
        return Set(text.split(whereSeparator: { $0 == "," || $0 == "\n" }).map(String.init))
    }
}
