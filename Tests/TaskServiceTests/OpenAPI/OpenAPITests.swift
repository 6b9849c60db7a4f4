import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

/// Tests made of the document that the service serves: what it lists is there, and keeps what it promises.
@Suite(.serialized, .timeLimit(.minutes(3))) struct OpenAPITests {
    private func document(_ service: RunningService) async throws -> ServedDocument {
        ServedDocument(try await service.send(.get, "/v1/openapi.json", token: nil).json)
    }

    private func method(_ operation: ServedDocument.Operation) throws -> HTTPRequest.Method {
        try #require(HTTPRequest.Method(operation.method))
    }

    /// `RunningService.send` compares each answer with the document.
    @Test func `every operation does what it is for, and answers as the document says`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            _ = try await service.person("eve")
            let document = try await document(service)
            // What ends something comes last.
            let ends = ["delete", "remove", "signOut", "erase", "undo"]
            let operations = document.operations.sorted { one, other in
                func rank(_ name: String) -> Int { ends.firstIndex { name.hasPrefix($0) } ?? -1 }
                return rank(one.name) < rank(other.name)
            }
            #expect(operations.count >= 42 && Set(operations.map(\.name)).count == operations.count)
            for operation in operations {
                let things = try await Belongings.of(ada, sharedWith: ben, as: "editor")
                let person = ["signOut", "eraseMe"].contains(operation.name) ? ben : ada
                let answer = try await person.send(
                    method(operation), things.path(operation), things.body(operation))
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
        try await RunningService.with { service in
            let (ada, ben, eve) = (
                try await service.person("ada"), try await service.person("ben"), try await service.person("eve")
            )
            let things = try await Belongings.of(ada, sharedWith: ben, as: "editor")
            let before = try await ada.send(.get, "/v1/me/export").json
            let secrets = [
                things.task, things.project, things.filter, things.token, things.reminder, things.planned, "secret",
                ada.id,
                ben.id,
            ]
            for operation in try await document(service).operations where !operation.isForAll {
                guard !["eraseMe", "signOut"].contains(operation.name) else { continue }
                let answer = try await eve.send(
                    method(operation), things.path(operation), things.body(operation))
                if operation.path.contains("{id}") || operation.path.contains("{name}") {
                    #expect(answer.status == 404, "\(operation.name): \(answer.text)")
                }
                for secret in secrets {
                    #expect(!answer.text.contains(secret), "\(operation.name): \(answer.text)")
                }
            }
            for body in [["project": .string(things.project)], ["parent": .string(things.task)]] as [JSON] {
                var draft = body
                draft["title"] = "x"
                #expect(try await eve.send(.post, "/v1/tasks", draft).status == 422)
            }
            var after = try await ada.send(.get, "/v1/me/export").json
            after["tokens"] = before["tokens"]
            #expect(after == before, "nothing of Ada's has changed")
        }
    }

    @Test func `a viewer looks, and changes nothing`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            _ = try await service.person("eve")
            let things = try await Belongings.of(ada, sharedWith: ben, as: "viewer")
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
            #expect(try await ben.send(.delete, "/v1/tags/mine").status == 404)
        }
    }

    @Test func `without a token nobody gets in, and with one only where its scopes reach`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let things = try await Belongings.of(ada, sharedWith: ben, as: "viewer")
            for scope in ["tasks:read", "tasks:write", "account"] {
                let token = try await ada.make("/v1/tokens", ["name": "x", "scopes": [.string(scope)]])["token"]?.string
                for operation in try await document(service).operations where !operation.isForAll {
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
            #expect(types.count == 24)
            for type in types {
                let schema = try await service.send(.get, type["schema"]?.string ?? "", token: nil)
                #expect(schema.status == 200 && schema.json["title"] == type["type"])
            }
            #expect(try await service.send(.get, "/v1/events/schemas/none", token: nil).status == 404)
        }
    }
}
