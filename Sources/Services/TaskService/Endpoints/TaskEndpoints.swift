internal import FoundationEssentials
internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/tasks`, `/v1/undo`.
enum TaskEndpoints {
    static let path = "/v1/tasks"
    private static let pageSizes = 1...200
    private static let usualPageSize = 50

    static var all: [Endpoint] { [list, create, get, update, delete, complete, reopen, restore, move, undo] }

    private static let task = Endpoint.Outcome(status: .ok, schema: "Task", headers: ["ETag", "Todo-Operation"])

    private static let list = Endpoint(
        method: .get, path: path, name: "listTasks", summary: "Find tasks, page by page.",
        query: [
            .init(name: "q", schema: ["type": "string", "maxLength": 2000], explanation: "A query."),
            .init(name: "project", schema: OpenAPI.id, explanation: "Only those of this project."),
            .init(name: "parent", schema: OpenAPI.id, explanation: "Only the parts of this task."),
            .init(
                name: "deleted", schema: ["type": "boolean"], explanation: "Those in the bin, or not; not by default."),
            .init(
                name: "limit", schema: ["type": "integer", "minimum": 1, "maximum": 200, "default": 50],
                explanation: "The most that a page holds."),
            .init(name: "cursor", schema: ["type": "string"], explanation: "The nextCursor of the page before."),
        ], outcomes: [.init(status: .ok, schema: "TaskPage")]
    ) { call in
        let context = QueryContext(user: try call.user(), now: .now())
        let limit = try call.integer("limit", in: pageSizes, default: usualPageSize)
        let listing = try TaskListing(query(call), in: context, after: try call.query("cursor"), limit: limit)
        let page = try await call.database.tasks.json(listing)
        var body = Array(#"{"items":"#.utf8)
        body += page.tasks
        body += Array(#","nextCursor":"#.utf8)
        JSON(page.next, JSON.string).write(into: &body)
        body.append(UInt8(ascii: "}"))
        return Answer(.ok, json: body)
    }

    private static func query(_ call: Call) throws -> TaskQuery {
        let text = try call.query("q") ?? ""
        var query: TaskQuery
        do {
            query = try TaskQuery(parsing: text)
        } catch {
            throw Problem.invalid("q", "cannot be read: \(error)")
        }
        var parts = query.filter == .everything ? [] : [query.filter]
        if let project = try call.uuid("project") { parts.append(.term(.project(.id(project)))) }
        if let parent = try call.uuid("parent") { parts.append(.term(.parent(.id(parent)))) }
        if let isDeleted = try call.flag("deleted") {
            let bin = TaskFilter.term(.flag(.deleted))
            parts.append(isDeleted ? bin : .negation(bin))
        }
        query.filter = parts.isEmpty ? .everything : .conjunction(parts)
        return query
    }

    private static let create = Endpoint(
        method: .post, path: path, name: "createTask", summary: "Make a task.", access: .bearer(.write),
        body: .json("TaskDraft"),
        outcomes: [.init(status: .created, schema: "Task", headers: ["ETag", "Location", "Todo-Operation"])]
    ) { call in
        let draft = try TodoTask.Draft(call.body)
        let operation = try call.operation()
        let task = try await call.database.tasks.create(draft, by: operation)
        return answer(task, .created, operation).with(.location, "\(path)/\(task.id.uuidString.lowercased())")
    }

    private static let get = Endpoint(
        method: .get, path: "\(path)/{id}", name: "getTask", summary: "Read a task, also one in the bin.",
        outcomes: [.init(status: .ok, schema: "Task", headers: ["ETag"]), .init(status: .notModified)]
    ) { call in
        let task = try await call.database.tasks.get(call.id(), for: call.user())
        return Answer(task.json, version: task.version, to: call)
    }

    private static let update = Endpoint(
        method: .patch, path: "\(path)/{id}", name: "updateTask",
        summary: "Change members of a task. Its parts follow it to another project.", access: .bearer(.write),
        query: [
            .init(
                name: "scope", schema: OpenAPI.scope,
                explanation: "Which instances of a series are meant; this one if not given. Also a member of the body.")
        ], body: .patch("TaskPatch"), isConditional: true, outcomes: [task]
    ) { call in
        var patch = try TodoTask.Patch(call.body)
        if let scope = try scope(call) { patch.scope = scope }
        return try await write(call) { [patch] in
            try await $0.tasks.update($1, patch, ifVersion: call.ifMatch, by: $2)
        }
    }

    private static func scope(_ call: Call) throws -> SeriesScope? {
        guard let text = try call.query("scope") else { return nil }
        guard let scope = SeriesScope(rawValue: text) else {
            throw Problem.invalid("scope", "must be one of this, following, all")
        }
        return scope
    }

    private static let delete = Endpoint(
        method: .delete, path: "\(path)/{id}", name: "deleteTask",
        summary: "Put a task and its parts into the bin.", access: .bearer(.write),
        query: [
            .init(
                name: "scope", schema: OpenAPI.scope,
                explanation:
                    "With this, an instance of a series is skipped and the next one made; else the series ends.")
        ], isConditional: true,
        outcomes: [.init(status: .noContent, headers: ["Todo-Operation"])]
    ) { call in
        let operation = try call.operation()
        _ = try await call.database.tasks.delete(
            call.id(), scope: scope(call) ?? .all, ifVersion: call.ifMatch, by: operation)
        return Answer(.noContent).with(.todoOperation, operation.id.uuidString.lowercased())
    }

    private static let complete = status(.done, "complete", "Mark a task as done.")
    private static let reopen = status(.open, "reopen", "Mark a task as open again.")

    private static func status(_ status: TodoTask.Status, _ word: String, _ summary: String) -> Endpoint {
        Endpoint(
            method: .post, path: "\(path)/{id}/\(word)", name: "\(word)Task", summary: summary, access: .bearer(.write),
            isConditional: true, outcomes: [task]
        ) { call in
            var patch = TodoTask.Patch()
            patch.status = status
            return try await write(call) { [patch] in
                try await $0.tasks.update($1, patch, ifVersion: call.ifMatch, by: $2)
            }
        }
    }

    private static let restore = Endpoint(
        method: .post, path: "\(path)/{id}/restore", name: "restoreTask",
        summary: "Take a task out of the bin, with the parts that went there with it.", access: .bearer(.write),
        isConditional: true, outcomes: [task]
    ) { call in
        try await write(call) { try await $0.tasks.restore($1, ifVersion: call.ifMatch, by: $2) }
    }

    private static let move = Endpoint(
        method: .post, path: "\(path)/{id}/move", name: "moveTask",
        summary: "Put a task elsewhere: into a project, under a task, between two others.", access: .bearer(.write),
        body: .json("TaskMove"), isConditional: true, outcomes: [task]
    ) { call in
        let move = try TaskMove(call.body)
        return try await write(call) { try await $0.tasks.move($1, move, ifVersion: call.ifMatch, by: $2) }
    }

    private static let undo = Endpoint(
        method: .post, path: "/v1/undo", name: "undo",
        summary: "Take back what an operation of yours did to tasks, unless one was changed since. Possible for a day.",
        access: .bearer(.write), body: .json("Undo"),
        outcomes: [.init(status: .ok, schema: "UndoResult", headers: ["Todo-Operation"])]
    ) { call in
        var reader = try MemberReader(call.body, of: "an undo")
        let undone = reader.uuid("operation")
        if reader.value("operation") == nil { reader.fail("operation", "is required: the Todo-Operation of an answer") }
        try reader.finish()
        let operation = try call.operation()
        let tasks = try await call.database.tasks.undo(undone ?? operation.id, by: operation)
        var whole = WholeTasks()
        let shown = tasks.compactMap { whole.json($0) }
        return Answer(.ok, ["tasks": .array(shown), "more": .bool(shown.count < tasks.count)])
            .with(.todoOperation, operation.id.uuidString.lowercased())
    }

    private static func write(
        _ call: Call, _ body: (TodoDatabase, UUID, TodoOperation) async throws -> TodoTask
    ) async throws -> Answer {
        let operation = try call.operation()
        return answer(try await body(call.database, call.id(), operation), .ok, operation)
    }

    private static func answer(_ task: TodoTask, _ status: HTTPResponse.Status, _ operation: TodoOperation) -> Answer {
        Answer(status, task.json).with(.eTag, EntityTag.text(task.version))
            .with(.todoOperation, operation.id.uuidString.lowercased())
    }
}

extension TaskMove {
    /// Throws naming every member that is wrong or unknown.
    init(_ json: JSON) throws(ValidationError) {
        var reader = try MemberReader(json, of: "a move")
        self.init()
        project = reader.uuid("project")
        if reader.has("parent") { parent = .some(reader.uuid("parent")) }
        let (hasAfter, hasBefore) = (reader.has("after"), reader.has("before"))
        if hasAfter { place = .after(reader.uuid("after")) }
        if hasBefore { place = .before(reader.uuid("before")) }
        if hasAfter, hasBefore { reader.fail("before", "cannot be given together with after") }
        try reader.finish()
    }
}
