import HTTPTypes
import StructuredData
import Testing

@testable import KubernetesClient

@Suite struct DiscoveryTests {
    private func aggregated(_ items: JSON) -> JSON {
        ["kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items]
    }

    @Test func aggregatedDiscoveryTakesTwoRequests() async throws {
        let core = aggregated([
            [
                "metadata": [:],
                "versions": [
                    [
                        "version": "v1", "freshness": "Current",
                        "resources": [
                            [
                                "resource": "pods", "responseKind": ["group": "", "version": "", "kind": "Pod"],
                                "scope": "Namespaced", "singularResource": "pod", "verbs": ["get", "list"],
                                "shortNames": ["po"], "categories": ["all"],
                                "subresources": [["subresource": "log", "verbs": ["get"]]],
                            ]
                        ],
                    ]
                ],
            ]
        ])
        let groups = aggregated([
            ["metadata": ["name": "metrics.k8s.io"], "versions": [["version": "v1beta1", "freshness": "Stale"]]]
        ])
        let server = StubServer([.answer(200, core), .answer(200, groups)])
        let discovery = try await server.client().discovery()
        #expect(server.requests.map(\.path) == ["/api", "/apis"])
        #expect(server.requests.allSatisfy { $0.headers[.accept]?.contains("as=APIGroupDiscoveryList") == true })
        let pods = try #require(discovery.resource(.pods))
        #expect(
            pods
                == DiscoveredResource(
                    type: .pods, singular: "pod", shortNames: ["po"], categories: ["all"], verbs: ["get", "list"],
                    subresources: ["log"]))
        #expect(discovery.serves(group: "metrics.k8s.io"))
        #expect(discovery.failures.keys.sorted() == ["metrics.k8s.io/v1beta1"])
        #expect(!discovery.serves(.deployments))
    }

    @Test func olderServersAreAskedGroupByGroup() async throws {
        let server = StubServer([
            .answer(200, ["kind": "APIVersions", "versions": ["v1"]]),
            .answer(
                200,
                [
                    "kind": "APIResourceList", "groupVersion": "v1",
                    "resources": [
                        ["name": "pods", "kind": "Pod", "namespaced": true, "singularName": "pod", "verbs": ["get"]],
                        ["name": "pods/log", "kind": "Pod", "namespaced": true, "verbs": ["get"]],
                    ],
                ]),
            .answer(
                200,
                [
                    "kind": "APIGroupList",
                    "groups": [
                        [
                            "name": "apps", "versions": [["version": "v1beta1"], ["version": "v1"]],
                            "preferredVersion": ["version": "v1"],
                        ]
                    ],
                ]),
            .answer(
                200,
                [
                    "kind": "APIResourceList",
                    "resources": [["name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": []]],
                ]), .answer(500, status(500, "InternalError", "broken")),
        ])
        let discovery = try await server.client().discovery()
        #expect(
            server.requests.map(\.path) == ["/api", "/api/v1", "/apis", "/apis/apps/v1", "/apis/apps/v1beta1"])
        #expect(discovery.resource(.pods)?.subresources == ["log"])
        #expect(discovery.resource(group: "apps", kind: "Deployment")?.type == .deployments)
        #expect(discovery.failures["apps/v1beta1"]?.contains("broken") == true)
    }

    @Test func anAPIThatIsAbsentIsNil() async throws {
        let server = StubServer([
            .answer(404, status(404, "NotFound")), .text(404, "404 page not found\n"),
            .answer(503, status(503, "ServiceUnavailable")),
        ])
        var client = server.client()
        client.maximumRetries = 0
        #expect(try await client.resources(group: "dapr.io", version: "v1alpha1") == nil)
        #expect(try await client.resources(group: "dapr.io", version: "v1alpha1") == nil)
        let error = await apiError { [client] () async throws(APIError) in
            try await client.resources(group: "dapr.io", version: "v1alpha1")
        }
        #expect(error?.status?.code == 503, "a server that is away says nothing about what it serves")
    }
}
