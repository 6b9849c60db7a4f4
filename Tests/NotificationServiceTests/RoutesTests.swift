import FoundationEssentials
import HTTPTransport
import HTTPTypes
import ServiceRunning
import StructuredData
import Testing
import TodoModel
import TodoStore
import WebhookReceiver

@testable import NotificationService

@Suite(.timeLimit(.minutes(10))) struct RoutesTests {
    @Test func `from the event to the receiver, once, however often it comes`() async throws {
        try await WebhookReceiver.with { receiver in
            try await NotificationDatabase.with { home in
                try await RunningNotification.with(home) { service in
                    let made = try await service.send(
                        .post, "/v1/channels",
                        ["kind": "webhook", "target": .string("http://127.0.0.1:\(receiver.port)/")],
                        as: home.ada)
                    #expect(made.status == 201 && made.json["secret"]?.string?.hasPrefix("whsec_") == true)
                    #expect(made.headers[.location] == "/v1/channels/\(made.json["id"]?.string ?? "")")
                    let event = ReminderEvents.fired(of: home.ada, ["webhook", "in-app"])
                    for _ in 0..<3 { #expect(try await service.deliver([event, event]) == ["SUCCESS", "SUCCESS"]) }
                    try await eventually {
                        try await service.send(.get, "/v1/deliveries?state=delivered", as: home.ada).items.count == 2
                    }
                    #expect(receiver.received.count == 1)
                    let channels = try await service.send(.get, "/v1/channels", as: home.ada)
                    #expect(channels.items.count == 1 && !channels.text.contains("whsec_"), "the secret is told once")
                    #expect(try await service.send(.get, "/v1/deliveries", as: home.ben).items.isEmpty)
                    let metrics = try await service.send(.get, "/metrics").text
                    #expect(metrics.contains("todo_deliveries_enqueued_total 1"))
                }
            }
        }
    }

    @Test func `what cannot be read is dropped, what cannot be written now comes again`() async throws {
        try await NotificationDatabase.with { home in
            try await RunningNotification.with(home) { service in
                var nul = ReminderEvents.fired(of: home.ada, ["in-app"])
                nul.set("a\u{0}b", at: "data", "task", "title")
                var noUser = nul
                noUser.set(Optional.none, at: "data", "user")
                var noTime = ReminderEvents.fired(of: home.ada, ["in-app"])
                noTime.set("yesterday", at: "data", "reminder", "firedAt")
                var otherType = ReminderEvents.fired(of: home.ada, ["in-app"])
                otherType["type"] = "dev.todo-operator.reminder.snoozed"
                let good = ReminderEvents.fired(of: home.ada, ["in-app"])
                #expect(
                    try await service.deliver([noUser, "x", good, nul, noTime, otherType])
                        == ["DROP", "DROP", "SUCCESS", "DROP", "DROP", "SUCCESS"])
                #expect(try await service.send(.get, "/v1/deliveries", as: home.ada).items.count == 1)
                #expect(try await service.deliver([good], token: "wrong") == ["401"])
                try await home.psql("ALTER TABLE deliveries RENAME TO gone")
                #expect(try await service.deliver([ReminderEvents.fired(of: home.ada, ["in-app"])]) == ["RETRY"])
                try await home.psql("ALTER TABLE gone RENAME TO deliveries")
            }
        }
    }

    @Test func `a channel that is wrong is refused by name`() async throws {
        struct Public: AddressResolver {
            func addresses(of host: String) async throws -> [IPAddress] { [IPAddress("1.1.1.1")].compactMap(\.self) }
        }
        let wrong: [(JSON, String)] = [
            ([:], "kind"), (["kind": "pigeon", "target": "x"], "kind"), (["kind": "webhook"], "target"),
            (["kind": "webhook", "target": "http://example.com/"], "target"),
            (["kind": "webhook", "target": "https://a b/"], "target"),
            (["kind": "webhook", "target": "https://user:pw@example.com/"], "target"),
            (["kind": "webhook", "target": "javascript:alert(1)"], "target"),
            (["kind": "webhook", "target": 5], "target"),
            (["kind": "webhook", "target": "https://example.com/", "secret": "x"], "secret"),
            (["kind": "email", "target": "ada@example.com"], "kind"),
        ]
        try await NotificationDatabase.with { home in
            try await RunningNotification.with(home, resolver: Public()) { service in
                for (body, field) in wrong {
                    let answer = try await service.send(.post, "/v1/channels", body, as: home.ada)
                    #expect(answer.status == 422 && answer.fields.contains(field), "\(body): \(answer.text)")
                }
                let good: JSON = ["kind": "webhook", "target": "https://example.com/hook"]
                let first = try await service.send(.post, "/v1/channels", good, as: home.ada)
                #expect(first.status == 201)
                #expect(
                    try await service.send(.post, "/v1/channels", good, as: home.ada).status == 422,
                    "it is there already")
                for number in 2...NotificationChannel.limit {
                    let more: JSON = ["kind": "webhook", "target": .string("https://example.com/\(number)")]
                    #expect(try await service.send(.post, "/v1/channels", more, as: home.ada).status == 201)
                }
                let last: JSON = ["kind": "webhook", "target": "https://example.com/last"]
                #expect(try await service.send(.post, "/v1/channels", last, as: home.ada).status == 422, "one too many")
            }
            try await RunningNotification.with(home, ["TODO_WEBHOOK_ALLOW": ""]) { service in
                for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"] {
                    let body: JSON = ["kind": "webhook", "target": .string("https://\(host)/")]
                    let answer = try await service.send(.post, "/v1/channels", body, as: home.ben)
                    #expect(answer.status == 422 && answer.fields == ["target"], "\(host)")
                }
            }
        }
    }

    @Test func `channels are paused, tested, given a new secret and removed`() async throws {
        try await WebhookReceiver.with { receiver in
            try await NotificationDatabase.with { home in
                try await RunningNotification.with(home) { service in
                    let made = try await service.send(
                        .post, "/v1/channels",
                        ["kind": "webhook", "target": .string("http://127.0.0.1:\(receiver.port)/")],
                        as: home.ada
                    ).json
                    let path = "/v1/channels/\(made["id"]?.string ?? "")"
                    #expect(try await service.send(.post, "\(path)/test", as: home.ada).status == 202)
                    try await eventually { receiver.received.count == 1 }
                    #expect(receiver.received.first?.json["type"] == "channel.test")
                    let rotated = try await service.send(.post, "\(path)/secret", as: home.ada)
                    #expect(rotated.status == 200 && rotated.json["secret"] != made["secret"])
                    let paused = try await service.send(.patch, path, ["paused": true], as: home.ada)
                    #expect(paused.status == 200 && paused.json["pausedAt"]?.string != nil)
                    #expect(try await service.deliver([ReminderEvents.fired(of: home.ada, ["webhook"])]) == ["SUCCESS"])
                    #expect(try await service.send(.get, "/v1/deliveries?state=skipped", as: home.ada).items.count == 1)
                    #expect(try await service.send(.patch, path, [:], as: home.ada).status == 422)
                    #expect(
                        try await service.send(.patch, path, ["paused": false], as: home.ada).json["pausedAt"] == .null)
                    for (method, more) in [
                        (HTTPRequest.Method.get, ""), (.patch, ""), (.delete, ""), (.post, "/test"), (.post, "/secret"),
                    ] {
                        let body: JSON? = method == .patch ? ["paused": true] : Optional.none
                        #expect(
                            try await service.send(method, path + more, body, as: home.ben).status == 404, "\(method)")
                    }
                    #expect(try await service.send(.delete, path, as: home.ada).status == 204)
                    #expect(try await service.send(.get, path, as: home.ada).status == 404)
                }
            }
        }
    }

    @Test func `who is nobody gets in nowhere, nor does another site's page`() async throws {
        try await NotificationDatabase.with { home async throws in
            try await RunningNotification.with(home) { service async throws in
                for path in ["/v1/channels", "/v1/deliveries", "/v1/deliveries/x"] {
                    #expect(try await service.send(.get, path).status == 401)
                }
                let body: JSON = ["kind": "webhook", "target": "http://127.0.0.1:1/"]
                let cookie: HTTPFields = [.cookie: "todo_session=\(home.ada.id.text)"]
                #expect(try await service.send(.post, "/v1/channels", body, headers: cookie).status == 403)
                var foreign = cookie
                foreign[.origin] = "https://evil.example"
                #expect(try await service.send(.post, "/v1/channels", body, headers: foreign).status == 403)
                var own = cookie
                own[.origin] = "http://127.0.0.1:\(service.port)"
                #expect(try await service.send(.post, "/v1/channels", body, headers: own).status == 201)
                #expect(try await service.send(.get, "/v1/channels", headers: cookie).status == 200)
            }
        }
    }

    @Test func `deliveries come in pages, and dead ones are replayed`() async throws {
        try await WebhookReceiver.with { receiver in
            try await NotificationDatabase.with { home in
                try await RunningNotification.with(home) { service in
                    receiver.answer(.gone)
                    let target: JSON = .string("http://127.0.0.1:\(receiver.port)/")
                    let made = try await service.send(
                        .post, "/v1/channels", ["kind": "webhook", "target": target], as: home.ada)
                    #expect(try await service.deliver([ReminderEvents.fired(of: home.ada, ["webhook"])]) == ["SUCCESS"])
                    try await eventually {
                        try await service.send(.get, "/v1/deliveries?state=dead", as: home.ada).items.count == 1
                    }
                    let dead = try await service.send(.get, "/v1/deliveries?state=dead", as: home.ada).items[0]
                    #expect(dead["lastError"]?.string?.contains("410") == true && dead["title"] == "Water the plants")
                    let path = "/v1/deliveries/\(dead["id"]?.string ?? "")/replay"
                    #expect(try await service.send(.post, path, as: home.ada).status == 422, "its channel is paused")
                    receiver.answer(.ok)
                    let channel = "/v1/channels/\(made.json["id"]?.string ?? "")"
                    #expect(try await service.send(.patch, channel, ["paused": false], as: home.ada).status == 200)
                    #expect(try await service.send(.post, path, as: home.ben).status == 404)
                    #expect(try await service.send(.post, path, as: home.ada).status == 202)
                    try await eventually { receiver.received.count == 2 }
                    #expect(Set(receiver.received.map(\.id)) == [dead["id"]?.string])
                    _ = try await service.deliver((0..<4).map { _ in ReminderEvents.fired(of: home.ada, ["in-app"]) })
                    var (seen, cursor) = ([String](), "")
                    repeat {
                        let page = try await service.send(.get, "/v1/deliveries?limit=2\(cursor)", as: home.ada)
                        seen += page.items.compactMap { $0["id"]?.string }
                        cursor = page.json["nextCursor"]?.string.map { "&cursor=\($0)" } ?? ""
                    } while !cursor.isEmpty
                    #expect(seen.count == 5 && Set(seen).count == 5)
                    for query in ["state=x", "limit=0", "limit=201", "cursor=x"] {
                        #expect(
                            try await service.send(.get, "/v1/deliveries?\(query)", as: home.ada).status == 400,
                            "\(query)")
                    }
                }
            }
        }
    }

    @Test func `the document lists every route, and answers are as it says`() async throws {
        try await NotificationDatabase.with { home in
            try await RunningNotification.with(home) { service in
                let document = try await service.send(.get, "/openapi.json").json
                var names: [String] = []
                for (path, item) in document["paths"]?.object ?? [:] {
                    for (method, operation) in item.object ?? [:] {
                        names.append(operation["operationId"]?.string ?? "")
                        let verb = try #require(HTTPRequest.Method(method.uppercased()))
                        let place = path.replacing("{id}", with: UUID().uuidString)
                        let answer = try await service.send(verb, place)
                        let expected = path.hasPrefix("/v1/notifications") ? 400 : 401
                        #expect(answer.status == expected, "\(method) \(path)")
                        let references = operation.text.matches(of: /schemas\/([A-Za-z]+)/).map { String($0.1) }
                        for name in references { #expect(document.at("components", "schemas", name) != nil, "\(name)") }
                    }
                }
                #expect(names.count == 18 && Set(names).count == 18)
                let made = try await service.send(
                    .post, "/v1/channels", ["kind": "webhook", "target": "http://127.0.0.1:1/"], as: home.ada
                ).json
                let members = document.at("components", "schemas", "NewChannel", "properties")?.object?.keys ?? []
                #expect(Set(made.object?.keys ?? []) == Set(members))
                _ = try await service.deliver([ReminderEvents.fired(of: home.ada, ["in-app"])])
                let delivery = try await service.send(.get, "/v1/deliveries", as: home.ada).items[0]
                let known = document.at("components", "schemas", "Delivery", "properties")?.object?.keys ?? []
                #expect(Set(delivery.object?.keys ?? []) == Set(known))
            }
        }
    }
}

@Suite struct ConfigurationTests {
    private let least = RunningNotification.environment("postgresql://u:s3cret@h/d")

    @Test func `the rest has defaults`() throws {
        let plain = try NotificationServiceConfiguration(environment: least.merging(["PORT": ""]) { $1 })
        #expect(plain.port == 8080 && plain.mail == nil && plain.publicURL == "https://todo.example.com")
        let mail = try NotificationServiceConfiguration(
            environment: least.merging([
                "TODO_SMTP_HOST": "smtp", "TODO_SMTP_TLS": "implicit", "TODO_SMTP_FROM": "Todo <todo@example.com>",
            ]) { $1 }
        ).mail
        #expect(mail?.server.port == 465 && mail?.from == .init(name: "Todo", address: "todo@example.com"))
    }

    @Test(arguments: [
        ["DATABASE_URI": ""], ["TODO_API_URL": ""], ["TODO_PUBLIC_URL": ""], ["TODO_PUBLIC_URL": "todo.example.com"],
        ["TODO_LINK_KEY": ""], ["TODO_LINK_KEY": "c2hvcnQ="], ["TODO_WEBHOOK_ALLOW": "10.0.0.0/8,nonsense"],
        ["TODO_SMTP_FROM": "", "TODO_SMTP_HOST": "smtp"],
        ["TODO_SMTP_FROM": "nobody", "TODO_SMTP_HOST": "smtp"],
        ["TODO_SMTP_PORT": "0", "TODO_SMTP_HOST": "smtp", "TODO_SMTP_FROM": "a@b"],
        ["TODO_SMTP_TLS": "maybe", "TODO_SMTP_HOST": "smtp", "TODO_SMTP_FROM": "a@b"],
        ["TODO_SMTP_USERNAME": "u", "TODO_SMTP_HOST": "smtp", "TODO_SMTP_FROM": "a@b", "TODO_SMTP_TLS": "none"],
        ["TODO_SMTP_PASSWORD": "", "TODO_SMTP_USERNAME": "u", "TODO_SMTP_HOST": "smtp", "TODO_SMTP_FROM": "a@b"],
        ["TODO_SMTP_CA_FILE": "/none", "TODO_SMTP_HOST": "smtp", "TODO_SMTP_FROM": "a@b"], ["PORT": "70000"],
    ])
    func `a variable that cannot be used is named, without secrets`(_ wrong: [String: String]) throws {
        let error = try #require(
            #expect(throws: EnvironmentError.self) {
                try NotificationServiceConfiguration(environment: least.merging(wrong) { $1 })
            })
        #expect(wrong.keys.contains(error.variable) && !error.description.contains("s3cret"), "\(error)")
    }
}
