import ChildProcess
import Foundation
import Postgres
import SMTPServer
import StructuredData
import Testing
import WebhookReceiver

/// kill -9 of what fires and delivers reminders, while they fall due: each arrives, and what arrives twice says so.
@Suite(.loadsProcessorsForLong, .inTime) struct ReminderKillTests {
    /// `REMINDERS=5000 REMINDER_KILLS=50` for a long run.
    private static let reminders = setting("REMINDERS", 1000)
    private static let kills = setting("REMINDER_KILLS", 10)
    /// Forty each second.
    private static let span: Duration = .milliseconds(24) * reminders
    /// A channel is sent only so much at a time: the more reminders, the more people.
    private static let people = max(20, reminders / 125)
    private static let victims: [Killer.Victim] = [
        .workers, .notification, .database, .workers, .sidecars, .notification, .workers, .database, .notification,
        .sidecars,
    ]

    private static func setting(_ name: String, _ standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
    }

    @Test func eachReminderArrivesWhateverIsKilled() async throws {
        var random = SeededRandom(for: "reminder kill test")
        let mail = try await SMTPServer.start(.none)
        try await WebhookReceiver.with { receiver in
            // Not a port that the kernel gives to clients: one of those that try to come back would have it some day.
            let site = try await TodoUp.start(port: .random(in: 20_000..<30_000), app: Self.app(mailPort: mail.port))
            let people = try await RemindedPeople.signUp(
                Self.people, at: site.address, receiver: receiver, mail: mail)
            try await people.makeTasks(Self.reminders)
            let planned = Date.now + 86_400
            // Many at the same moment, as people have it.
            let moments = (0..<Self.reminders).map { _ in
                planned + Double(Int.random(in: 0..<Int(Self.span.seconds * 2), using: &random)) / 2
            }
            try await people.remind(at: moments)
            let start = try await Self.hasten(site, from: planned)
            try await Self.kill(site, from: start, using: &random)
            try await people.expectEachOnce(on: site)
            #expect(try await site.process.stop(SIGINT) == .exited(0), "\(site.process.output)")
        }
        try await mail.stop()
    }

    private static func app(mailPort: Int) -> JSON {
        [
            "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
            "metadata": ["name": "todo", "namespace": "todo"],
            "spec": [
                "auth": ["signUp": "Open"],
                "notifications": [
                    "email": [
                        "from": "todo@example.com", "host": "127.0.0.1", "port": JSON(mailPort), "tls": "None",
                    ],
                    "webhooks": ["allowedNetworks": ["127.0.0.0/8"]],
                ],
                "services": [
                    "api": ["replicas": 1], "audit": ["replicas": 1], "notification": ["replicas": 2],
                    "realtime": ["replicas": 1],
                ],
                "workers": ["placement": "Dedicated", "replicas": 3],
            ],
        ]
    }

    /// Gives when the first fires: soon after all are planned, however long that took, as if they had been asked for
    /// then. When they are due stays, by which they are planned.
    private static func hasten(_ site: TodoUp, from planned: Date) async throws -> Date {
        let start = try await eventually(within: .seconds(60), "all are planned; \(site.process.output.suffix(2000))") {
            let start = Date.now + 5
            let moved = try await site.sql(
                """
                UPDATE planned_reminders
                SET fire_at = fire_at - make_interval(secs => \(planned.timeIntervalSince(start)))
                WHERE state = 'pending'
                    AND (SELECT count(*) FROM planned_reminders WHERE state = 'pending') = \(reminders)
                """)
            return moved == reminders ? start : nil
        }
        // Workers that sleep until then are told.
        try await site.sql("SELECT pg_notify('todo_workers', '')")
        return start
    }

    /// At random moments while reminders fall due; one that is past because a victim was not back yet comes at once.
    private static func kill(_ site: TodoUp, from start: Date, using random: inout SeededRandom) async throws {
        let order = (0..<kills).map { victims[$0 % victims.count] }.shuffled(using: &random)
        let moments = order.map { _ in start + Double.random(in: 0..<span.seconds, using: &random) }.sorted()
        var killer = Killer(site)
        for (victim, moment) in zip(order, moments) {
            // Not for something to come true: this is the random point.
            try await Task.sleep(for: .seconds(max(0, moment.timeIntervalSinceNow)))
            try await killer.kill(victim, using: &random)
        }
        print(
            "reminder kill test: \(kills) kills in \((Duration.seconds(Date.now.timeIntervalSince(start))).inSeconds)")
    }
}

extension Duration {
    fileprivate var seconds: Double { self / .seconds(1) }
}
