import Concurrency
import Foundation
import HTTPTypes
import SMTPServer
import StructuredData
import Testing
import WebhookReceiver

/// People who are reminded on the page, by a webhook and by mail.
final class RemindedPeople: Sendable {
    private let people: [RemindedPerson]
    private let receiver: WebhookReceiver
    private let mail: SMTPServer

    private init(_ people: [RemindedPerson], _ receiver: WebhookReceiver, _ mail: SMTPServer) {
        self.people = people
        self.receiver = receiver
        self.mail = mail
    }

    private var titles: Int { people.reduce(0) { $0 + $1.titles.count } }

    /// With accounts of their own, and channels that are confirmed.
    static func signUp(
        _ count: Int, at site: String, receiver: WebhookReceiver, mail: SMTPServer
    ) async throws -> RemindedPeople {
        let people = try await withThrowingTaskGroup(of: RemindedPerson.self) { group in
            for number in 0..<count {
                group.addTask {
                    let person = RemindedPerson(try await .signUp("person-\(number)", at: site))
                    try await person.addChannels(receiver, mail)
                    return person
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return RemindedPeople(people, receiver, mail)
    }

    /// So many in all, of which nobody is reminded yet.
    func makeTasks(_ count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, person) in people.enumerated() {
                let portion = Array(stride(from: number, to: count, by: people.count)).count
                group.addTask { try await person.makeTasks(portion) }
            }
            try await group.waitForAll()
        }
    }

    /// One reminder at each moment, of a task of its own: as many as were made.
    func remind(at moments: [Date]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, person) in people.enumerated() {
                let portion = stride(from: number, to: moments.count, by: people.count).map { moments[$0] }
                group.addTask { try await person.remind(at: portion) }
            }
            try await group.waitForAll()
        }
    }

    /// Waits until all have come; then each has fired once, is recorded once, and came with one id.
    func expectEachOnce(on site: TodoUp) async throws {
        let start = ContinuousClock.now
        _ = try await eventually(
            within: .seconds(180),
            """
            \(titles) webhooks and mails; came: \(Set(receiver.received.map(\.id)).count), \
            \(Set(mail.mails.map(\.messageID)).count - people.count); \(site.process.output.suffix(2000))
            """
        ) { () -> Bool? in
            guard receiver.received.count >= titles, mail.mails.count >= titles + people.count else { return nil }
            return Set(receiver.received.map(\.id)).count >= titles
                && Set(mail.mails.map(\.messageID)).count >= titles + people.count ? true : nil
        }
        for person in people { try await person.expectEachOnce(receiver.received, mail.mails) }
        print(
            "reminder kill test: \(titles) reminders; \(receiver.received.count - titles) webhooks and",
            "\(mail.mails.count - titles - people.count) mails came again, with the same id; all was there",
            (ContinuousClock.now - start).inSeconds, "after the last kill")
    }
}

private final class RemindedPerson: Sendable {
    private let user: APIUser
    private let tasks = Lock<[(id: String, title: String)]>([])

    init(_ user: APIUser) { self.user = user }

    /// Of the tasks that they are reminded of, each once; nobody else has a task of that title.
    var titles: [String] { tasks.withLock { $0.map { $0.title } } }

    private var path: String { "/\(user.id)" }

    /// A webhook, and an address, confirmed by the link in the mail that comes.
    func addChannels(_ receiver: WebhookReceiver, _ mail: SMTPServer) async throws {
        let hook = "http://127.0.0.1:\(receiver.port)\(path)"
        try await user.insist(.post, "/v1/channels", ["kind": "webhook", "target": .string(hook)])
        try await user.insist(.post, "/v1/channels", ["kind": "email", "target": .string(user.email)])
        let link = try await eventually("the mail that asks \(user.email)") {
            mail.mails.first { $0.to == user.email }?.link("Confirm")
        }
        let confirmed = try await Command.run("curl", ["-sf", "-X", "POST", link])
        #expect(confirmed.status == 0, "\(confirmed)")
    }

    func makeTasks(_ count: Int) async throws {
        let titles = (0..<count).map { "\(user.email) \($0)" }
        let operations = titles.map { title -> JSON in ["op": "create", "task": ["title": .string(title)]] }
        let answer = try await user.insist(.post, "/v1/tasks/bulk", ["operations": .array(operations)])
        let ids = (answer["results"]?.array ?? []).compactMap { $0.at("task", "id")?.string }
        try #require(ids.count == count, "\(answer.text)")
        tasks.withLock { $0 = zip(ids, titles).map { (id: $0, title: $1) } }
    }

    func remind(at moments: [Date]) async throws {
        for (task, moment) in zip(tasks.withLock { $0 }, moments) {
            try await user.insist(.post, "/v1/tasks/\(task.id)/reminders", ["at": .string(moment.text)])
        }
    }

    func expectEachOnce(_ hooks: [WebhookReceiver.Hook], _ mails: [SMTPServer.Mail]) async throws {
        let fired = try await user.list("/v1/reminders?state=fired&limit=200").map { $0["title"]?.string ?? "" }
        #expect(fired.sorted() == titles.sorted(), "each has fired once")
        for state in ["pending", "expired", "cancelled"] {
            #expect(try await user.list("/v1/reminders?state=\(state)&limit=200").isEmpty, "\(state)")
        }
        let rows = try await eventually(within: .seconds(60), "all is written down, of \(user.email)") {
            let rows = try await deliveries()
            return rows.allSatisfy { $0["state"] == "delivered" } ? rows : nil
        }
        let ids = Dictionary(grouping: rows) { "\($0["kind"]?.string ?? "")/\($0["title"]?.string ?? "")" }
            .mapValues { rows in rows.map { $0["id"]?.string ?? "" } }
        #expect(
            Set(ids.keys) == Set(["in-app", "webhook", "email"].flatMap { kind in titles.map { "\(kind)/\($0)" } }))
        #expect(ids.values.allSatisfy { $0.count == 1 }, "recorded twice: \(ids.filter { $1.count > 1 })")

        let own = hooks.filter { $0.path == path }
        expect(own.map { ($0.json.at("data", "task", "title")?.string ?? "", $0.id) }, haveOneID: ids, of: "webhook")
        let bodies = Dictionary(grouping: own, by: \.id).values.map { Set($0.map(\.body)).count }
        #expect(bodies.allSatisfy { $0 == 1 }, "the same id is the same message")
        let letters = mails.filter { $0.to == user.email && titles.contains($0.subject) }
        expect(
            letters.map { ($0.subject, String($0.messageID.prefix { $0 != "@" })) }, haveOneID: ids, of: "email")
    }

    private func deliveries() async throws -> [JSON] {
        try await user.list("/v1/deliveries?limit=200").filter { $0["purpose"] == "reminder" }
    }

    /// What came about each task is what is recorded of it.
    private func expect(_ came: [(title: String, id: String)], haveOneID ids: [String: [String]], of kind: String) {
        let found = Dictionary(grouping: came, by: \.title).mapValues { Set($0.map(\.id)) }
        for title in Set(titles).union(found.keys) where found[title] != Set(ids["\(kind)/\(title)"] ?? []) {
            Issue.record(
                "\(kind) about \(title): came \(found[title] ?? []), recorded \(ids["\(kind)/\(title)"] ?? [])")
        }
    }
}
