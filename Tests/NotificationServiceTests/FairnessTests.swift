import StructuredData
import Testing
import TodoModel
import TodoStore
import WebhookReceiver

@testable import NotificationService

/// Receivers that take as long as they may, and answer well: nothing else waits for them.
@Suite(.timeLimit(.minutes(10))) struct FairnessTests {
    /// Until they are told to answer, which is within the time that a webhook is given: no circuit opens.
    private static let slow: Duration = .seconds(400)

    /// Runs a receiver that is slow and one that is not. They have different hosts: the names of this machine.
    private func withReceivers(
        _ body: (NotificationDatabase, RunningNotification, _ slow: WebhookReceiver, _ fast: WebhookReceiver)
            async throws
            -> Void
    ) async throws {
        try await WebhookReceiver.with { slow in
            try await WebhookReceiver.with { fast in
                try await NotificationDatabase.with { home in
                    try await RunningNotification.with(
                        home, configure: { $0.webhookTimeout = Self.slow * 2 }
                    ) { service in
                        slow.answer(after: Self.slow)
                        let result: Result<Void, any Error>
                        do { result = .success(try await body(home, service, slow, fast)) } catch {
                            result = .failure(error)
                        }
                        slow.answer(after: .zero)
                        try result.get()
                    }
                }
            }
        }
    }

    /// Reminds somebody else, again and again while all the slow ones that may be are under way, and expects each to come.
    private func expectPrompt(
        _ home: NotificationDatabase, _ service: RunningNotification, at fast: WebhookReceiver,
        while slow: WebhookReceiver
    ) async throws {
        try await eventually { slow.received.count == 16 }
        _ = try await home.channel(.webhook, "http://127.0.0.1:\(fast.port)/", of: home.ben)
        for count in 1...5 {
            #expect(try await service.deliver([ReminderEvents.fired(of: home.ben, ["webhook"])]) == ["SUCCESS"])
            try await eventually { fast.received.count == count }
        }
        #expect(slow.received.count == 16, "none of them has ended and made room")
    }

    @Test func `one person's slow webhooks, however many, keep nobody else's waiting`() async throws {
        try await withReceivers { home, service, slow, fast in
            for number in 0..<16 { _ = try await home.channel(.webhook, "http://localhost:\(slow.port)/\(number)") }
            _ = try await service.deliver((0..<40).map { _ in ReminderEvents.fired(of: home.ada, ["webhook"]) })
            try await expectPrompt(home, service, at: fast, while: slow)
            // Those who wait get their turn, too.
            slow.answer(after: .zero)
            try await eventually { Set(slow.received.map(\.id)).count == 640 }
        }
    }

    @Test func `a slow receiver that many people have keeps no other waiting`() async throws {
        try await withReceivers { home, service, slow, fast in
            var events: [JSON] = []
            for number in 0..<30 {
                let person = try await home.database.accounts.create(
                    .init(email: "\(number)@example.com", name: "\(number)"), password: nil)
                _ = try await home.channel(.webhook, "http://localhost:\(slow.port)/\(number)", of: person)
                events += (0..<10).map { _ in ReminderEvents.fired(of: person, ["webhook"]) }
            }
            _ = try await service.deliver(events)
            try await expectPrompt(home, service, at: fast, while: slow)
        }
    }
}
