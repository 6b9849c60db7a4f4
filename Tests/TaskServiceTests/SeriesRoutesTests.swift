import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData
import Testing
import TodoModel

@Suite(.timeLimit(.minutes(10))) struct SeriesRoutesTests {
    /// The cases of RFC 5545 and others, of which `RecurrenceTests` has more to say.
    private static let vectors: [JSON] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "RecurrenceTests/Resources/recurrence.jsonl")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? JSON(parsing: $0) }
    }()

    @Test func `every case of the vectors is previewed as it should be`() async throws {
        #expect(Self.vectors.count == 375)
        try await RunningService.with { service in
            for vector in Self.vectors {
                let start = vector["dtstart"]?.string ?? ""
                func walls(_ name: String) -> JSON {
                    .array((vector[name]?.array ?? []).compactMap(\.string).map { .string($0.filter { $0 != "Z" }) })
                }
                var request: JSON = [
                    "recurrence": ["rule": vector["rrule"] ?? .null], "start": .string(start.filter { $0 != "Z" }),
                    "exdates": walls("exdate"), "rdates": walls("rdate"), "count": vector["limit"] ?? 10,
                ]
                request["zone"] = start.hasSuffix("Z") ? "UTC" : vector["tzid"] ?? .null
                let answer = try await service.send(.post, "/v1/recurrence/preview", request)
                if vector["error"]?.bool == true {
                    #expect(answer.status == 422 && answer.text.contains("recurrence.rule"), "\(vector.id)")
                    continue
                }
                let found = answer.json["occurrences"]?.array?.compactMap { $0["at"]?.string }
                let expected = vector["expect"]?.array?.compactMap(\.string)
                #expect(found == expected, "\(vector.id) \(answer.text)")
                #expect(answer.json["text"]?.string?.isEmpty == false)
                if expected?.count ?? 0 < vector["limit"]?.int ?? 0 { #expect(answer.json["ended"] == true) }
            }
        }
    }

    @Test func `fifty completions at once make one next instance`() async throws {
        try await RunningService.with { service in
            let task = try await service.create(
                "water the plants",
                ["recurrence": ["rule": "FREQ=DAILY"], "due": ["date": "2100-01-29", "time": "17:00"]])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        while true {
                            let status = try await service.send(.post, "/v1/tasks/\(task.id)/complete").status
                            // Where the machine is busy, some are asked to come again.
                            if status != 503 { return status }
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 50))
            let all = try await service.send(.get, "/v1/tasks?q=status:any%20sort:due").json["items"]?.array ?? []
            #expect(all.map { $0["status"] } == ["done", "open"])
            #expect(all.map { $0.at("due", "date") } == ["2100-01-29", "2100-01-30"])
            #expect(all.first?.id == task.id && all.last?.at("recurrence", "series") == task.at("recurrence", "series"))
        }
    }

    @Test func `a task repeats: made, read, previewed, done, skipped and ended`() async throws {
        try await RunningService.with { service in
            let recurrence: JSON = ["rule": "FREQ=MONTHLY;BYDAY=-1FR;COUNT=4"]
            let made = try await service.send(
                .post, "/v1/tasks",
                [
                    "title": "pay the rent", "recurrence": recurrence,
                    "due": ["date": "2100-01-29", "time": "17:00", "zone": "Europe/Berlin"],
                ])
            #expect(made.status == 201, "\(made.text)")
            let shown = try #require(made.json["recurrence"])
            #expect(shown["text"] == "every last Friday at 17:00, 4 times" && shown["basis"] == "due")
            #expect(shown["occurrence"] == "2100-01-29T17:00:00" && shown["monthEnd"] == "skip")
            #expect(try await service.send(.get, "/v1/tasks/\(made.json.id)").json == made.json)

            let ahead = try await service.send(.get, "/v1/tasks/\(made.json.id)/occurrences?limit=2")
            #expect(
                ahead.json["occurrences"]?.array?.compactMap { $0["at"]?.string } == [
                    "2100-02-26T16:00:00Z", "2100-03-26T16:00:00Z",
                ])
            #expect(ahead.json["ended"] == false)

            // What was read can be sent back whole.
            let back = try await service.send(.patch, "/v1/tasks/\(made.json.id)", made.json)
            #expect(back.status == 200 && back.json["recurrence"] == shown, "\(back.text)")

            #expect(try await service.send(.post, "/v1/tasks/\(made.json.id)/complete").status == 200)
            func open() async throws -> JSON? {
                try await service.send(.get, "/v1/tasks?q=status:open").json["items"]?.array?.first
            }
            let second = try #require(try await open())
            #expect(second["due"]?["date"] == "2100-02-26" && second["recurrence"]?["series"] == shown["series"])
            #expect(try await service.send(.delete, "/v1/tasks/\(second.id)?scope=this").status == 204)
            let third = try #require(try await open())
            #expect(third["due"]?["date"] == "2100-03-26")
            #expect(try await service.send(.delete, "/v1/tasks/\(third.id)").status == 204)
            #expect(try await open() == nil)
        }
    }

    @Test(arguments: ["due", "completion"]) func `a preview reads as the task will`(_ basis: String) async throws {
        try await RunningService.with { service in
            let request: JSON = [
                "recurrence": ["rule": "FREQ=DAILY;INTERVAL=3", "basis": .string(basis)], "due": ["date": "2100-01-01"],
            ]
            let preview = try await service.send(.post, "/v1/recurrence/preview", request).json
            let task = try await service.create("water the plants", request)
            #expect(preview["text"] == task.at("recurrence", "text"))
            #expect(preview["text"]?.string?.hasSuffix("from when it was done") == (basis == "completion"))
        }
    }

    @Test func `a preview counts what is due already, whatever the rule says`() async throws {
        try await RunningService.with { service in
            // A Friday.
            let starts: [(String, JSON)] = [("due", ["date": "2100-01-01"]), ("start", "2100-01-01")]
            for (name, start) in starts {
                let request: JSON = ["recurrence": ["rule": "FREQ=WEEKLY;BYDAY=MO;COUNT=2"], name: start]
                let answer = try await service.send(.post, "/v1/recurrence/preview", request).json
                let days = ["2100-01-04", "2100-01-11"].prefix(name == "due" ? 1 : 2)
                #expect(answer["occurrences"]?.array?.compactMap { $0["at"]?.string } == Array(days))
                #expect(answer["ended"] == true)
            }
        }
    }

    @Test func `one instance is skipped in bulk, too, and undone with the rest`() async throws {
        try await RunningService.with { service in
            let made = try await service.send(
                .post, "/v1/tasks",
                ["title": "water", "due": ["date": "2100-01-01"], "recurrence": ["rule": "FREQ=DAILY"]])
            func dates() async throws -> [String] {
                let open = try await service.send(.get, "/v1/tasks?q=status:open").json["items"]?.array ?? []
                return open.compactMap { $0.at("due", "date")?.string }
            }
            func bulk(_ operation: JSON) async throws -> RunningService.Answer {
                try await service.send(.post, "/v1/tasks/bulk", ["operations": [operation]])
            }
            let skipped = try await bulk(["op": "delete", "id": .string(made.json.id), "scope": "this"])
            #expect(skipped.status == 200, "\(skipped.text)")
            #expect(try await dates() == ["2100-01-02"])
            let header = try #require(HTTPField.Name("Todo-Operation"))
            let operation = try #require(skipped.headers[header])
            #expect(try await service.send(.post, "/v1/undo", ["operation": .string(operation)]).status == 200)
            #expect(try await dates() == ["2100-01-01"])
            #expect(try await bulk(["op": "complete", "id": .string(made.json.id), "scope": "this"]).status == 422)
            #expect(try await bulk(["op": "delete", "id": .string(made.json.id), "scope": "all"]).status == 200)
            #expect(try await dates() == [])
        }
    }

    @Test func `what is wrong is refused with its field and place`() async throws {
        try await RunningService.with { service in
            let bad = try await service.send(
                .post, "/v1/tasks", ["title": "x", "due": ["date": "2026-01-01"], "recurrence": ["rule": "FREQ=DAYLY"]])
            #expect(bad.status == 422)
            let error = try #require(bad.json["errors"]?[0])
            #expect(error["field"] == "recurrence.rule" && error["detail"]?.string?.contains("at character 6") == true)
            let bare = try await service.send(.post, "/v1/tasks", ["title": "x", "recurrence": ["rule": "FREQ=DAILY"]])
            #expect(bare.status == 422 && bare.text.contains("needs a due date"))
            let task = try await service.create("once")
            let path = "/v1/tasks/\(task.id)"
            #expect(try await service.send(.patch, path, ["recurrence": ["rule": "FREQ=DAILY"]]).status == 422)
            #expect(try await service.send(.get, "\(path)/occurrences").json["occurrences"] == [])
            #expect(try await service.send(.delete, "\(path)?scope=some").status == 400)
            #expect(
                try await service.send(.post, "/v1/recurrence/preview", ["recurrence": ["rule": "FREQ=DAILY"]]).status
                    == 422)
        }
    }

    @Test(arguments: ["Pacific/Pago_Pago", "Pacific/Kiritimati"])
    func `days are the right days far from Greenwich, in every view`(_ name: String) async throws {
        try await RunningService.with { service in
            #expect(try await service.send(.patch, "/v1/me", ["zone": .string(name)]).status == 200)
            let zone = try #require(ZoneTable.named(name))
            let today = try await zone.today()
            let made = try await service.send(
                .post, "/v1/tasks",
                ["title": "each day", "due": ["date": .string(today.text)], "recurrence": ["rule": "FREQ=DAILY"]])
            func titles(_ query: String) async throws -> Int {
                try await service.send(.get, "/v1/tasks?q=\(query)").json["items"]?.array?.count ?? -1
            }
            #expect(try await titles("due:today") == 1)
            #expect(try await titles("due:overdue") == 0)
            #expect(try await service.send(.post, "/v1/tasks/\(made.json.id)/complete").status == 200)
            let tomorrow = CivilDate(daysSince1970: today.daysSince1970 + 1)
            #expect(try await titles("due:\(tomorrow.text)%20status:open") == 1)
            #expect(try await titles("due:today%20status:open") == 0)
            let changes = try await service.send(.get, "/v1/changes").json["items"]?.array ?? []
            #expect(changes.contains { $0["task"]?["due"]?["date"]?.string == tomorrow.text })
        }
    }
}
