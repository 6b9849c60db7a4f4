import HTTPTypes
import StructuredData
import Testing

@testable import APIServer

/// HorizontalPodAutoscalers in their two versions, which are views of the same objects.
struct AutoscalerTests {
    private static let version1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    private static let version2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
    private static let target: JSON = ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"]

    private static func object(_ spec: JSON) -> JSON {
        var spec = spec
        spec["scaleTargetRef"] = target
        return ["metadata": ["name": "web"], "spec": spec]
    }

    @Test("one of v1 is one of v2: its CPU target is a metric there, and its defaults are those of v2")
    func fromVersion1() async throws {
        let server = try await TestServer()
        let created = await server.send(
            .post, Self.version1, Self.object(["maxReplicas": 3, "targetCPUUtilizationPercentage": 70]))
        #expect(created.code == 201)
        #expect(created.json.at("spec", "minReplicas") == 1)
        let shown = await server.send(.get, "\(Self.version2)/web")
        #expect(shown.json["apiVersion"] == "autoscaling/v2")
        let cpu: JSON = ["name": "cpu", "target": ["averageUtilization": 70, "type": "Utilization"]]
        #expect(shown.json.at("spec", "metrics") == [["resource": cpu, "type": "Resource"]])
        #expect(shown.json.at("metadata", "annotations") == nil)

        await server.send(.delete, "\(Self.version1)/web")
        await server.send(.post, Self.version1, Self.object(["maxReplicas": 3]))
        let defaulted = await server.send(.get, "\(Self.version1)/web")
        #expect(defaulted.json.at("spec", "targetCPUUtilizationPercentage") == 80)
    }

    @Test("what v1 cannot say rides in annotations: a read and a write in v1 lose nothing")
    func roundTrip() async throws {
        let server = try await TestServer()
        let metrics: JSON = [
            [
                "type": "Resource",
                "resource": ["name": "memory", "target": ["type": "AverageValue", "averageValue": "1Gi"]],
            ],
            [
                "type": "Pods",
                "pods": ["metric": ["name": "hits"], "target": ["type": "AverageValue", "averageValue": "10"]],
            ],
            [
                "type": "Object",
                "object": [
                    "describedObject": Self.target, "metric": ["name": "depth"],
                    "target": ["type": "Value", "value": "5"],
                ],
            ],
            [
                "type": "External",
                "external": [
                    "metric": ["name": "lag", "selector": ["matchLabels": ["topic": "a"]]],
                    "target": ["type": "AverageValue", "averageValue": "200"],
                ],
            ],
        ]
        let behavior: JSON = ["scaleDown": ["stabilizationWindowSeconds": 60]]
        let created = await server.send(
            .post, Self.version2, Self.object(["maxReplicas": 3, "metrics": metrics, "behavior": behavior]))
        #expect(created.code == 201)
        let old = await server.send(.get, "\(Self.version1)/web")
        let annotation = old.json.at("metadata", "annotations", "autoscaling.alpha.kubernetes.io/metrics")?.string
        let flat = try JSON(parsing: Array((annotation ?? "").utf8))
        #expect(flat[0] == ["type": "Resource", "resource": ["name": "memory", "targetAverageValue": "1Gi"]])
        #expect(flat[3]?.at("external", "metricSelector", "matchLabels", "topic") == "a")
        #expect(old.json.at("spec", "targetCPUUtilizationPercentage") == nil)

        var changed = old.json
        changed.set(5, at: "spec", "maxReplicas")
        #expect(await server.send(.put, "\(Self.version1)/web", changed).code == 200)
        let new = await server.send(.get, "\(Self.version2)/web")
        #expect(new.json.at("spec", "maxReplicas") == 5)
        #expect(new.json.at("spec", "metrics") == created.json.at("spec", "metrics"))
        #expect(new.json.at("spec", "behavior") == created.json.at("spec", "behavior"))
    }

    @Test("a status of v2 shows in v1, where a write of the object cannot change it")
    func status() async throws {
        let server = try await TestServer()
        let created = await server.send(.post, Self.version2, Self.object(["maxReplicas": 3]))
        var measured = created.json
        let current: JSON = ["name": "cpu", "current": ["averageUtilization": 40, "averageValue": "400m"]]
        let conditions: JSON = [["type": "AbleToScale", "status": "True"]]
        measured["status"] = [
            "currentReplicas": 2, "desiredReplicas": 2, "conditions": conditions,
            "currentMetrics": [["type": "Resource", "resource": current]],
        ]
        #expect(await server.send(.put, "\(Self.version2)/web/status", measured).code == 200)
        var old = await server.send(.get, "\(Self.version1)/web").json
        #expect(old.at("status", "currentCPUUtilizationPercentage") == 40)
        old.set(nil, at: "metadata", "annotations")
        old.set(4, at: "spec", "maxReplicas")
        #expect(await server.send(.put, "\(Self.version1)/web", old).code == 200)
        let new = await server.send(.get, "\(Self.version2)/web").json
        #expect(new.at("spec", "maxReplicas") == 4)
        #expect(new.at("status", "currentMetrics")?[0]?["resource"] == current)
        #expect(new.at("status", "conditions")?[0]?["type"] == "AbleToScale")
    }

    @Test("both versions are listed, watched, printed and checked alike")
    func views() async throws {
        let server = try await TestServer()
        await server.send(.post, Self.version2, Self.object(["maxReplicas": 3]))
        for path in [Self.version1, Self.version2] {
            #expect(await server.send(.get, path).names.contains("web"))
            let table = await server.send(.get, path, accept: TestServer.table)
            #expect(table.json["rows"]?[0]?["cells"]?[2] == "cpu: <unknown>/80%")
            let refused = await server.send(.post, path, ["metadata": ["name": "x"], "spec": ["maxReplicas": 0]])
            #expect(refused.message.contains("spec.maxReplicas: Invalid value: 0: must be greater than 0"))
            let applied = await server.send(
                .patch, "\(path)/applied?fieldManager=me",
                [
                    "apiVersion": .string(path == Self.version1 ? "autoscaling/v1" : "autoscaling/v2"),
                    "kind": "HorizontalPodAutoscaler", "metadata": ["name": "applied"],
                    "spec": ["maxReplicas": 9, "scaleTargetRef": Self.target],
                ], type: TestServer.apply)
            #expect(applied.code == (path == Self.version1 ? 201 : 200))
        }
        let groups = await server.send(.get, "/apis/autoscaling")
        #expect(groups.json.at("preferredVersion", "version") == "v2")
        #expect(groups.json["versions"]?.array?.count == 2)
    }
}
