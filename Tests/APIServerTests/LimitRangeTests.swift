import HTTPTypes
import StructuredData
import Testing

@testable import APIServer

/// Limit ranges give new pods their defaults, and bound them.
struct LimitRangeTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private static func server(_ limit: JSON) async throws -> TestServer {
        let server = try await TestServer()
        let made = await server.send(
            .post, "/api/v1/namespaces/default/limitranges",
            ["metadata": ["name": "l"], "spec": ["limits": [limit]]])
        #expect(made.code == 201)
        return server
    }

    private static func pod(_ resources: JSON) -> JSON {
        ["metadata": ["name": "a"], "spec": ["containers": [["name": "c", "image": "i", "resources": resources]]]]
    }

    /// A limit without a request is a request of the same amount before limit ranges are asked.
    @Test("a container gets the requests and limits that it does not name")
    func defaults() async throws {
        let limit: JSON = [
            "type": "Container", "default": ["cpu": "500m", "memory": "256Mi"], "defaultRequest": ["cpu": "100m"],
        ]
        let server = try await Self.server(limit)
        let pod = await server.send(.post, Self.pods, Self.pod(["limits": ["memory": "1Gi"]]))
        #expect(
            pod.json.at("spec", "containers")?[0]?["resources"] == [
                "limits": ["memory": "1Gi", "cpu": "500m"], "requests": ["memory": "1Gi", "cpu": "100m"],
            ])
        #expect(
            pod.json.at("metadata", "annotations", "kubernetes.io/limit-ranger")
                == "LimitRanger plugin set: cpu request for container c; cpu limit for container c")
    }

    @Test("a pod out of bounds is refused, with every bound that it breaks")
    func bounds() async throws {
        let limit: JSON = [
            "type": "Container", "min": ["cpu": "100m"], "max": ["cpu": "1", "memory": "1Gi"],
            "maxLimitRequestRatio": ["cpu": "2"],
        ]
        let server = try await Self.server(limit)
        let small: JSON = ["requests": ["cpu": "10m", "memory": "1Gi"], "limits": ["cpu": "2", "memory": "2Gi"]]
        let refused = await server.send(.post, Self.pods, Self.pod(small))
        #expect(refused.code == 403 && refused.reason == "Forbidden")
        #expect(
            refused.message
                == #"pods "a" is forbidden: [minimum cpu usage per Container is 100m, but request is 10m, "#
                + "maximum cpu usage per Container is 1, but limit is 2, "
                + "maximum memory usage per Container is 1Gi, but limit is 2Gi, "
                + "cpu max limit to request ratio per Container is 2, but provided ratio is 200.000000]")
        let fitting: JSON = ["requests": ["cpu": "500m"], "limits": ["cpu": "1", "memory": "1Gi"]]
        #expect(await server.send(.post, Self.pods, Self.pod(fitting)).code == 201)
    }

    @Test("a pod's sum and a claim's size are bounded too")
    func sums() async throws {
        let server = try await Self.server(["type": "Pod", "max": ["memory": "1Gi"]])
        let refused = await server.send(.post, Self.pods, Self.pod([:]))
        #expect(
            refused.message
                == #"pods "a" is forbidden: maximum memory usage per Pod is 1Gi.  No limit is specified"#)

        let claims = try await Self.server(["type": "PersistentVolumeClaim", "max": ["storage": "1Gi"]])
        let claim = await claims.send(
            .post, "/api/v1/namespaces/default/persistentvolumeclaims",
            [
                "metadata": ["name": "a"],
                "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "2Gi"]]],
            ])
        #expect(
            claim.message
                == #"persistentvolumeclaims "a" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, "#
                + "but request is 2Gi")
    }
}
