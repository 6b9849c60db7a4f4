internal import FoundationEssentials
internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/deliveries`: what became of what a person was to be told.
struct DeliveryEndpoints: Sendable {
    private static let path = "/v1/deliveries"
    private static let lifetime = EnqueueRules().lifetime

    let store: NotificationStore
    let now: @Sendable () -> Instant
    let didEnqueue: @Sendable () -> Void

    var all: [NotificationEndpoint] {
        [
            NotificationEndpoint(
                method: .get, path: Self.path, name: "listDeliveries",
                summary: "What was sent to you or is to be, the newest first; state=dead lists the dead letters.",
                scope: .read,
                query: [
                    ("state", OpenAPI.deliveryState, "Only these."),
                    ("limit", ["type": "integer", "minimum": 1, "maximum": 200], "50 unless given."),
                    ("cursor", ["type": "string"], "The nextCursor of the page before."),
                ], outcome: (.ok, "DeliveryPage")
            ) { try await list($0) },
            NotificationEndpoint(
                method: .get, path: "\(Self.path)/{id}", name: "getDelivery", summary: "Read a delivery.",
                scope: .read, outcome: (.ok, "Delivery")
            ) { call in .init(status: .ok, json: try await store.delivery(call.id(), of: call.user).json) },
            NotificationEndpoint(
                method: .post, path: "\(Self.path)/{id}/replay", name: "replayDelivery",
                summary: "Try a dead delivery anew, with the same id.", scope: .write, outcome: (.accepted, "Delivery")
            ) { call in
                let delivery = try await store.replay(call.id(), of: call.user, lifetime: Self.lifetime, at: now())
                didEnqueue()
                return .init(status: .accepted, json: delivery.json)
            },
        ]
    }

    private func list(_ call: NotificationEndpoint.Call) async throws -> NotificationEndpoint.Answer {
        let parameters = QueryParameters(call.request)
        let names = NotificationDelivery.State.allCases.map(\.rawValue).joined(separator: ", ")
        let state = try parameters.value("state", "must be one of \(names)") {
            NotificationDelivery.State(rawValue: $0)
        }
        let cursor = try parameters.value("cursor", "must be the nextCursor of a page before") { UUID(uuidString: $0) }
        let limit = try parameters.integer("limit", in: 1...200) ?? 50
        let found = try await store.deliveries(of: call.user, in: state, before: cursor, limit: limit + 1)
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last?.id : nil
        return .init(
            status: .ok,
            json: ["items": .array(page.map(\.json)), "nextCursor": JSON(next) { JSON($0) }])
    }
}
