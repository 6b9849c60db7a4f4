internal import FoundationEssentials
internal import Crypto
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOPosix
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// Everything under `/v1`, from the router to the endpoints.
struct API: Sendable {
    /// The longest that a request may take that may wait for a change.
    private static let waitDeadline: Duration = .seconds(45)

    let database: TodoDatabase
    let authenticator: Authenticator
    let limiter: RateLimiter
    let endpoints: [Endpoint]
    /// The longest that another request may take, from its last byte to the answer.
    let deadline: Duration

    func add<Context: RequestContext>(to group: RouterGroup<Context>) {
        var methods: [String: [HTTPRequest.Method]] = [:]
        for endpoint in endpoints {
            methods[endpoint.path, default: []].append(endpoint.method)
            group.on(endpoint.routerPath, method: endpoint.method) { request, context in
                try await respond(to: request, with: endpoint, context)
            }
        }
        for endpoint in endpoints where methods[endpoint.path]?.first == endpoint.method {
            refuseOtherMethods(than: methods[endpoint.path] ?? [], at: endpoint.routerPath, of: group)
        }
    }

    private func refuseOtherMethods<Context: RequestContext>(
        than allowed: [HTTPRequest.Method], at path: RouterPath, of group: RouterGroup<Context>
    ) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]
        let allowed = known.filter { allowed.contains($0 == .head ? .get : $0) }
        for method in known where !allowed.contains(method) {
            group.on(path, method: method) { _, _ -> Response in throw Problem.methodNotAllowed(allowed) }
        }
    }

    private func respond(
        to request: Request, with endpoint: Endpoint, _ context: some RequestContext
    ) async throws -> Response {
        var bearer: Bearer?
        if case .bearer(let scope) = endpoint.access {
            let found = try await authenticator.bearer(of: request)
            try limiter.admit(found.limitKey)
            guard found.scopes.contains(scope) else {
                throw Problem(.forbidden, "the token lacks the scope \(scope.rawValue)")
            }
            bearer = found
        }
        let bytes = try await endpoint.body.asyncMap { try await request.body(of: $0.types) } ?? []
        let call = Call(
            request: request, parameters: context.parameters, database: database, bearer: bearer,
            body: endpoint.body == nil ? .null : try Request.json(bytes))
        let logger = context.logger
        let deadline = endpoint.path == "/v1/changes" ? Self.waitDeadline : self.deadline
        return try await withDeadline(deadline, on: MultiThreadedEventLoopGroup.currentEventLoop) {
            try await answer(call, bytes, with: endpoint).response(to: request, logger)
        }
    }

    private func answer(_ call: Call, _ body: [UInt8], with endpoint: Endpoint) async throws -> Answer {
        guard endpoint.takesIdempotencyKey, let bearer = call.bearer, let key = call.request.headers[.idempotencyKey]
        else { return try await endpoint.handle(call) }
        guard (1...200).contains(key.utf8.count) else {
            throw Problem.invalid("Idempotency-Key", "must have 1 to 200 characters")
        }
        var hash = SHA256()
        hash.update(data: Array(call.request.uri.string.utf8) + [0])
        hash.update(data: body)
        let fingerprint = Array(hash.finalize())
        return try await database.transaction { database in
            if let known = try await database.requests.claim(key, fingerprint: fingerprint, of: bearer.user) {
                return try Answer(known).with(.idempotencyReplayed, "true")
            }
            var call = call
            call.database = database
            let answer = try await endpoint.handle(call)
            try await database.requests.keep(answer.kept, for: key, of: bearer.user)
            return answer
        }
    }
}

extension Answer {
    fileprivate var kept: RequestStore.Answer {
        let fields = JSON.object(JSONObject(headers.map { (key: $0.name.canonicalName, value: .string($0.value)) }))
        return .init(status: status.code, headers: fields.encoded(), body: body)
    }

    fileprivate init(_ kept: RequestStore.Answer) throws {
        self.init(HTTPResponse.Status(code: kept.status))
        for (name, value) in try JSON(parsing: kept.headers).object ?? [:] {
            if let name = HTTPField.Name(name), let value = value.string { headers[name] = value }
        }
        body = kept.body
    }
}

extension Optional {
    fileprivate func asyncMap<Value>(_ transform: (Wrapped) async throws -> Value) async rethrows -> Value? {
        if let self { try await transform(self) } else { nil }
    }
}
