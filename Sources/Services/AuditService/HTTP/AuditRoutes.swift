internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

/// `/v1/audit`: the log as people see it.
struct AuditRoutes: Sendable {
    private static let pageSizes = 1...200
    private static let usualPageSize = 50
    static let exportScope = "audit:export"

    let log: AuditLog
    let authenticator: any TokenAuthenticator

    func add<Context: RequestContext>(to router: Router<Context>) {
        router.get("/v1/audit") { request, _ in try await list(request) }
        router.get("/v1/audit/checkpoints") { request, _ in try await checkpoints(request) }
        router.get("/v1/audit/export") { request, context in try await export(request, context) }
    }

    private func list(_ request: Request) async throws -> Response {
        let principal = try await authenticator.principal(of: request, scope: Scope.read.rawValue)
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
        _ = try await authenticator.principal(of: request, scope: Scope.read.rawValue)
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
        _ = try await authenticator.principal(of: request, scope: Self.exportScope)
        let headers: HTTPFields = [
            .contentType: "application/x-ndjson", .cacheControl: "no-store",
            .contentDisposition: #"attachment; filename="audit.ndjson""#,
        ]
        return Response(
            status: .ok, headers: headers, body: .stream(context.logger) { write in try await log.export(write) })
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
