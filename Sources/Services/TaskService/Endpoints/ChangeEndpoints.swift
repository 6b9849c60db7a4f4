internal import Concurrency
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
    /// How often to look while waiting, for what other processes write.
    private static let interval: Duration = .milliseconds(500)

    let commits: Signal

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
                            "The cursor of the page before; none begins with everything, and now gives the present cursor alone."
                    ),
                    .init(
                        name: "limit", schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 500],
                        explanation: "The most that a page holds."),
                    .init(
                        name: "wait", schema: ["type": "integer", "minimum": 0, "maximum": 30, "default": 0],
                        explanation: "How many seconds to wait for a change when there is none."),
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
                let present = try await call.database.changes.present(for: call.user().id)
                return Answer(.ok, ["items": [], "cursor": .string("\(present)"), "more": false])
            }
            guard let read = ChangeCursor(text) else {
                throw Problem.invalid("after", "must be the cursor of a page before, or now")
            }
            cursor = read
        }
        let end = ContinuousClock().now + .seconds(wait)
        while true {
            let page = try await call.database.changes.page(after: cursor, limit: limit, for: call.user().id)
            guard page.changes.isEmpty, ContinuousClock().now < end else { return Answer(.ok, Self.json(page)) }
            await commits.wait(atMost: Self.interval)
            try Task.checkCancellation()
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
