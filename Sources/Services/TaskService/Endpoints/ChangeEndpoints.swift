internal import FoundationEssentials
internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/changes`: incremental synchronisation.
struct ChangeEndpoints: Sendable {
    private static let pageSizes = 1...1000
    private static let longestWait = 30

    let watch: ChangeWatch
    let authenticator: Authenticator
    /// More than any page or script has reason to be in at once.
    private let room = WaitingRoom(seats: 10)

    init(watch: ChangeWatch, authenticator: Authenticator) {
        self.watch = watch
        self.authenticator = authenticator
    }

    var all: [Endpoint] {
        [
            Endpoint(
                method: .get, path: "/v1/changes", name: "listChanges",
                summary:
                    "What changed since a cursor, however old, in each owner's order; what is gone comes as deleted.",
                query: [
                    .init(
                        name: "after", schema: ["type": "string"],
                        explanation:
                            "The cursor of the page before; none begins with everything, and now gives the present cursor alone. One from before a restore, which is ahead of what there is, is answered with 410."
                    ),
                    .init(
                        name: "limit", schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 500],
                        explanation: "The most that a page holds."),
                    .init(
                        name: "wait", schema: ["type": "integer", "minimum": 0, "maximum": 30, "default": 0],
                        explanation:
                            "How many seconds to wait for a change when there is none; ten requests of a token may wait at once."
                    ),
                ], outcomes: [.init(status: .ok, schema: "ChangePage")]
            ) { call in try await list(call) }
        ]
    }

    private func list(_ call: Call) async throws -> Answer {
        let limit = try call.integer("limit", in: Self.pageSizes, default: 500)
        let wait = try call.integer("wait", in: 0...Self.longestWait, default: 0)
        var cursor = ChangeCursor()
        if let text = try call.query("after") {
            if text == "now" {
                let present = try await call.database.changes.present(for: call.user())
                return Answer(.ok, ["items": [], "cursor": .string("\(present)"), "more": false])
            }
            guard let read = ChangeCursor(text) else {
                throw Problem.invalid("after", "must be the cursor of a page before, or now")
            }
            cursor = read
        }
        var page = try await call.database.changes.page(after: cursor, limit: limit, for: call.user())
        if page.changes.isEmpty, wait > 0 {
            page = try await room.wait(call.bearer?.limitKey ?? "") {
                try await next(after: page.next, limit: limit, before: .now + .seconds(wait), call)
            }
            // The token may have been revoked meanwhile, also by another replica.
            _ = try await authenticator.bearer(of: call.request, asksAnew: true)
        }
        return Answer(.ok, Self.json(page))
    }

    /// The page after a cursor as soon as there is something on it; an empty one when the time is over.
    private func next(
        after cursor: ChangeCursor, limit: Int, before end: ContinuousClock.Instant, _ call: Call
    ) async throws -> ChangeFeed.Page {
        let user = try call.user()
        var cursor = cursor
        while true {
            await watch.wait(for: user, beyond: cursor, atMost: ContinuousClock.now.duration(to: end))
            try Task.checkCancellation()
            let page = try await call.database.changes.page(after: cursor, limit: limit, for: user)
            guard page.changes.isEmpty, .now < end else { return page }
            cursor = page.next
        }
    }

    private static func json(_ page: ChangeFeed.Page) -> JSON {
        let items = page.changes.map { change -> JSON in
            var item: JSONObject = [
                "type": .string(change.type), "seq": JSON(change.seq), "user": JSON(change.user),
                "id": JSON(change.id), "deleted": JSON(change.isDeleted),
            ]
            item[change.type] = change.body
            return .object(item)
        }
        return ["items": .array(items), "cursor": .string("\(page.next)"), "more": JSON(page.hasMore)]
    }
}
