import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@Suite struct TodoTaskTests {
    private let task = TodoTask(
        id: UUID(uuidString: "01890a5d-ac96-774b-bcce-b302099a8057") ?? UUID(),
        content: .init(title: "Water the plants", notes: "all of them", priority: .high),
        created: Instant(microsecondsSince1970: 1_700_000_000_000_000))

    private func problems(_ body: () throws -> Void) throws -> [String] {
        let error = try #require(#expect(throws: ValidationError.self, performing: body))
        return error.fields.map { "\($0.field): \($0.message)" }
    }

    @Test func `a task is shown with all its members`() {
        #expect(
            task.json.text
                == #"{"id":"01890a5d-ac96-774b-bcce-b302099a8057","title":"Water the plants","notes":"all of them","#
                + #""status":"open","priority":"high","createdAt":"2023-11-14T22:13:20.000000Z","#
                + #""updatedAt":"2023-11-14T22:13:20.000000Z","version":1}"#)
    }

    @Test func `a title is enough to make a task, and is trimmed`() throws {
        let content = try TodoTask.Content(["title": "  buy milk\n"])
        #expect(content == TodoTask.Content(title: "buy milk", notes: "", status: .open, priority: .none))
    }

    @Test func `every member can be given`() throws {
        let content = try TodoTask.Content(["title": "a", "notes": "b", "status": "done", "priority": "urgent"])
        #expect(content == TodoTask.Content(title: "a", notes: "b", status: .done, priority: .urgent))
    }

    @Test(
        arguments: [
            (["notes": "x"], "title: is required: 1 to 500 characters"),
            (["title": " \t\n "], "title: is required: 1 to 500 characters"),
            (["title": nil], "title: is required: 1 to 500 characters"),
            (["title": 5], "title: must be a string"),
            (["title": "a\nb"], "title: must be one line without control characters"),
            (["title": "a", "notes": "\0"], "notes: must not contain the character U+0000"),
            (["title": "a", "status": "doing"], "status: must be one of open, done, cancelled"),
            (["title": "a", "priority": 1], "priority: must be a string"),
            (["title": "a", "priority": "top"], "priority: must be one of none, low, medium, high, urgent"),
            (["title": "a", "titel": "b"], "titel: is not a field of a task"),
            (["title": "a", "id": "b"], "id: is set by the server; leave it out"),
            (["title"], ": expected a JSON object"),
        ] as [(JSON, String)])
    func `what is wrong is told by field`(_ json: JSON, _ problem: String) throws {
        #expect(try problems { _ = try TodoTask.Content(json) } == [problem])
    }

    @Test func `a title has at most 500 characters`() throws {
        #expect(try TodoTask.Content(["title": .string(String(repeating: "ä", count: 500))]).title.count == 500)
        let long = JSON.string(String(repeating: "ä", count: 501))
        #expect(
            try problems { _ = try TodoTask.Content(["title": long]) }
                == ["title: has 501 characters; at most 500 are allowed"])
    }

    @Test func `all that is wrong is told at once`() throws {
        #expect(try problems { _ = try TodoTask.Content(["status": "x", "foo": 1]) }.count == 3)
    }

    @Test func `a merge patch changes what it names only`() throws {
        let content = try task.merging(["status": "done"])
        #expect(content.status == .done && content.title == task.content.title && content.notes == "all of them")
    }

    @Test func `null sets a member back to its default, but a title cannot go`() throws {
        let content = try task.merging(["notes": nil, "priority": nil])
        #expect(content.notes == "" && content.priority == .none)
        #expect(try problems { _ = try task.merging(["title": nil]) } == ["title: is required: 1 to 500 characters"])
    }

    @Test func `a task that was read can be sent back whole`() throws {
        #expect(try task.merging(task.json) == task.content)
    }

    @Test func `what the server sets cannot be changed`() throws {
        for name in ["id", "createdAt", "updatedAt", "version"] {
            #expect(
                try problems { _ = try task.merging([name: "other"]) }
                    == ["\(name): is set by the server and cannot be changed"])
        }
    }

    @Test func `a change raises the version, no change does not`() {
        let later = Instant(microsecondsSince1970: task.created.microsecondsSince1970 + 5)
        var content = task.content
        #expect(task.changed(to: content, at: later) == task)
        content.status = .done
        let changed = task.changed(to: content, at: later)
        #expect(changed.version == 2 && changed.updated == later && changed.created == task.created)
    }
}
