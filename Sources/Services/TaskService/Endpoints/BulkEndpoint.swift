internal import FoundationEssentials
internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `POST /v1/tasks/bulk`: many writes in one request and one transaction.
enum BulkEndpoint {
    static let largest = 500

    static let all = [
        Endpoint(
            method: .post, path: "\(TaskEndpoints.path)/bulk", name: "writeTasks",
            summary: "Write many tasks: all or nothing (atomic), or each for itself.", access: .bearer(.write),
            body: .json("Bulk"), outcomes: [.init(status: .ok, schema: "BulkResult", headers: ["Todo-Operation"])]
        ) { call in try await run(call) }
    ]

    private static func run(_ call: Call) async throws -> Answer {
        let (isAtomic, members) = try request(call.body)
        let writes = members.map { member in Result { () throws in try write(member) } }
        var results = writes.map { write -> Result<TodoTask, any Error>? in
            if case .failure(let error) = write { .failure(error) } else { nil }
        }
        let operation = try call.operation()
        let good = writes.indices.filter { results[$0] == nil }
        if !isAtomic || good.count == writes.count {
            let done = try await call.database.tasks.bulk(
                try good.map { try writes[$0].get() }, isAtomic: isAtomic, by: operation)
            for (index, result) in zip(good, done) { results[index] = result.mapError { $0 } }
        }
        if isAtomic { try refuse(results) }
        return Answer(.ok, ["results": .array(json(results, of: writes))])
            .with(.todoOperation, operation.id.uuidString.lowercased())
    }

    private static func request(_ json: JSON) throws(ValidationError) -> (isAtomic: Bool, members: [JSON]) {
        var reader = try MemberReader(json, of: "a bulk write")
        let isAtomic = reader.choice("mode", [("atomic", true), ("each", false)]) ?? true
        let members = reader.value("operations")?.array ?? []
        if members.isEmpty || members.count > largest {
            reader.fail("operations", "must be a list of 1 to \(largest) operations")
        }
        try reader.finish()
        return (isAtomic, members)
    }

    private static func write(_ json: JSON) throws -> BulkWrite {
        let words = ["create", "update", "complete", "reopen", "delete", "restore", "move"]
        var reader = try MemberReader(json, of: "an operation")
        let word = reader.choice("op", words.map { ($0, $0) })
        if reader.value("op") == nil { reader.fail("op", "is required: " + words.joined(separator: ", ")) }
        let id = reader.uuid("id")
        let versions = try versions(&reader)
        let scope = reader.choice("scope", SeriesScope.allCases.map { ($0.rawValue, $0) })
        if scope != nil, word != "delete" { reader.fail("scope", "is for delete; of an update it is in the patch") }
        let (task, patch, move) = (reader.value("task"), reader.value("patch"), reader.value("move"))
        if word == "create" {
            if task == nil { reader.fail("task", "is required") }
        } else if reader.value("id") == nil {
            reader.fail("id", "is required")
        }
        try reader.finish()
        guard word != "create" else {
            return .create(try inside("task") { () throws(ValidationError) in try TodoTask.Draft(task ?? [:]) })
        }
        guard let word, let id else { throw Problem.notFound }
        switch word {
        case "update":
            return .update(
                id, try inside("patch") { () throws(ValidationError) in try TodoTask.Patch(patch ?? [:]) },
                ifVersion: versions)
        case "delete": return .delete(id, scope: scope ?? .all, ifVersion: versions)
        case "restore": return .restore(id, ifVersion: versions)
        case "move":
            return .move(
                id, try inside("move") { () throws(ValidationError) in try TaskMove(move ?? [:]) }, ifVersion: versions)
        default:
            var patch = TodoTask.Patch()
            patch.status = word == "complete" ? .done : .open
            return .update(id, patch, ifVersion: versions)
        }
    }

    /// An entity tag, as `If-Match` has it.
    private static func versions(_ reader: inout MemberReader) throws -> [Int]? {
        guard let tag = reader.string("ifMatch") else { return nil }
        var headers = HTTPFields()
        headers[.ifMatch] = tag
        return headers.matchedVersions
    }

    private static func inside<Value>(_ member: String, _ body: () throws(ValidationError) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw ValidationError(
                error.fields.map { .init($0.field.isEmpty ? member : "\(member).\($0.field)", $0.message) })
        }
    }

    /// Throws the first problem, with its place.
    private static func refuse(_ results: [Result<TodoTask, any Error>?]) throws {
        for (index, result) in results.enumerated() {
            guard case .failure(let error) = result else { continue }
            guard var problem = Problem(error) else { throw error }
            let place = "operations[\(index)]"
            problem.detail = "\(place): \(problem.detail); nothing was written"
            problem.fields = problem.fields.map { .init("\(place).\($0.field)", $0.message) }
            if problem.fields.isEmpty { problem.fields = [.init(place, problem.detail)] }
            throw problem
        }
    }

    /// A task that the request made is always there, for its client knows nothing of it yet: they weigh what it weighed.
    private static func json(
        _ results: [Result<TodoTask, any Error>?], of writes: [Result<BulkWrite, any Error>]
    ) -> [JSON] {
        var whole = WholeTasks()
        return zip(results, writes).map { result, write in
            switch result {
            case .success(let task):
                let isNew = if case .success(.create) = write { true } else { false }
                var json: JSON = ["status": 200, "id": JSON(task.id), "version": JSON(task.version)]
                json["task"] = isNew ? task.json : whole.json(task)
                return json
            case .failure(let error):
                let problem = Problem(error) ?? Problem(.internalServerError, "the service failed; its log says why")
                return ["status": JSON(problem.status.code), "problem": problem.json]
            case nil: return ["status": 424]
            }
        }
    }
}
