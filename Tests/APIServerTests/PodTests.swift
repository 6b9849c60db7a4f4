import HTTPTransport
import HTTPTypes
import KubernetesClient
import StructuredData
import Testing

@testable import APIServer

private struct FakeRuntime: PodRuntime {
    func log(of pod: KubernetesObject, options: PodLogOptions) async throws(PodRuntimeError) -> ResponseBody {
        let text = "\(pod.name)/\(options.container) tail \(options.tailLines ?? -1) follow \(options.follow)\n"
        return .once(Array(text.utf8))
    }
}

struct PodTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private func pod(_ name: String, containers: [String] = ["main"], labels: JSON = [:]) -> JSON {
        [
            "metadata": ["name": .string(name), "labels": labels],
            "spec": ["containers": .array(containers.map { ["name": .string($0), "image": "i"] })],
        ]
    }

    @Test("a pod needs its service account, and gets the default one")
    func serviceAccount() async throws {
        let server = try await TestServer()
        let made = await server.send(.post, Self.pods, pod("p"))
        #expect(made.json.at("spec", "serviceAccountName") == "default")
        var other = pod("q")
        other.set("nobody", at: "spec", "serviceAccountName")
        let refused = await server.send(.post, Self.pods, other)
        #expect(refused.code == 403)
        #expect(refused.message.contains("serviceaccount \"nobody\" not found"))
    }

    @Test("a log needs to know its container; exec is refused with the reason")
    func containers() async throws {
        let server = try await TestServer()
        await server.send(.post, Self.pods, pod("p", containers: ["a", "b"]))
        let which = await server.send(.get, "\(Self.pods)/p/log")
        #expect(which.code == 400)
        #expect(which.message == "a container name must be specified for pod p, choose one of: [a b]")
        let wrong = await server.send(.get, "\(Self.pods)/p/log?container=c")
        #expect(wrong.message == "container c is not valid for pod p")
        #expect(await server.send(.get, "\(Self.pods)/p/log?container=a").code == 400)
        #expect(await server.send(.get, "\(Self.pods)/missing/log").code == 404)
        server.api.setPodRuntime(FakeRuntime())
        let log = await server.send(.get, "\(Self.pods)/p/log?container=b&tailLines=3&follow")
        #expect(log.text == "p/b tail 3 follow true\n")
        for (query, fault) in [
            ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
            ("sinceSeconds=\(Int.min)", "sinceSeconds: Invalid value: \(Int.min): must be greater than 0"),
            ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ] {
            let refused = await server.send(.get, "\(Self.pods)/p/log?container=b&\(query)")
            #expect(refused.code == 422 && refused.message == "PodLogOptions \"\" is invalid: \(fault)")
        }
        let exec = await server.send(.post, "\(Self.pods)/p/exec?command=ls", [:])
        #expect(exec.code == 403)
        #expect(exec.message.contains("exec is not supported"))
    }

    @Test("a pod has the priority of its class, which must be there; one class may be everybody's")
    func priority() async throws {
        let server = try await TestServer()
        func classed(_ name: String, _ priority: JSON) -> JSON {
            var result = pod(name)
            result.set(priority, at: "spec", "priorityClassName")
            return result
        }
        let critical = await server.send(.post, Self.pods, classed("critical", "system-node-critical"))
        #expect(critical.json.at("spec", "priority") == 2_000_001_000)
        let refused = await server.send(.post, Self.pods, classed("lost", "high"))
        #expect(refused.code == 403)
        #expect(refused.message == "pods \"lost\" is forbidden: no PriorityClass with name high was found")
        #expect(await server.send(.post, Self.pods, pod("plain")).json.at("spec", "priority") == 0)

        let classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
        let high: JSON = [
            "metadata": ["name": "high"], "value": 1_000, "globalDefault": true, "preemptionPolicy": "Never",
        ]
        #expect(await server.send(.post, classes, high).code == 201)
        let spec = await server.send(.post, Self.pods, pod("other")).json["spec"]
        #expect(spec?["priorityClassName"] == "high" && spec?["priority"] == 1_000)
        #expect(spec?["preemptionPolicy"] == "Never")
        let table = await server.send(.get, "\(classes)/high", accept: TestServer.table)
        let columns = table.json["columnDefinitions"]?.array?.compactMap { $0["name"]?.string }
        #expect(columns == ["Name", "Value", "Global-Default", "Age", "PreemptionPolicy"])
    }

    @Test("nothing is proxied to a pod, a service or a node, and no container is added to a pod that runs")
    func connections() async throws {
        let server = try await TestServer()
        await server.send(.post, Self.pods, pod("p"))
        let service = "/api/v1/namespaces/default/services/kubernetes"
        for target in ["\(Self.pods)/p/proxy", "\(service)/proxy/", "\(service)/proxy/healthz"] {
            let answer = await server.send(.get, target)
            #expect(answer.code == 403 && answer.message.contains("proxy is not supported"), "\(target)")
        }
        let containers = "\(Self.pods)/p/ephemeralcontainers"
        let debugger: JSON = ["spec": ["ephemeralContainers": [["name": "debugger", "image": "busybox"]]]]
        let refused = await server.send(.patch, containers, debugger, type: TestServer.strategic)
        #expect(refused.code == 403 && refused.message.contains("ephemeralcontainers is not supported"))
        #expect(await server.send(.get, containers).code == 200)
    }

    @Test("a binding puts a pod on a node, once")
    func binding() async throws {
        let server = try await TestServer()
        await server.send(.post, Self.pods, pod("p"))
        let binding: JSON = ["metadata": ["name": "p"], "target": ["kind": "Node", "name": "n1"]]
        #expect(await server.send(.post, "\(Self.pods)/p/binding", binding).code == 201)
        #expect(await server.send(.get, "\(Self.pods)/p").json.at("spec", "nodeName") == "n1")
        #expect(await server.send(.post, "\(Self.pods)/p/binding", binding).code == 409)

        await server.send(.post, Self.pods, pod("q"))
        let bindings = "/api/v1/namespaces/default/bindings"
        let second: JSON = ["metadata": ["name": "q"], "target": ["kind": "Node", "name": "n2"]]
        #expect(await server.send(.post, bindings, second).code == 201)
        #expect(await server.send(.get, "\(Self.pods)/q").json.at("spec", "nodeName") == "n2")
        #expect(await server.send(.post, bindings, ["target": ["name": "n2"]]).code == 400)
    }

    @Test("services get addresses that are given back")
    func services() async throws {
        let range = try #require(AddressRange("127.96.0.0/29"))
        let server = try await TestServer { $0.serviceRange = range }
        let services = "/api/v1/namespaces/default/services"
        func service(_ name: String, ip: JSON? = nil) -> JSON {
            var service: JSON = ["metadata": ["name": .string(name)], "spec": ["ports": [["port": 80]]]]
            service.set(ip, at: "spec", "clusterIP")
            return service
        }
        var taken: Set<String> = ["127.96.0.1"]
        for index in 0..<5 {
            let answer = await server.send(.post, services, service("s\(index)"))
            #expect(answer.code == 201, "\(answer.text)")
            taken.insert(answer.json.at("spec", "clusterIP")?.string ?? "")
        }
        #expect(taken == Set((1...6).map { "127.96.0.\($0)" }))
        #expect(await server.send(.post, services, service("full")).code != 201)
        await server.send(.delete, "\(services)/s0")
        #expect(await server.send(.post, "\(services)?dryRun=All", service("dry")).code == 201)
        #expect(await server.send(.post, services, service("again")).code == 201)
        let used = await server.send(.post, services, service("fixed", ip: "127.96.0.1"))
        #expect(used.code == 422)
    }
}
