import HTTPTypes
import StructuredData
import Testing

@testable import Dapr

struct DeliveryTests {
    @Test func declaresSubscriptions() {
        var subscription = TopicSubscription(pubsub: "bus", topic: "tasks", path: "/events/tasks")
        #expect(subscription.json == ["pubsubname": "bus", "topic": "tasks", "route": "/events/tasks"])
        subscription.rules = [.init(match: #"event.type == "done""#, path: "/events/done")]
        subscription.deadLetterTopic = "dead"
        subscription.metadata = ["rawPayload": "true"]
        subscription.bulk = .init(maxMessages: 100, maxAwaitMilliseconds: 20)
        let expected: JSON = [
            "pubsubname": "bus", "topic": "tasks",
            "routes": [
                "rules": [["match": #"event.type == "done""#, "path": "/events/done"]], "default": "/events/tasks",
            ],
            "deadLetterTopic": "dead", "metadata": ["rawPayload": "true"],
            "bulkSubscribe": ["enabled": true, "maxMessagesCount": 100, "maxAwaitDurationMs": 20],
        ]
        #expect(subscription.json == expected)
        #expect(subscription.paths == ["/events/done", "/events/tasks"])
    }

    @Test func readsAndAnswersOneEvent() throws {
        let headers: HTTPFields = [HTTPField.Name("__partition")!: "3", .contentType: "application/cloudevents+json"]
        let delivery = try Delivery(body: Array(#"{"id":"1","data":{}}"#.utf8), headers: headers)
        #expect(delivery == .single(DeliveredEvent(event: ["id": "1", "data": [:]], metadata: ["__partition": "3"])))
        #expect(delivery.answer([.drop]) == ["status": "DROP"])
        #expect(delivery.answer([]) == ["status": "RETRY"])
    }

    @Test func readsAndAnswersABatchInItsOrder() throws {
        let body: JSON = [
            "id": "batch", "type": "com.dapr.event.sent.bulk", "topic": "tasks", "pubsubname": "bus",
            "entries": [
                ["entryId": "0", "event": ["id": "a"], "metadata": ["__key": "u"], "contentType": "x"],
                ["entryId": "1", "event": "AP8="],
            ],
        ]
        let delivery = try Delivery(body: body.encoded())
        #expect(delivery.events.map(\.event) == [["id": "a"], "AP8="])
        #expect(delivery.events[0].metadata == ["__key": "u"])
        #expect(
            delivery.answer([.success]) == [
                "statuses": [["entryId": "0", "status": "SUCCESS"], ["entryId": "1", "status": "RETRY"]]
            ])
    }

    @Test(arguments: ["", "[1]", "nonsense", #"{"type":"com.dapr.event.sent.bulk","entries":[{"event":{}}]}"#])
    func refusesWhatIsNoDelivery(_ text: String) {
        #expect(throws: DeliveryError.self) { try Delivery(body: Array(text.utf8)) }
    }

    @Test func onlyTheRightTokenIsAdmitted() {
        let token = AppToken("right")
        let name = HTTPField.Name("dapr-api-token")!
        #expect(token.admits([name: "right"]))
        for wrong in ["", "righ", "rightt", "wrong", "RIGHT"] { #expect(!token.admits([name: wrong])) }
        #expect(!token.admits([:]))
        #expect(AppToken(environment: ["APP_API_TOKEN": ""]) == nil)
        #expect(AppToken(environment: ["APP_API_TOKEN": "t"])?.admits([name: "t"]) == true)
    }
}
