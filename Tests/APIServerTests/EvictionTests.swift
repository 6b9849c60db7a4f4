import HTTPTypes
import StructuredData
import Testing

@testable import APIServer

struct EvictionTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"

    /// A server with running pods that the budgets of `create(budget:)` select.
    private static func server(pods names: String...) async throws -> TestServer {
        let server = try await TestServer()
        for name in names { await create(pod: name, on: server) }
        return server
    }

    private static func create(pod name: String, phase: String = "Running", on server: TestServer) async {
        await server.send(
            .post, pods,
            [
                "metadata": ["name": .string(name), "labels": ["app": "x"]],
                "spec": ["containers": [["name": "main", "image": "i"]]],
            ])
        await server.send(
            .patch, "\(pods)/\(name)/status", ["status": ["phase": .string(phase)]], type: TestServer.merge)
    }

    private static func create(budget name: String = "b", _ more: JSON = [:], on server: TestServer) async {
        var spec: JSON = ["minAvailable": 1, "selector": ["matchLabels": ["app": "x"]]]
        for (key, value) in more.object ?? [:] { spec[key] = value }
        await server.send(.post, budgets, ["metadata": ["name": .string(name)], "spec": spec])
    }

    /// As the controller writes it when it has seen the budget.
    private static func setStatus(budget name: String = "b", _ members: JSON, on server: TestServer) async {
        var status: JSON = ["observedGeneration": 1]
        for (key, value) in members.object ?? [:] { status[key] = value }
        await server.send(.patch, "\(budgets)/\(name)/status", ["status": status], type: TestServer.merge)
    }

    @discardableResult
    private static func evict(
        _ name: String, _ options: JSON? = nil, query: String = "", on server: TestServer
    ) async -> TestServer.Answer {
        var eviction: JSON = [
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": .string(name)],
        ]
        eviction["deleteOptions"] = options
        return await server.send(.post, "\(pods)/\(name)/eviction\(query)", eviction)
    }

    private static func isThere(_ name: String, on server: TestServer) async -> Bool {
        await server.send(.get, "\(pods)/\(name)").code == 200
    }

    @Test("an eviction deletes the pod, unless a budget forbids it")
    func eviction() async throws {
        let server = try await Self.server(pods: "p")
        await Self.create(on: server)
        await Self.setStatus(["disruptionsAllowed": 0, "desiredHealthy": 1], on: server)
        let refused = await Self.evict("p", on: server)
        #expect(refused.code == 429 && refused.reason == "TooManyRequests")
        #expect(refused.message == "Cannot evict pod as it would violate the pod's disruption budget.")
        let cause = refused.json.at("details", "causes")?[0]
        #expect(cause?["message"] == "The disruption budget b needs 1 healthy pods and has 0 currently")
        // A client that is told when to come back would wait without a word.
        #expect(refused.headers[.retryAfter] == nil)
        await Self.setStatus(["disruptionsAllowed": 1], on: server)
        #expect(await Self.evict("p", on: server).code == 201)
        #expect(await !Self.isThere("p", on: server))
    }

    @Test("no eviction goes by a status that the budget's controller has not brought up to date")
    func budgetNotObserved() async throws {
        let server = try await Self.server(pods: "p")
        await Self.create(on: server)
        func expectRefused() async {
            let refused = await Self.evict("p", on: server)
            #expect(refused.code == 429 && refused.headers[.retryAfter] == "10")
            let cause = refused.json.at("details", "causes")?[0]
            #expect(cause?["reason"] == "DisruptionBudget")
            #expect(cause?["message"] == "The disruption budget b is still being processed by the server.")
        }
        await expectRefused()
        await Self.setStatus(["disruptionsAllowed": 1], on: server)
        await server.send(
            .patch, "\(Self.budgets)/b", ["spec": ["minAvailable": 2]], type: TestServer.merge)
        await expectRefused()
        await Self.setStatus(["disruptionsAllowed": 1, "observedGeneration": 2], on: server)
        #expect(await Self.evict("p", on: server).code == 201)
    }

    @Test("what has not begun, has ended or is on its way out holds nothing up", arguments: ["Pending", "Failed"])
    func withoutBudget(phase: String) async throws {
        let server = try await Self.server()
        await Self.create(pod: "p", phase: phase, on: server)
        await Self.create(on: server)
        #expect(await Self.evict("p", on: server).code == 201)
        #expect(await !Self.isThere("p", on: server))
    }

    @Test("a pod that is not ready goes as its budget says")
    func notReady() async throws {
        let server = try await Self.server(pods: "p", "q", "r")
        await Self.create(["unhealthyPodEvictionPolicy": "AlwaysAllow"], on: server)
        await Self.setStatus(["disruptionsAllowed": 0, "desiredHealthy": 2, "currentHealthy": 1], on: server)
        #expect(await Self.evict("p", on: server).code == 201)
        await server.send(
            .patch, "\(Self.budgets)/b", ["spec": ["unhealthyPodEvictionPolicy": nil]], type: TestServer.merge)
        #expect(await Self.evict("q", on: server).code == 429)
        await Self.setStatus(["currentHealthy": 2, "observedGeneration": 2], on: server)
        #expect(await Self.evict("q", on: server).code == 201)
        // It takes nothing: the budget does not count it.
        #expect(await server.send(.get, "\(Self.budgets)/b").json.at("status", "disruptedPods") == nil)
        let ready: JSON = ["status": ["conditions": [["type": "Ready", "status": "True"]]]]
        await server.send(.patch, "\(Self.pods)/r/status", ready, type: TestServer.merge)
        #expect(await Self.evict("r", on: server).code == 429)
    }

    @Test("the pod says that it was evicted while it ends")
    func condition() async throws {
        let server = try await Self.server(pods: "p")
        let binding: JSON = ["metadata": ["name": "p"], "target": ["kind": "Node", "name": "n"]]
        #expect(await server.send(.post, "\(Self.pods)/p/binding", binding).code == 201)
        func conditions() async -> [JSON] {
            let pod = await server.send(.get, "\(Self.pods)/p").json
            return pod.at("status", "conditions")?.array?.filter { $0["type"] == "DisruptionTarget" } ?? []
        }
        #expect(await Self.evict("p", query: "?dryRun=All", on: server).code == 201)
        #expect(await conditions().isEmpty)
        #expect(await Self.evict("p", on: server).code == 201)
        let told = await conditions()
        #expect(told.count == 1 && told[0]["reason"] == "EvictionByEvictionAPI")
        let version = await server.send(.get, "\(Self.pods)/p").revision
        #expect(await Self.evict("p", on: server).code == 201)
        #expect(await server.send(.get, "\(Self.pods)/p").revision == version)
    }

    @Test("an eviction obeys its own delete options")
    func deleteOptions() async throws {
        let server = try await Self.server(pods: "p")
        await Self.create(on: server)
        await Self.setStatus(["disruptionsAllowed": 1], on: server)
        for wrong in [["uid": "another"], ["resourceVersion": "1"]] as [JSON] {
            #expect(await Self.evict("p", ["preconditions": wrong], on: server).code == 409)
        }
        #expect(await Self.evict("p", ["dryRun": ["none"]], on: server).code == 422)
        let other = await server.send(.post, "\(Self.pods)/p/eviction", ["metadata": ["name": "q"]])
        #expect(other.code == 400)
        #expect(other.message == "name in URL does not match name in Eviction object")
        // None of these was at the budget's expense.
        let status = await server.send(.get, "\(Self.budgets)/b").json["status"]
        #expect(status?["disruptionsAllowed"] == 1)
        let version = await server.send(.get, "\(Self.pods)/p").revision
        let right: JSON = ["preconditions": ["resourceVersion": .string(version)]]
        #expect(await Self.evict("p", right, on: server).code == 201)
    }

    @Test("a disruption that a budget allows is taken by one eviction")
    func evictions() async throws {
        let server = try await Self.server(pods: "a", "b")
        await Self.create(on: server)
        await Self.setStatus(["disruptionsAllowed": 1], on: server)
        var codes: [Int] = []
        for name in ["a", "b"] {
            for query in ["?dryRun=All", ""] { codes.append(await Self.evict(name, query: query, on: server).code) }
        }
        #expect(codes == [201, 201, 429, 429])
        let status = await server.send(.get, "\(Self.budgets)/b").json["status"]
        #expect(status?["disruptionsAllowed"] == 0 && status?.at("disruptedPods", "a")?.string != nil)
    }

    @Test("no eviction takes from two budgets, of which one could refuse")
    func evictionUnderTwoBudgets() async throws {
        let server = try await Self.server(pods: "p")
        for (name, allowed) in [("a", 1), ("b", 0)] {
            await Self.create(budget: name, on: server)
            await Self.setStatus(budget: name, ["disruptionsAllowed": JSON(allowed)], on: server)
        }
        #expect(await Self.evict("p", on: server).code == 500)
        let status = await server.send(.get, "\(Self.budgets)/a").json["status"]
        #expect(status?["disruptionsAllowed"] == 1 && status?["disruptedPods"] == nil)
    }
}
