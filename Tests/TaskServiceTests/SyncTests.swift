import HTTPTransport
import HTTPTypes
import PostgresServer
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct SyncTests {
    @Test func `a client that was away asks for what changed`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let first = try await ada.send(.get, "/v1/changes").json
            #expect(first["items"]?[0]?["project"]?["isInbox"] == true && first["more"] == false)
            let cursor = try #require(first["cursor"]?.string)
            #expect(cursor == "\(ada.id):1")
            let task = try await ada.make("/v1/tasks", ["title": "x"])
            _ = try await ada.send(.delete, "/v1/tasks/\(task.id)")
            let next = try await ada.send(.get, "/v1/changes?after=\(cursor)").json
            #expect(next["items"]?.array?.count == 1 && next["items"]?[0]?["deleted"] == true)
            #expect(next["items"]?[0]?["task"]?.id == task.id && next["cursor"]?.string == "\(ada.id):3")
            #expect(try await ada.send(.get, "/v1/changes?after=nonsense").status == 400)
            #expect(try await ada.send(.get, "/v1/changes?after=\(ada.id):4").status == 410)
            let now = try await ada.send(.get, "/v1/changes?after=now").json
            #expect(now["items"] == [] && now["more"] == false)
            #expect(now["cursor"] == next["cursor"])
        }
    }

    @Test func `a client that waits is answered by the next change`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let cursor = try #require(try await ada.send(.get, "/v1/changes").json["cursor"]?.string)
            let clock = ContinuousClock()
            let start = clock.now
            async let waiting = ada.send(.get, "/v1/changes?wait=25&after=\(cursor)")
            let task = try await ada.make("/v1/tasks", ["title": "x"])
            #expect(try await waiting.json["items"]?[0]?["id"]?.string == task.id)
            #expect(start.duration(to: clock.now) < .seconds(20))
            let empty = try await ada.send(.get, "/v1/changes?wait=1&after=\(ada.id):2")
            #expect(empty.status == 200 && empty.json["items"] == [])
        }
    }

    @Test func `those who wait cost nothing while others write`() async throws {
        let server = try await PostgresServer.shared()
        let uri = try await RunningService.database(on: server)
        let name = try #require(uri.split(separator: "/").last.map { String($0.prefix { $0 != "?" }) })
        func transactions() async throws -> Int {
            let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '\(name)'"
            return Int(try await server.psql(sql)) ?? 0
        }
        var before = 0
        try await RunningService.with(database: uri) { service in
            var people: [Person] = []
            for name in ["ada", "eve", "fay", "gil", "hal"] { people.append(try await service.person(name)) }
            let ben = try await service.person("ben")
            before = try await transactions()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in people {
                    for _ in 0..<10 {
                        group.addTask {
                            let answer = try await person.send(.get, "/v1/changes?wait=4&after=\(person.id):1")
                            #expect(answer.status == 200 && answer.json["items"] == [], "\(answer.text)")
                        }
                    }
                }
                group.addTask {
                    let end = ContinuousClock.now + .seconds(3)
                    for n in 0..<100 where ContinuousClock.now < end {
                        _ = try await ben.make("/v1/tasks", ["title": .string("\(n)")])
                    }
                }
                try await group.waitForAll()
            }
        }
        // Read when the service's connections are closed, which is when they have told all. 100 are writes; to wake all 50
        // at each look would be 600 more.
        let cost = try await transactions() - before
        #expect(cost < 400, "\(cost) transactions")
    }

    @Test func `one token does not wait more than ten times at once`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let statuses = try await withThrowingTaskGroup(of: RunningService.Answer.self) { group in
                for _ in 0..<14 {
                    group.addTask { try await ada.send(.get, "/v1/changes?wait=25&after=\(ada.id):1") }
                }
                group.addTask { try await ben.send(.get, "/v1/changes?wait=1&after=\(ben.id):1") }
                var counts: [Int: Int] = [:]
                for try await answer in group {
                    counts[answer.status, default: 0] += 1
                    #expect(answer.status != 429 || answer.headers[.retryAfter] == "1")
                    guard answer.status == 429, counts[429] == 4 else { continue }
                    // The others wait until there is a change; one that was refused, too, would be so by then.
                    try await Task.sleep(for: .milliseconds(300))
                    _ = try await ada.make("/v1/tasks", ["title": "x"])
                }
                return counts
            }
            #expect(statuses == [200: 11, 429: 4])
            #expect(try await ada.send(.get, "/v1/changes?wait=1&after=\(ada.id):1").status == 200)
        }
    }

    @Test func `who waits here hears of what another process writes, and of what is shared with them`() async throws {
        let uri = try await RunningService.database()
        try await RunningService.with(database: uri) { service in
            try await RunningService.with(database: uri) { other in
                let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
                let there = Person(service: other, email: ada.email, id: ada.id, token: ada.token)
                let cursor = try #require(try await ben.send(.get, "/v1/changes").json["cursor"]?.string)
                let start = ContinuousClock.now
                async let own = ada.send(.get, "/v1/changes?wait=25&after=\(ada.id):1")
                async let shared = ben.send(.get, "/v1/changes?wait=25&after=\(cursor)")
                try await Task.sleep(for: .milliseconds(300))
                let project = try await there.make("/v1/projects", ["name": "Home"]).id
                #expect(try await own.json["items"]?[0]?["id"]?.string == project)
                _ = try await there.make(
                    "/v1/projects/\(project)/members", ["email": .string(ben.email), "role": "viewer"])
                #expect(try await shared.json["items"]?[0]?["id"]?.string == project)
                #expect(start.duration(to: .now) < .seconds(20), "neither waited to the end")
            }
        }
    }

    @Test func `a repeated POST makes one task`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let key = HTTPField.Name("Idempotency-Key")!
            let answers = try await withThrowingTaskGroup(of: RunningService.Answer.self) { group in
                for _ in 0..<5 {
                    group.addTask { try await ada.send(.post, "/v1/tasks", ["title": "once"], headers: [key: "k1"]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.map(\.text)).count == 1 && answers.allSatisfy { $0.status == 201 })
            #expect(Set(answers.map { $0.headers[.location] }).count == 1)
            let replayed = HTTPField.Name("Idempotency-Replayed")!
            #expect(answers.count { $0.headers[replayed] == "true" } == 4)
            #expect(try await ada.titles() == ["once"])
            let other = try await ada.send(.post, "/v1/tasks", ["title": "other"], headers: [key: "k1"])
            #expect(other.status == 422)
            let refused = try await ada.send(.post, "/v1/tasks", ["title": ""], headers: [key: "k2"])
            #expect(refused.status == 422)
            #expect(
                try await ada.send(.post, "/v1/tasks", ["title": "fixed"], headers: [key: "k2"]).status == 201,
                "a refusal is not kept")
            let tokens = try await [1, 2].asyncMap { _ in
                try await ada.send(
                    .post, "/v1/tokens", ["name": "x", "scopes": ["tasks:read"]], headers: [key: "k3"]
                ).json["token"]
            }
            #expect(tokens[0] != tokens[1], "a secret is not kept")
        }
    }

    @Test func `many writes in one request`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let id = try await ada.make("/v1/tasks", ["title": "old"]).id
            let operations: [JSON] = [
                ["op": "create", "task": ["title": "new"]],
                ["op": "update", "id": .string(id), "patch": ["title": "changed"], "ifMatch": "\"1\""],
                ["op": "update", "id": .string(id), "patch": ["title": "late"], "ifMatch": "\"1\""],
                ["op": "create", "task": ["title": ""]],
                ["op": "move", "id": .string(id), "move": ["after": nil]],
            ]
            let atomic = try await ada.send(
                .post, "/v1/tasks/bulk", ["mode": "atomic", "operations": .array(operations)])
            #expect(atomic.status == 422 && atomic.errors.first?.hasPrefix("operations[3].task.title: ") == true)
            let valid = Array(operations.prefix(3))
            let late = try await ada.send(.post, "/v1/tasks/bulk", ["operations": .array(valid)])
            #expect(late.status == 412 && late.json["detail"]?.string?.hasPrefix("operations[2]") == true)
            #expect(try await ada.titles() == ["old"])
            let each = try await ada.send(.post, "/v1/tasks/bulk", ["mode": "each", "operations": .array(operations)])
            #expect(each.json["results"]?.array?.compactMap { $0["status"]?.int } == [200, 200, 412, 422, 200])
            #expect(try await ada.titles() == ["changed", "new"])
            let operation = try #require(each.headers.first { $0.name.canonicalName == "todo-operation" }?.value)
            #expect(try await ada.send(.post, "/v1/undo", ["operation": .string(operation)]).status == 200)
            #expect(try await ada.titles() == ["old"])
            #expect(try await ada.send(.post, "/v1/undo", ["operation": .string(operation)]).status == 410)
            let many = (0..<501).map { ["op": "create", "task": ["title": .string("\($0)")]] as JSON }
            #expect(try await ada.send(.post, "/v1/tasks/bulk", ["operations": .array(many)]).status == 422)
            let most = try await ada.send(.post, "/v1/tasks/bulk", ["operations": .array(Array(many.dropLast()))])
            #expect(most.status == 200)
        }
    }

    @Test func `the answer to many writes is no larger than a page, whatever they are about`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let text = JSON.string(String(repeating: "all work and no play ", count: 950))
            let draft: JSON = ["op": "create", "task": ["title": "long", "description": text]]
            var ids: [String] = []
            for _ in 0..<2 {
                let made = try await ada.make(
                    "/v1/tasks/bulk", ["operations": .array(Array(repeating: draft, count: 45))])
                ids += (made["results"]?.array ?? []).compactMap { $0.at("task", "id")?.string }
            }
            #expect(ids.count == 90)
            var operations = ids.map { ["op": "complete", "id": .string($0)] as JSON }
            operations.append(["op": "create", "task": ["title": "new"]])
            let answer = try await ada.send(.post, "/v1/tasks/bulk", ["operations": .array(operations)])
            let results = answer.json["results"]?.array ?? []
            #expect(answer.bytes.count < 1_200_000)
            #expect(results.dropLast().map(\.id) == ids)
            #expect(results.dropLast().allSatisfy { $0["status"] == 200 && $0["version"] == 2 })
            #expect(results.first?.at("task", "status") == "done" && results[89]["task"] == nil)
            #expect(results.last?.at("task", "title") == "new", "nobody else knows of it")
            let operation = try #require(answer.headers.first { $0.name.canonicalName == "todo-operation" }?.value)
            let undone = try await ada.send(.post, "/v1/undo", ["operation": .string(operation)])
            #expect(undone.bytes.count < 1_200_000 && undone.json["more"] == true)
            #expect((1..<90).contains(undone.json["tasks"]?.array?.count ?? 0))
            #expect(try await ada.titles("status:done") == [])
        }
    }

    @Test func `two people share a project`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let project = try await ada.make("/v1/projects", ["name": "Home"]).id
            let task = try await ada.make("/v1/tasks", ["title": "ours", "project": .string(project)]).id
            _ = try await ada.make("/v1/projects/\(project)/members", ["email": .string(ben.email), "role": "editor"])
            #expect(try await ben.titles() == ["ours"])
            #expect(try await ben.send(.post, "/v1/tasks/\(task)/complete").status == 200)
            #expect(try await ada.send(.get, "/v1/tasks/\(task)").json["status"] == "done")
            let changes = try await ben.send(.get, "/v1/changes").json
            #expect(changes["cursor"]?.string?.split(separator: ",").count == 2)
            #expect(try await ben.send(.delete, "/v1/projects/\(project)/members/\(ben.id)").status == 204)
            #expect(try await ben.send(.get, "/v1/tasks/\(task)").status == 404)
        }
    }

    @Test func `a project is deleted, found in the bin and restored`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let project = try await ada.make("/v1/projects", ["name": "Home"])
            let path = "/v1/projects/\(project.id)"
            _ = try await ada.make("/v1/tasks", ["title": "task", "project": .string(project.id)])
            #expect(try await ada.send(.delete, path).status == 204)
            #expect(try await ada.send(.get, path).status == 404)
            #expect(try await ada.titles() == [])
            let bin = try await ada.send(.get, "/v1/projects?deleted=true").json["items"]?.array ?? []
            #expect(bin.map(\.id) == [project.id] && bin.first?["deletedAt"]?.string != nil)
            #expect(try await ada.send(.get, "/v1/projects?deleted=false").json["items"]?.array?.count == 1)
            #expect(try await ada.send(.get, "/v1/projects?deleted=perhaps").status == 400)
            let late = try await ada.send(.post, "\(path)/restore", headers: [.ifMatch: "\"1\""])
            #expect(late.status == 412 && late.headers[.eTag] == "\"2\"")
            let restored = try await ada.send(.post, "\(path)/restore", headers: [.ifMatch: "\"2\""])
            #expect(restored.status == 200 && restored.headers[.eTag] == "\"3\"")
            #expect(restored.json["deletedAt"] == .null && restored.json["role"] == "owner")
            #expect(try await ada.titles() == ["task"])
        }
    }

    @Test func `a tag is found, renamed and deleted by its name, whatever it is`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            for tag in ["home", "grün/2%", "🎉"] {
                _ = try await ada.make("/v1/tasks", ["title": "x", "tags": [.string(tag)]])
                let encoded = tag.utf8.map { "%" + String($0, radix: 16, uppercase: true).leftPadded }.joined()
                let renamed = try await ada.send(.patch, "/v1/tags/\(encoded)", ["name": "New"])
                #expect(renamed.status == 200 && renamed.json["tasks"] == 1, "\(tag): \(renamed.text)")
                #expect(try await ada.send(.get, "/v1/tags").json["items"]?[0]?["name"] == "new")
                #expect(try await ada.send(.delete, "/v1/tags/new").status == 200)
            }
            let wrong = try await ada.send(.patch, "/v1/tags/home", ["name": "a b"])
            #expect(wrong.status == 422)
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}

extension String {
    fileprivate var leftPadded: String { utf8.count == 1 ? "0" + self : self }
}
