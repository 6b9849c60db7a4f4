internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/tasks`: the tasks of the one user there is, who is whoever bears the token.
struct TaskRoutes: Sendable {
    static let path = "/v1/tasks"
    /// The longest that the database may take for one request.
    private static let deadline: Duration = .seconds(10)
    private static let pageSizes = 1...200
    private static let usualPageSize = 50

    let store: TaskStore
    let user: UUID

    func add<Context: RequestContext>(to group: RouterGroup<Context>) {
        group.get("/v1/tasks") { request, _ in try await list(request) }
        group.post("/v1/tasks") { request, _ in try await create(request) }
        group.get("/v1/tasks/:id") { request, context in try await get(request, Self.id(context)) }
        group.patch("/v1/tasks/:id") { request, context in try await update(request, Self.id(context)) }
        group.delete("/v1/tasks/:id") { request, context in try await delete(request, Self.id(context)) }
        refuseOtherMethods(than: [.get, .head, .post], at: "/v1/tasks", of: group)
        refuseOtherMethods(than: [.get, .head, .patch, .delete], at: "/v1/tasks/:id", of: group)
    }

    private func refuseOtherMethods<Context: RequestContext>(
        than allowed: [HTTPRequest.Method], at path: RouterPath, of group: RouterGroup<Context>
    ) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]
        for method in known where !allowed.contains(method) {
            group.on(path, method: method) { _, _ -> Response in throw Problem.methodNotAllowed(allowed) }
        }
    }

    private static func id(_ context: some RequestContext) throws -> UUID {
        guard let id = context.parameters.get("id").flatMap({ UUID(uuidString: $0) }) else { throw Problem.noSuchTask }
        return id
    }
}

extension TaskRoutes {
    private func create(_ request: Request) async throws -> Response {
        let content = try TodoTask.Content(try await request.json("application/json"))
        let task = try await withDeadline(Self.deadline) { try await store.create(content, for: user) }
        return Self.answer(task, .created, [.location: "\(Self.path)/\(task.id.uuidString.lowercased())"])
    }

    private func list(_ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        var limit = Self.usualPageSize
        if let text = query["limit"] {
            guard let number = Int(text), Self.pageSizes.contains(number) else {
                throw Problem.invalid(
                    "limit", "must be from \(Self.pageSizes.lowerBound) to \(Self.pageSizes.upperBound)")
            }
            limit = number
        }
        var status: TodoTask.Status?
        if let text = query["status"] {
            status = TodoTask.Status(rawValue: String(text))
            guard status != nil else {
                let known = TodoTask.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem.invalid("status", "must be one of \(known)")
            }
        }
        var cursor: Cursor?
        if let text = query["cursor"] {
            cursor = Cursor(String(text))
            guard cursor != nil else { throw Problem.invalid("cursor", "must be the nextCursor of a page before") }
        }
        let page = try await withDeadline(Self.deadline) { [status, limit, cursor] in
            try await store.page(of: user, status: status, before: cursor?.id, limit: limit)
        }
        var body = JSONObject()
        body["items"] = .array(page.tasks.map(\.json))
        body["nextCursor"] = page.next.map { .string(Cursor(id: $0).text) } ?? .null
        return Self.answer(.object(body), .ok)
    }

    private func get(_ request: Request, _ id: UUID) async throws -> Response {
        guard let task = try await withDeadline(Self.deadline, { try await store.task(id, of: user) }) else {
            throw Problem.noSuchTask
        }
        let condition = EntityTagCondition(request.headers[.ifNoneMatch])
        if condition?.matchesWeakly(task.entityTag) == true {
            return Response(status: .notModified, headers: [.eTag: task.entityTag])
        }
        return Self.answer(task, .ok)
    }

    private func update(_ request: Request, _ id: UUID) async throws -> Response {
        let patch = try await request.json("application/merge-patch+json", "application/json")
        let headers = request.headers
        let task = try await withDeadline(Self.deadline) {
            try await store.update(id, of: user) { current in
                try headers.requireMatch(current)
                return try current.merging(patch)
            }
        }
        guard let task else { throw Problem.noSuchTask }
        return Self.answer(task, .ok)
    }

    private func delete(_ request: Request, _ id: UUID) async throws -> Response {
        let headers = request.headers
        let found = try await withDeadline(Self.deadline) {
            try await store.delete(id, of: user) { try headers.requireMatch($0) }
        }
        guard found else { throw Problem.noSuchTask }
        return Response(status: .noContent)
    }
}

extension TaskRoutes {
    private static func answer(
        _ task: TodoTask, _ status: HTTPResponse.Status, _ headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.eTag] = task.entityTag
        return answer(task.json, status, headers)
    }

    private static func answer(_ json: JSON, _ status: HTTPResponse.Status, _ headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-cache"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.encoded())))
    }
}

/// Where a page ends: the id of its last task. Clients must not read anything into the text.
struct Cursor: Equatable {
    private static let version = "1"
    let id: UUID

    init(id: UUID) { self.id = id }

    init?(_ text: String) {
        guard text.hasPrefix(Self.version), text.utf8.count == 33, text.utf8.allSatisfy({ $0 < 128 }) else {
            return nil
        }
        var dashed = ""
        for (index, digit) in text.dropFirst().enumerated() {
            if [8, 12, 16, 20].contains(index) { dashed += "-" }
            dashed.append(digit)
        }
        guard let id = UUID(uuidString: dashed) else { return nil }
        self.id = id
    }

    var text: String { Self.version + id.uuidString.lowercased().filter { $0 != "-" } }
}
