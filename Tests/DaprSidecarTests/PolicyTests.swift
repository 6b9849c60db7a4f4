import KubernetesClient
import StructuredData
import Testing

@testable import DaprSidecar

struct PolicyTests {
    private func policy(_ spec: JSON) -> DeliveryPolicy {
        DeliveryPolicy(inboundOf: "bus", [KubernetesObject(["spec": spec])])
    }

    @Test func aTargetNamesItsPolicies() {
        let policy = policy([
            "policies": [
                "timeouts": ["short": "1500ms"],
                "retries": [
                    "often": [
                        "policy": "constant", "duration": "2s", "maxRetries": 7,
                        "matching": ["httpStatusCodes": "429,500-504"],
                    ],
                    "DefaultRetryPolicy": ["policy": "constant", "duration": "9s"],
                ],
            ],
            "targets": ["components": ["bus": ["inbound": ["timeout": "short", "retry": "often"]]]],
        ])
        #expect(policy.timeout == .milliseconds(1500))
        #expect(policy.retry?.duration == .seconds(2))
        #expect(policy.retry?.maxRetries == 7)
        #expect([429, 500, 503, 504].allSatisfy { policy.retry?.covers(status: $0) == true })
        #expect(policy.retry?.covers(status: 400) == false)
        #expect(policy.retry?.covers(status: nil) == true)
    }

    @Test func whatIsNoTargetTakesTheNearestDefault() {
        let retries: JSON = [
            "DefaultRetryPolicy": ["duration": "1s"], "DefaultComponentInboundRetryPolicy": ["duration": "2s"],
            "DefaultPubsubComponentInboundRetryPolicy": ["duration": "3s", "maxRetries": -1],
        ]
        let nearest = policy(["policies": ["retries": retries], "targets": [:]])
        #expect(nearest.retry?.duration == .seconds(3))
        #expect(nearest.retry?.maxRetries == nil)
        #expect(policy(["policies": [:], "targets": [:]]).retry == nil)
    }

    @Test func exponentialDelaysGrowToTheirLimit() {
        let retry = policy([
            "policies": ["retries": ["DefaultRetryPolicy": ["policy": "exponential", "maxInterval": "10s"]]],
            "targets": [:],
        ]).retry
        let delays = (1...20).compactMap { retry?.delay(after: $0, jitter: 0.5) }
        #expect(delays.first == .milliseconds(500))
        #expect(delays == delays.sorted())
        #expect(delays.last == .seconds(10))
        #expect(delays.count == 20)
    }

    @Test func scopesSayWhoMayUseATopic() {
        let component = Component(
            name: "bus", type: "pubsub.kafka", namespace: "n",
            values: [
                "publishingScopes": "a=t1, t2;b=", "protectedTopics": "t3", "allowedTopics": "t1,t2,t3",
            ])
        #expect(component.allows(.publishing, to: "t2", by: "a"))
        #expect(!component.allows(.publishing, to: "t3", by: "a"))
        #expect(!component.allows(.publishing, to: "t1", by: "b"))
        #expect(component.allows(.publishing, to: "t1", by: "c"))
        #expect(!component.allows(.publishing, to: "t3", by: "c"))
        #expect(!component.allows(.publishing, to: "t4", by: "c"))
        #expect(component.allows(.subscribing, to: "t1", by: "b"))
    }

    @Test func rulesAreAskedInOrderAndMayFail() throws {
        let rules = try RouteRules([
            .init(match: #"event.data.kind == "x""#, path: "/x"), .init(match: "", path: "/rest"),
        ])
        #expect(try rules.path(for: Array(#"{"data":{"kind":"x"}}"#.utf8)) == "/x")
        #expect(try rules.path(for: Array(#"{"data":{"kind":"y"}}"#.utf8)) == "/rest")
        #expect(throws: (any Error).self) { try rules.path(for: Array("{}".utf8)) }
        #expect(throws: (any Error).self) { try RouteRules([.init(match: "event.", path: "/")]) }
    }
}
