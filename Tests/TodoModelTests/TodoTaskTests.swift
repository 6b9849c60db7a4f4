import FoundationEssentials
import StructuredData
import Testing
import TodoModel

func problems(_ body: () throws -> Void) throws -> [String] {
    let error = try #require(#expect(throws: ValidationError.self, performing: body))
    return error.fields.map { "\($0.field): \($0.message)" }
}

@Suite struct TodoTaskTests {
    private let task = TodoTask(
        user: UUID(uuidString: "01890a5d-ac96-774b-bcce-b302099a8058") ?? UUID(),
        id: UUID(uuidString: "01890a5d-ac96-774b-bcce-b302099a8057") ?? UUID(),
        project: UUID(uuidString: "01890a5d-ac96-774b-bcce-b302099a8059") ?? UUID(), title: "Water the plants",
        description: "all of them", priority: .high,
        due: CivilDate("2026-01-31").map { Due(date: $0, time: TimeOfDay("09:30"), zone: "Europe/Berlin") },
        tags: ["garden", "home"], position: "V", created: Instant(microsecondsSince1970: 1_700_000_000_000_000),
        updated: Instant(microsecondsSince1970: 1_700_000_000_000_000), seq: 7)

    @Test func `a task is shown with all its members`() {
        #expect(
            task.json.text
                == #"{"id":"01890a5d-ac96-774b-bcce-b302099a8057","user":"01890a5d-ac96-774b-bcce-b302099a8058","#
                + #""project":"01890a5d-ac96-774b-bcce-b302099a8059","parent":null,"title":"Water the plants","#
                + #""description":"all of them","status":"open","priority":"high","#
                + #""due":{"date":"2026-01-31","time":"09:30","zone":"Europe/Berlin"},"start":null,"estimate":null,"#
                + #""tags":["garden","home"],"position":"V","createdAt":"2023-11-14T22:13:20.000000Z","#
                + #""updatedAt":"2023-11-14T22:13:20.000000Z","completedAt":null,"deletedAt":null,"version":1,"seq":7,"#
                + #""recurrence":null}"#
        )
    }

    @Test func `a title is enough to make a task, and is trimmed`() throws {
        #expect(try TodoTask.Draft(["title": "  buy milk\n"]) == TodoTask.Draft(title: "buy milk"))
    }

    @Test func `every member can be given`() throws {
        let id = UUID()
        let draft = try TodoTask.Draft([
            "title": "a", "description": "b", "project": .string(id.uuidString), "parent": .string(id.uuidString),
            "status": "done", "priority": "urgent", "due": ["date": "2026-02-28", "time": "23:59"],
            "start": "2026-02-01", "estimate": 90, "tags": ["Home", "garden", "home"], "position": "Vz",
        ])
        let date = try #require(CivilDate("2026-02-28"))
        #expect(
            draft
                == TodoTask.Draft(
                    title: "a", description: "b", project: id, parent: id, status: .done, priority: .urgent,
                    due: Due(date: date, time: TimeOfDay("23:59")), start: CivilDate("2026-02-01"), estimate: 90,
                    tags: ["garden", "home"], position: "Vz"))
    }

    @Test(
        arguments: [
            (["description": "x"], "title: is required: 1 to 500 characters"),
            (["title": nil], "title: is required: 1 to 500 characters"),
            (["title": " \t\n "], "title: must have 1 to 500 characters"),
            (["title": 5], "title: must be a string"),
            (["title": "a\nb"], "title: must be one line without control characters"),
            (["title": "a", "description": "\0"], "description: must not contain the character U+0000"),
            (["title": "a", "status": "doing"], "status: must be one of open, done, cancelled"),
            (["title": "a", "priority": 1], "priority: must be a string"),
            (["title": "a", "priority": "top"], "priority: must be one of none, low, medium, high, urgent"),
            (["title": "a", "titel": "b"], "titel: is not a field of a task"),
            (["title": "a", "project": "b"], "project: must be an id, such as 0192f0c1-2b3c-7d4e-8f90-123456789abc"),
            (
                ["title": "a", "start": "2026-02-30"],
                "start: must be a day as in 2026-01-31, from the year 1900 to 2999"
            ),
            (
                ["title": "a", "start": "1899-12-31"],
                "start: must be a day as in 2026-01-31, from the year 1900 to 2999"
            ),
            (["title": "a", "estimate": 0], "estimate: must be a whole number from 1 to 525600"),
            (["title": "a", "estimate": 1.5], "estimate: must be a whole number from 1 to 525600"),
            (["title": "a", "tags": "b"], "tags: must be a list of strings"),
            (["title": "a", "tags": ["b", 1]], "tags: must be a list of strings"),
            (
                ["title": "a", "position": "a0"],
                "position: must be 1 to 200 of the characters 0-9 A-Z a-z, not ending in 0"
            ),
            (["title": "a", "due": ["time": "09:30"]], "due.date: is required, as in 2026-01-31"),
            (
                ["title": "a", "due": ["date": "2026-01-31", "time": "9:30"]],
                "due.time: must be a time of day, such as 09:30"
            ),
            (["title": "a", "due": ["date": "2026-01-31", "zone": "Europe/Berlin"]], "due.zone: needs a time"),
            (
                ["title": "a", "due": ["date": "2026-01-31", "time": "09:30", "zone": "Europe/Atlantis"]],
                "due.zone: must be an IANA time zone, such as Europe/Berlin"
            ),
            (
                ["title": "a", "due": ["date": "2026-01-31", "time": "09:30", "zone": "../etc/passwd"]],
                "due.zone: must be an IANA time zone, such as Europe/Berlin"
            ),
            (["title": "a", "due": ["date": "2026-01-31", "day": 1]], "due.day: is not a field of due"),
            (["title"], ": expected a JSON object"),
        ] as [(JSON, String)])
    func `what is wrong is told by field`(_ json: JSON, _ problem: String) throws {
        #expect(try problems { _ = try TodoTask.Draft(json) } == [problem])
    }

    @Test(arguments: ["", "a b", "a,b", "a\"", "(a", "a*", "a\n", String(repeating: "a", count: 51)])
    func `a tag is one word`(_ tag: String) throws {
        #expect(try problems { _ = try TodoTask.Draft(["title": "a", "tags": [.string(tag)]]) }.count == 1)
    }

    @Test func `limits count characters, and are the last that is allowed`() throws {
        #expect(try TodoTask.Draft(["title": .string(String(repeating: "ä", count: 500))]).title.count == 500)
        let long = JSON.string(String(repeating: "ä", count: 501))
        #expect(
            try problems { _ = try TodoTask.Draft(["title": long]) }
                == ["title: has 501 characters; at most 500 are allowed"])
        let tags = (0...50).map { JSON.string("t\($0)") }
        #expect(try TodoTask.Draft(["title": "a", "tags": .array(Array(tags.dropLast()))]).tags.count == 50)
        #expect(
            try problems { _ = try TodoTask.Draft(["title": "a", "tags": .array(tags)]) }
                == ["tags: has 51 tags; at most 50 are allowed"])
    }

    @Test func `all that is wrong is told at once`() throws {
        #expect(try problems { _ = try TodoTask.Draft(["status": "x", "foo": 1]) }.count == 3)
        #expect(try problems { _ = try TodoTask.Patch(["status": "x", "foo": 1, "title": nil]) }.count == 3)
    }

    @Test func `a patch changes what it names only`() throws {
        var patch = TodoTask.Patch()
        #expect(try TodoTask.Patch([:]) == patch && patch.isEmpty)
        patch.status = .done
        #expect(try TodoTask.Patch(["status": "done"]) == patch)
    }

    @Test func `null sets a member back to its default, but some cannot go`() throws {
        let patch = try TodoTask.Patch([
            "description": nil, "priority": nil, "status": nil, "due": nil, "parent": nil, "start": nil,
            "estimate": nil,
            "tags": nil,
        ])
        #expect(patch.description == "" && patch.priority == TodoTask.Priority.none && patch.status == .open)
        #expect(patch.due == .some(nil) && patch.parent == .some(nil) && patch.tags == [])
        #expect(patch.start == .some(nil) && patch.estimate == .some(nil))
        for name in ["title", "project", "position"] {
            #expect(try problems { _ = try TodoTask.Patch(.object([name: .null])) } == ["\(name): cannot be null"])
        }
    }

    @Test func `a task that was read can be sent back whole`() throws {
        let patch = try TodoTask.Patch(task.json)
        #expect(patch.title == task.title && patch.due == .some(task.due) && patch.tags == task.tags)
    }

    @Test(arguments: [
        ("Europe/Berlin", true), ("UTC", true), ("Etc/UTC", true), ("GMT", true), ("America/Indiana/Knox", true),
        ("America/Indiana", false), ("America", false), ("Etc", false), ("EST", false), ("Mars/Olympus", false),
        ("../Europe/Berlin", false), ("Europe/", false), ("posix/Europe/Berlin", false), ("zone.tab", false),
        ("", false),
    ]) func `a zone is one of the database, and no folder of it`(_ name: String, _ isKnown: Bool) {
        #expect(ZoneName.isKnown(name) == isKnown)
    }
}
