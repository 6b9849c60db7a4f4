import Concurrency
import Crypto
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import SMTPServer
import StructuredData
import Testing
import TodoModel
import TodoStore

@testable import NotificationService

/// Mails as a server on a socket gets them, and the links in them.
@Suite(.timeLimit(.minutes(10))) struct MailTests {
    private static func environment(_ server: SMTPServer) -> [String: String] {
        [
            "TODO_SMTP_HOST": "127.0.0.1", "TODO_SMTP_PORT": "\(server.port)", "TODO_SMTP_TLS": "none",
            "TODO_SMTP_FROM": "Todo <todo@example.com>",
        ]
    }

    private final class Actions: ReminderActions {
        let done = Lock<[String]>([])
        func acknowledge(_ reminder: UUID, of user: UUID) async throws -> Bool {
            done.withLock { $0.append("acknowledge \(reminder.text) \(user.text)") }
            return true
        }
        func snooze(_ reminder: UUID, until moment: Instant, of user: UUID) async throws -> Bool {
            let minutes = Int(((moment - .now()) / .seconds(60)).rounded())
            done.withLock { $0.append("snooze \(reminder.text) \(user.text) \(minutes)") }
            return true
        }
    }

    /// The path and query of the link that follows `name: `.
    private func link(_ name: String, in mail: SMTPServer.Mail) throws -> String {
        let url = try #require(mail.link(name))
        #expect(url.hasPrefix("https://todo.example.com/"))
        return String(url.dropFirst("https://todo.example.com".count))
    }

    @Test func `an address gets reminders when somebody there has said yes, and none after no`() async throws {
        let server = try await SMTPServer.start(.none)
        let actions = Actions()
        try await NotificationDatabase.with { home in
            try await RunningNotification.with(home, Self.environment(server), actions: actions) { service in
                let made = try await service.send(
                    .post, "/v1/channels", ["kind": "email", "target": "Ada@Example.com"], as: home.ada)
                #expect(made.status == 201 && made.json["verifiedAt"] == .null && made.json["secret"] == nil)
                try await eventually { server.mails.count == 1 }
                let question = server.mails[0]
                #expect(question.to == "ada@example.com" && !question.text.contains("List-Unsubscribe"))
                _ = try await service.deliver([ReminderEvents.fired(of: home.ada, ["email"])])
                #expect(try await service.send(.get, "/v1/deliveries?state=skipped", as: home.ada).items.count == 1)

                // A program that looks at all links of a mail has said nothing.
                let verify = try link("Confirm", in: question)
                #expect(try await service.send(.get, verify).status == 200)
                let path = "/v1/channels/\(made.json["id"]?.string ?? "")"
                #expect(try await service.send(.get, path, as: home.ada).json["verifiedAt"] == .null)
                #expect(try await service.send(.post, verify).status == 200)
                #expect(try await service.send(.get, path, as: home.ada).json["verifiedAt"] != .null)

                let reminder = UUID()
                let event = ReminderEvents.fired(of: home.ada, ["email"], title: "Grüße <b>", reminder: reminder)
                for _ in 0..<3 { #expect(try await service.deliver([event]) == ["SUCCESS"]) }
                try await eventually { server.mails.count == 2 }
                let mail = server.mails[1]
                #expect(mail.plainText.contains("Due 2026-11-21 at 14:30 (Europe/Berlin)"))
                let html = try #require(mail.text.split(separator: "Content-Type: text/html").last)
                #expect(html.contains("&lt;b&gt;") && !html.contains("<b>"))
                #expect(mail.text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"))

                let acknowledge = try link("Acknowledge", in: mail)
                let snooze = try link("Snooze", in: mail)
                let page = try await service.send(.get, acknowledge)
                #expect(page.status == 200 && page.text.contains("<form method=\"post\""))
                #expect(page.headers[.init("Referrer-Policy") ?? .accept] == "no-referrer")
                #expect(actions.done.withLock { $0.isEmpty })
                #expect(try await service.send(.post, acknowledge).status == 200)
                #expect(try await service.send(.post, snooze).status == 400, "for how long?")
                var form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
                let snoozed = try await service.transport.send(
                    .init(
                        method: .post, url: "http://127.0.0.1:\(service.port)\(snooze)", headers: form,
                        body: .bytes(Array("minutes=60".utf8))))
                #expect(snoozed.status == .ok)
                let who = "\(reminder.text) \(home.ada.id.text)"
                #expect(actions.done.withLock { $0 } == ["acknowledge \(who)", "snooze \(who) 60"])

                // RFC 8058: the mail program posts this to the address in the header, and asks nobody.
                let header = try #require(
                    mail.text.split(separator: "List-Unsubscribe:\r\n <").last?.split(separator: ">").first)
                let unsubscribe = String(header.dropFirst("https://todo.example.com".count))
                let shown = try link("Unsubscribe", in: mail)
                #expect(unsubscribe == shown)
                form[.userAgent] = "mail"
                let ended = try await service.transport.send(
                    .init(
                        method: .post, url: "http://127.0.0.1:\(service.port)\(unsubscribe)", headers: form,
                        body: .bytes(Array("List-Unsubscribe=One-Click".utf8))))
                #expect(ended.status == .ok)
                _ = try await service.deliver([ReminderEvents.fired(of: home.ada, ["email"])])
                #expect(try await service.send(.get, "/v1/deliveries?state=skipped", as: home.ada).items.count == 2)
                #expect(server.mails.count == 2)
                #expect(try await service.send(.delete, path, as: home.ada).status == 204)
                #expect(try await service.send(.post, unsubscribe).status == 200, "it is so already")
                #expect(try await service.send(.post, verify).status == 404)
            }
        }
        try await server.stop()
    }

    @Test func `a digest names its tasks`() async throws {
        let server = try await SMTPServer.start(.none)
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.email, "ada@example.com")
            try await RunningNotification.with(home, Self.environment(server)) { service in
                let event = ReminderEvents.fired(of: home.ada, ["email"], digest: ["Water the plants", "Feed the cat"])
                #expect(try await service.deliver([event]) == ["SUCCESS"])
                try await eventually { server.mails.count == 1 }
                let mail = server.mails[0]
                #expect(mail.text.contains("Subject: Your digest: 2 tasks\r\n"))
                #expect(mail.plainText.contains("- Water the plants\r\n- Feed the cat"))
                #expect(!mail.plainText.contains("Acknowledge: "), "nobody could, here")
            }
        }
        try await server.stop()
    }

    @Test func `what the server says for good is dead; what it says for now is sent again with the same id`()
        async throws
    {
        let server = try await SMTPServer.start(.none)
        try await NotificationDatabase.with { home in
            _ = try await home.channel(.email, "ada@example.com")
            let configuration = try NotificationServiceConfiguration(
                environment: RunningNotification.environment(home.uri, Self.environment(server)))
            let mail = try #require(configuration.mail)
            let links = Links(
                key: SymmetricKey(data: configuration.linkKey), publicURL: "https://todo.example.com",
                now: { home.clock.now })
            let engine = home.engine([
                .email: MailSender(transport: .init(mail.server), composer: .init(from: mail.from, links: links))
            ])
            for fault in [
                SMTPServer.Fault.answer("451 4.7.1 greylisted", to: "RCPT"), .answer("421 busy", to: "MAIL"),
                .dropAfterMessage, .answer("550 not you", to: "MAIL"),
            ] {
                server.fail(fault)
                _ = try await home.store.enqueue([home.notice(["email"])], at: home.clock.now)
                _ = try await engine.deliverDue()
                #expect(try await home.states()["pending"] == 1, "\(fault)")
                try await home.run(engine, for: .seconds(60))
                #expect(try await home.states()["pending"] == nil, "\(fault)")
            }
            server.fail(.answer("550 5.1.1 nobody here", to: "RCPT"))
            _ = try await home.store.enqueue([home.notice(["email"])], at: home.clock.now)
            _ = try await engine.deliverDue()
            let dead = try await home.store.deliveries(of: home.ada.id, in: .dead, limit: 10)
            #expect(dead.count == 1 && dead[0].lastError?.contains("550 5.1.1 nobody here") == true)
            #expect(try await home.states()["delivered"] == 4)
            let ids = server.mails.map { $0.text.split(separator: "Message-ID: ")[1].prefix { $0 != "\r\n" } }
            #expect(ids.count == 5 && Set(ids).count == 4, "the one that was cut off after the message came twice")
        }
        try await server.stop()
    }

    @Test func `the links to confirm an address are few a day`() async throws {
        let server = try await SMTPServer.start(.none)
        try await NotificationDatabase.with { home in
            try await RunningNotification.with(home, Self.environment(server)) { service in
                for number in 0..<10 {
                    let made = try await service.send(
                        .post, "/v1/channels", ["kind": "email", "target": .string("\(number)@example.com")],
                        as: home.ada)
                    #expect(made.status == 201)
                    let id = made.json["id"]?.string ?? ""
                    #expect(try await service.send(.delete, "/v1/channels/\(id)", as: home.ada).status == 204)
                }
                let more = try await service.send(
                    .post, "/v1/channels", ["kind": "email", "target": "victim@example.com"], as: home.ada)
                #expect(more.status == 422)
                #expect(try await service.send(.get, "/v1/channels", as: home.ada).items.isEmpty)
            }
        }
        try await server.stop()
    }
}

@Suite struct LinkTests {
    private let clock = TestClock()
    private var links: Links {
        Links(
            key: SymmetricKey(data: RunningNotification.linkKey), publicURL: "https://todo.example.com",
            now: { [clock] in clock.now })
    }

    private func token(_ action: LinkAction = .acknowledge) -> (token: String, claim: LinkClaim) {
        let (user, subject) = (UUID(), UUID())
        let url = links.url(action, of: user, about: subject)
        let expiry = (clock.now + action.lifetime).microsecondsSince1970 / 1_000_000
        return (
            String(url.split(separator: "?t=")[1]),
            LinkClaim(action: action, user: user, subject: subject, expiry: expiry)
        )
    }

    @Test(arguments: LinkAction.allCases) func `a link says what it was made for`(_ action: LinkAction) {
        let (text, claim) = token(action)
        #expect(links.read(text) == .valid(claim))
        #expect(text.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        clock.advance(action.lifetime - .seconds(1))
        #expect(links.read(text) == .valid(claim))
        clock.advance(.seconds(1))
        #expect(links.read(text) == .expired)
    }

    @Test func `one that was changed anywhere, cut or signed with another key is forged`() {
        let (text, _) = token()
        for place in text.indices {
            for other in ["A", "z", "-", "."] where String(text[place]) != other {
                var changed = text
                changed.replaceSubrange(place...place, with: other)
                #expect(links.read(changed) == .forged)
            }
        }
        for text in ["", "x", String(text.dropLast(4)), text + "AAAA", text + "=", "💥"] {
            #expect(links.read(text) == .forged, "\(text)")
        }
        let others = Links(
            key: SymmetricKey(size: .bits256), publicURL: "https://todo.example.com",
            now: { [clock] in clock.now })
        #expect(others.read(text) == .forged)
    }

    @Test func `one that was signed before a rotation is still taken, and new ones are signed with the new key`() {
        let (text, claim) = token()
        let key = SymmetricKey(size: .bits256)
        func links(_ key: SymmetricKey, previous: SymmetricKey?) -> Links {
            Links(key: key, previousKey: previous, publicURL: "https://todo.example.com", now: { [clock] in clock.now })
        }
        let rotated = links(key, previous: SymmetricKey(data: RunningNotification.linkKey))
        #expect(rotated.read(text) == .valid(claim))
        #expect(links(key, previous: nil).read(rotated.token(claim)) == .valid(claim))
    }
}
