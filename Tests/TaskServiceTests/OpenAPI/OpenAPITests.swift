import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

/// Tests made of the document that the service serves: what it lists is there, and keeps what it promises.
@Suite(.serialized, .timeLimit(.minutes(10))) struct OpenAPITests {
    private func document(_ service: RunningService) async throws -> ServedDocument {
        ServedDocument(try await service.send(.get, "/v1/openapi.json", token: nil).json)
    }

    private func method(_ operation: ServedDocument.Operation) throws -> HTTPRequest.Method {
        try #require(HTTPRequest.Method(operation.method))
    }

    /// Those of the pages behind links in mails, which are let in by what is signed in the link.
    private func isLink(_ operation: ServedDocument.Operation) -> Bool {
        operation.path.hasPrefix("/v1/notifications/")
    }

    /// `RunningService.send` compares each answer with the document.
    @Test func `every operation does what it is for, and answers as the document says`() async throws {
        try await Installation.with { installation in
            let service = installation.api
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            _ = try await service.person("eve")
            let document = try await installation.document()
            // What ends something comes last.
            let ends = ["delete", "remove", "signOut", "erase", "undo"]
            let operations = document.operations.filter { !isLink($0) }.sorted { one, other in
                func rank(_ name: String) -> Int { ends.firstIndex { name.hasPrefix($0) } ?? -1 }
                return rank(one.name) < rank(other.name)
            }
            #expect(operations.count >= 55 && Set(operations.map(\.name)).count == operations.count)
            for operation in operations {
                let isNotified = ["/v1/channels", "/v1/deliveries"].contains { operation.path.hasPrefix($0) }
                let things =
                    isNotified
                    ? try await Belongings.of(ada, sharedWith: ben, as: "editor", in: installation)
                    : try await Belongings.of(ada, sharedWith: ben, as: "editor")
                let person = ["signOut", "eraseMe"].contains(operation.name) ? ben : ada
                let token = operation.scope == "audit:export" ? RunningService.token : person.token
                let answer = try await service.send(
                    method(operation), things.path(operation), things.body(operation), token: token)
                if operation.name == "eraseMe" {
                    #expect(answer.status == 401, "the session is over")
                } else {
                    #expect((200..<300).contains(answer.status), "\(operation.name): \(answer.text)")
                }
            }
            let gone = try await ada.send(.post, "/v1/me/erase", ["password": .string(RunningService.password)])
            #expect(gone.status == 204, "\(gone.text)")
            #expect(try await ada.send(.get, "/v1/me").status == 401)
        }
    }

    @Test func `nobody gets at what is another's`() async throws {
        try await Installation.with { installation in
            let service = installation.api
            let (ada, ben, eve) = (
                try await service.person("ada"), try await service.person("ben"), try await service.person("eve")
            )
            let things = try await Belongings.of(ada, sharedWith: ben, as: "editor", in: installation)
            let about = "?subject=\(things.task)"
            try await service.eventually(.get, "/v1/audit\(about)", token: ada.token) {
                $0.text.contains("confidential")
            }
            let before = try await ada.send(.get, "/v1/me/export").json
            let secrets = [
                things.task, things.project, things.filter, things.token, things.reminder, things.planned,
                "confidential",
                things.channel, things.delivery, ada.id, ben.id,
            ]
            var asked = 0
            for operation in try await installation.document().operations where !operation.isForAll {
                guard !["eraseMe", "signOut"].contains(operation.name) else { continue }
                let path = things.path(operation) + (operation.name == "listAudit" ? about : "")
                let answer = try await eve.send(method(operation), path, things.body(operation))
                asked += 1
                if operation.path.contains("{id}") || operation.path.contains("{name}") {
                    #expect(answer.status == 404, "\(operation.name): \(answer.text)")
                } else if operation.scope == "audit:export" {
                    #expect(answer.status == 403, "\(operation.name): \(answer.text)")
                }
                for secret in secrets {
                    #expect(!answer.text.contains(secret), "\(operation.name): \(answer.text)")
                }
            }
            #expect(asked >= 50)
            for write in Self.writes(into: things) {
                let answer = try await eve.send(write.method, write.path, write.body)
                #expect(write.strangers.contains(answer.status), "\(write): \(answer.text)")
            }
            var after = try await ada.send(.get, "/v1/me/export").json
            after["tokens"] = before["tokens"]
            #expect(after == before, "nothing of Ada's has changed")
        }
    }

    private struct Write {
        let method: HTTPRequest.Method
        let path: String
        let body: JSON
        /// What somebody gets who cannot see the project.
        let strangers: [Int]
    }

    /// Writes into a project that do not name it, or what is in it, in their path.
    private static func writes(into things: Belongings) -> [Write] {
        let (project, task) = (JSON.string(things.project), JSON.string(things.task))
        func bulk(_ operation: JSON) -> Write {
            Write(
                method: .post, path: "/v1/tasks/bulk", body: ["mode": "atomic", "operations": [operation]],
                strangers: [404, 422])
        }
        return [
            Write(method: .post, path: "/v1/tasks", body: ["title": "x", "project": project], strangers: [422]),
            Write(method: .post, path: "/v1/tasks", body: ["title": "x", "parent": task], strangers: [422]),
            bulk(["op": "create", "task": ["title": "x", "project": project]]),
            bulk(["op": "update", "id": task, "patch": ["title": "x"]]),
            bulk(["op": "complete", "id": task]), bulk(["op": "reopen", "id": task]),
            bulk(["op": "delete", "id": task]), bulk(["op": "restore", "id": task]),
            bulk(["op": "move", "id": task, "move": ["before": nil]]),
            Write(
                method: .post, path: "/v1/undo", body: ["operation": .string(things.operation)], strangers: [410]),
        ]
    }

    @Test func `a viewer looks, and changes nothing`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            _ = try await service.person("eve")
            let things = try await Belongings.of(ada, sharedWith: ben, as: "viewer")
            let before = try await ada.send(.get, "/v1/me/export").json
            var (reads, writes) = (0, 0)
            for operation in try await document(service).operations where operation.path.contains("{id}") {
                guard ["/v1/tasks", "/v1/projects"].contains(where: { operation.path.hasPrefix($0) }) else { continue }
                let path = things.path(operation).replacing(ben.id, with: ada.id)
                let answer = try await ben.send(method(operation), path, things.body(operation))
                if operation.scope == "tasks:read" {
                    reads += 1
                    #expect(answer.status == 200, "\(operation.name): \(answer.text)")
                } else if operation.name == "createReminder" {
                    #expect(answer.status == 201, "a reminder is one's own: \(answer.text)")
                } else {
                    writes += 1
                    #expect(answer.status == 403, "\(operation.name): \(answer.text)")
                }
            }
            #expect(reads >= 3 && writes >= 11)
            for write in Self.writes(into: things) where write.path != "/v1/undo" {
                let answer = try await ben.send(write.method, write.path, write.body)
                #expect(answer.status == 403, "\(write): \(answer.text)")
            }
            // Of one's own, moved into the project.
            let own = try await ben.make("/v1/tasks", ["title": "own"]).id
            for body in [["project": .string(things.project)], ["parent": .string(things.task)]] as [JSON] {
                let answer = try await ben.send(.post, "/v1/tasks/\(own)/move", body)
                #expect([403, 422].contains(answer.status), "\(body): \(answer.text)")
                let patch = try await ben.send(.patch, "/v1/tasks/\(own)", body)
                #expect([403, 422].contains(patch.status), "\(body): \(patch.text)")
            }
            #expect(try await ben.send(.post, "/v1/undo", ["operation": .string(things.operation)]).status == 410)
            #expect(try await ben.send(.delete, "/v1/tags/mine").status == 404)
            #expect(try await ada.send(.get, "/v1/me/export").json == before, "nothing of Ada's has changed")
        }
    }

    /// An editor who is made a viewer may not take back what they did before.
    @Test func `who may no longer write may not undo`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let things = try await Belongings.of(ada, sharedWith: ben, as: "editor")
            let done = try await ben.send(.post, "/v1/tasks/\(things.task)/complete")
            let operation = done.headers.first { $0.name.canonicalName == "todo-operation" }?.value ?? ""
            #expect(done.status == 200 && !operation.isEmpty)
            let demoted = try await ada.send(
                .patch, "/v1/projects/\(things.project)/members/\(ben.id)", ["role": "viewer"])
            #expect(demoted.status == 200)
            let undo = try await ben.send(.post, "/v1/undo", ["operation": .string(operation)])
            #expect(undo.status == 403, "\(undo.text)")
            #expect(try await ada.send(.get, "/v1/tasks/\(things.task)").json["status"] == "done")
        }
    }

    @Test func `without a token nobody gets in, and with one only where its scopes reach`() async throws {
        try await Installation.with { installation in
            let service = installation.api
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let things = try await Belongings.of(ada, sharedWith: ben, as: "viewer", in: installation)
            for scope in ["tasks:read", "tasks:write", "account"] {
                let token = try await ada.make("/v1/tokens", ["name": "x", "scopes": [.string(scope)]])["token"]?.string
                for operation in try await installation.document().operations where !operation.isForAll {
                    let (path, body) = (things.path(operation), things.body(operation))
                    let none = try await service.send(method(operation), path, body, token: nil)
                    #expect(none.status == 401, "\(operation.name)")
                    guard operation.scope != scope else { continue }
                    let wrong = try await service.send(method(operation), path, body, token: token)
                    #expect(wrong.status == 403, "\(operation.name) with \(scope): \(wrong.text)")
                }
            }
        }
    }

    @Test func `each member that is wrong is refused by name`() async throws {
        let wrong: [JSON] = [
            nil, true, 5, -1, 1.5, "", " ", "\u{0}", "line\nbreak", "💥", .string(String(repeating: "a", count: 30_000)),
            [],
            [nil], [5], ["a b"], [[]], [:], ["x": 1], ["date": "2026-02-30"], ["date": "2026-01-01", "time": "24:00"],
            ["date": "2026-01-01", "zone": "Europe/Berlin"],
            ["date": "2026-01-01", "time": "10:00", "zone": "Mars/Olympus"],
        ]
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let things = try await Belongings.of(ada, sharedWith: ben, as: "viewer")
            let document = try await document(service)
            var count = 0
            for operation in document.operations {
                guard let reference = operation.bodySchema else { continue }
                let schema = document.validator.resolve(reference)
                let good = things.body(operation) ?? [:]
                var bodies: [(field: String, body: JSON)] = []
                for (name, rule) in schema["properties"]?.object ?? [:] where rule["readOnly"] != true {
                    for value in wrong where !document.validator.problems(value, rule).isEmpty {
                        var body = good
                        body[name] = .some(value)
                        bodies.append((name, body))
                    }
                }
                for name in (schema["required"]?.array ?? []).compactMap(\.string) {
                    var body = good
                    body[name] = Optional.none
                    bodies.append((name, body))
                }
                var unknown = good
                unknown["nonsense"] = 1
                bodies.append(("nonsense", unknown))
                for (field, body) in bodies {
                    let answer = try await ada.send(method(operation), things.path(operation), body)
                    let names = (answer.json["errors"]?.array ?? []).compactMap { $0["field"]?.string }
                    // A bulk write in mode `each` tells of an operation in its place.
                    if operation.name == "writeTasks", answer.status == 200 { continue }
                    #expect(
                        answer.status == 422
                            && names.contains { $0 == field || $0.hasPrefix("\(field).") || $0.hasPrefix("\(field)[") },
                        "\(operation.name) \(field): \(body.text.prefix(200)) got \(answer.status) \(answer.text)")
                    count += 1
                }
            }
            #expect(count > 500)
        }
    }

    @Test func `every path refuses the methods that it does not know`() async throws {
        try await RunningService.with { service in
            let document = try await document(service)
            for path in Set(document.operations.map(\.path)) {
                let known = document.operations.filter { $0.path == path }.map(\.method)
                for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] where !known.contains(method) {
                    // What another template of the same shape takes is not refused.
                    guard document.operation(method, path) == nil else { continue }
                    let answer = try await service.send(
                        try #require(HTTPRequest.Method(method)), path.replacing("{", with: "").replacing("}", with: "")
                    )
                    #expect(answer.status == 405, "\(method) \(path)")
                    let allowed = answer.headers[.allow]?.split(separator: ", ").map(String.init) ?? []
                    #expect(Set(allowed).subtracting(["HEAD"]) == Set(known), "\(path)")
                }
            }
        }
    }

    @Test func `every type of event has a schema`() async throws {
        try await RunningService.with { service in
            let types = try await service.send(.get, "/v1/events/schemas", token: nil).json["items"]?.array ?? []
            #expect(types.count == 25)
            for type in types {
                let schema = try await service.send(.get, type["schema"]?.string ?? "", token: nil)
                #expect(schema.status == 200 && schema.json["title"] == type["type"])
            }
            #expect(try await service.send(.get, "/v1/events/schemas/none", token: nil).status == 404)
        }
    }
}
