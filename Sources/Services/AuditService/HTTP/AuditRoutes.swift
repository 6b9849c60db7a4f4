internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import StructuredData
internal import TodoModel

/// `/v1/audit`: the log as people see it.
struct AuditRoutes: Sendable {
    private static let pageSizes = 1...200
    private static let usualPageSize = 50
    private static let exportScope = "audit:export"

    let log: AuditLog
    let authenticator: any TokenAuthenticator

    func add<Context: RequestContext>(to router: Router<Context>) {
        router.get("/v1/audit") { request, _ in try await list(request) }
        router.get("/v1/audit/checkpoints") { request, _ in try await checkpoints(request) }
        router.get("/v1/audit/export") { request, context in try await export(request, context) }
    }

    private func principal(of request: Request, scope: String) async throws -> Principal {
        guard let principal = try await authenticator.principal(of: request.headers) else { throw Problem.unauthorized }
        guard principal.scopes.contains(scope) else {
            throw Problem(status: .forbidden, detail: "the token does not have the scope \(scope)")
        }
        return principal
    }

    private func list(_ request: Request) async throws -> Response {
        let principal = try await principal(of: request, scope: Scope.read.rawValue)
        let parameters = QueryParameters(request)
        var query = AuditQuery(person: principal.user)
        query.after = try parameters.instant("after")
        query.before = try parameters.instant("before")
        query.actor = try parameters.id("actor")
        query.subject = try parameters.id("subject")
        query.type = try parameters.value("type", "must be a type, or the beginning of one with * at its end") { text in
            (1...AuditEvent.longestType).contains(text.utf8.count) && !text.utf8.contains(0) ? text : nil
        }
        query.limit = try parameters.integer("limit", in: Self.pageSizes) ?? Self.usualPageSize
        query.cursor = try parameters.value("cursor", "must be the nextCursor of a page before") { AuditCursor($0) }
        let page = try await log.page(query)
        return Self.answer([
            "items": .array(page.items), "nextCursor": page.next.map { .string($0.text) } ?? .null,
        ])
    }

    /// Checkpoints say nothing of anybody: who keeps one can prove later that the log was not cut back.
    private func checkpoints(_ request: Request) async throws -> Response {
        _ = try await principal(of: request, scope: Scope.read.rawValue)
        let parameters = QueryParameters(request)
        let limit = try parameters.integer("limit", in: Self.pageSizes) ?? Self.usualPageSize
        let below = try parameters.integer("cursor", in: 1...Int.max) ?? Int.max
        let found = try await log.checkpoints(below: below, limit: limit + 1)
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { String($0.checkpoint.index) } : nil
        return Self.answer([
            "items": .array(page.map(\.json)), "nextCursor": next.map { .string($0) } ?? .null,
        ])
    }

    private static func answer(_ json: JSON) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: json.encoded())))
    }

    private func export(_ request: Request, _ context: some RequestContext) async throws -> Response {
        _ = try await principal(of: request, scope: Self.exportScope)
        let headers: HTTPFields = [
            .contentType: "application/x-ndjson", .cacheControl: "no-store",
            .contentDisposition: #"attachment; filename="audit.ndjson""#,
        ]
        let logger = context.logger
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                do {
                    try await log.export { try await writer.write(ByteBuffer(bytes: $0)) }
                } catch {
                    // The status is out: that the body breaks off is all that can still be said.
                    logger.error("export broke off", metadata: ["error": "\(error)"])
                    throw error
                }
                try await writer.finish(nil)
            })
    }
}

/// The query of a request; problems name the parameter.
private struct QueryParameters {
    private let request: Request

    init(_ request: Request) { self.request = request }

    subscript(name: String) -> String? { request.uri.queryParameters[Substring(name)].map(String.init) }

    func value<Value>(_ name: String, _ message: String, _ read: (String) -> Value?) throws -> Value? {
        guard let text = self[name] else { return nil }
        guard let value = read(text) else { throw Problem.invalid(name, message) }
        return value
    }

    func instant(_ name: String) throws -> Instant? {
        try value(name, "must be an instant, such as 2026-01-31T09:26:53Z") { Instant($0) }
    }

    func id(_ name: String) throws -> UUID? {
        try value(name, "must be an id, such as 0192f0c1-2b3c-7d4e-8f90-123456789abc") { UUID(uuidString: $0) }
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        try value(name, "must be from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension AuditCursor {
    /// The years 1 to 9999.
    private static let times: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    /// Clients must not read anything into it.
    var text: String { "\(time.microsecondsSince1970).\(event.text)" }

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let time = Int64(parts[0]), Self.times.contains(time),
            let event = UUID(uuidString: String(parts[1]))
        else {
            return nil
        }
        self.init(time: Instant(microsecondsSince1970: time), event: event)
    }
}
