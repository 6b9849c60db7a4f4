import HTTPTypes
import StructuredData
import Testing

@testable import APIServer

/// Resource quotas are enforced, and say what is used.
struct QuotaTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let quotas = "/api/v1/namespaces/default/resourcequotas"

    private static func server(_ hard: JSON, scopes: JSON = []) async throws -> TestServer {
        let server = try await TestServer()
        let spec: JSON = scopes.array?.isEmpty == true ? ["hard": hard] : ["hard": hard, "scopes": scopes]
        let made = await server.send(.post, quotas, ["metadata": ["name": "q"], "spec": spec])
        #expect(made.code == 201)
        return server
    }

    private static func pod(_ name: String, _ resources: JSON = [:]) -> JSON {
        [
            "metadata": ["name": .string(name)],
            "spec": ["containers": [["name": "c", "image": "i", "resources": resources]]],
        ]
    }

    private static func used(_ server: TestServer) async -> JSON? {
        await server.send(.get, "\(quotas)/q").json.at("status", "used")
    }

    @Test("objects are counted as they come and go; the one too many is refused")
    func counts() async throws {
        let server = try await Self.server(["pods": "2", "count/configmaps": "1", "configmaps": "1"])
        #expect(await Self.used(server) == ["configmaps": "0", "count/configmaps": "0", "pods": "0"])
        for name in ["a", "b"] { #expect(await server.send(.post, Self.pods, Self.pod(name)).code == 201) }
        let refused = await server.send(.post, Self.pods, Self.pod("c"))
        #expect(refused.code == 403 && refused.reason == "Forbidden")
        #expect(
            refused.message
                == #"pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"#)
        #expect(await Self.used(server)?["pods"] == "2")

        #expect(await server.configMap("m").code == 201)
        #expect(
            await server.configMap("n").message
                == #"configmaps "n" is forbidden: exceeded quota: q, requested: configmaps=1,count/configmaps=1, "#
                + "used: configmaps=1,count/configmaps=1, limited: configmaps=1,count/configmaps=1")
        await server.send(.delete, "\(TestServer.configMaps)/m")
        #expect(await Self.used(server)?["configmaps"] == "0")
        #expect(await server.configMap("n").code == 201)
    }

    @Test("a pod that has ended takes nothing but its place among the objects")
    func finishedPods() async throws {
        let server = try await Self.server(["pods": "1"])
        let pod = await server.send(.post, Self.pods, Self.pod("a"))
        var ended = pod.json
        ended.set("Succeeded", at: "status", "phase")
        #expect(await server.send(.put, "\(Self.pods)/a/status", ended).code == 200)
        #expect(await Self.used(server)?["pods"] == "0")
        #expect(await server.send(.post, Self.pods, Self.pod("b")).code == 201)
    }

    @Test("requests and limits are summed over containers; a pod must name what is limited")
    func compute() async throws {
        let server = try await Self.server(["requests.cpu": "1", "limits.memory": "1Gi"])
        let unnamed = await server.send(.post, Self.pods, Self.pod("a"))
        #expect(
            unnamed.message
                == #"pods "a" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c"#)
        let half: JSON = ["requests": ["cpu": "600m"], "limits": ["memory": "512Mi"]]
        #expect(await server.send(.post, Self.pods, Self.pod("a", half)).code == 201)
        #expect(await Self.used(server) == ["limits.memory": "512Mi", "requests.cpu": "600m"])
        #expect(
            await server.send(.post, Self.pods, Self.pod("b", half)).message
                == #"pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, "#
                + "used: requests.cpu=600m, limited: requests.cpu=1")
    }

    @Test("a service that turns into one with node ports is checked again")
    func services() async throws {
        let server = try await Self.server(["services": "2", "services.nodeports": "0"])
        let path = "/api/v1/namespaces/default/services"
        let service: JSON = ["metadata": ["name": "a"], "spec": ["ports": [["port": 80]]]]
        #expect(await server.send(.post, path, service).code == 201)
        let refused = await server.send(
            .patch, "\(path)/a", ["spec": ["type": "NodePort"]], type: TestServer.merge)
        #expect(
            refused.message.contains("exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=0"))
    }

    @Test("a quota with scopes is about the pods that match")
    func scopes() async throws {
        let server = try await Self.server(["pods": "0"], scopes: ["BestEffort"])
        #expect(await server.send(.post, Self.pods, Self.pod("a")).code == 403)
        let burstable: JSON = ["requests": ["cpu": "1m"]]
        #expect(await server.send(.post, Self.pods, Self.pod("a", burstable)).code == 201)
        #expect(await server.configMap("m").code == 201)
    }

    @Test("racing creates do not pass the limit")
    func races() async throws {
        let server = try await Self.server(["count/configmaps": "5"])
        let codes = await withTaskGroup(of: Int.self) { group in
            for index in 0..<40 { group.addTask { await server.configMap("m\(index)").code } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.filter { $0 == 201 }.count == 5)
        #expect(codes.filter { $0 == 403 }.count == 35)
        #expect(await Self.used(server) == ["count/configmaps": "5"])
    }

    @Test("custom resources and dry runs are held against a quota too; a dry run takes nothing")
    func dryRun() async throws {
        let server = try await Self.server(["count/deployments.apps": "0", "count/configmaps": "1"])
        let path = "\(TestServer.configMaps)?dryRun=All"
        #expect(await server.send(.post, path, ["metadata": ["name": "a"]]).code == 201)
        #expect(await server.configMap("a").code == 201)
        #expect(await server.send(.post, path, ["metadata": ["name": "b"]]).code == 403)
    }
}
