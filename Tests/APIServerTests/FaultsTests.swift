import APIServer
import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

struct FaultsTests {
    @Test("a status fault answers matching requests as often as asked, then the server is itself again")
    func status() async throws {
        let server = try await TestServer()
        let id = server.api.faults.add(
            .status(429, retryAfterSeconds: 2), for: .init(verbs: ["create"], resource: "configmaps"), count: 2)
        #expect(await server.send(.get, TestServer.configMaps).code == 200)
        let first = await server.configMap("a")
        #expect(first.code == 429 && first.reason == "TooManyRequests")
        #expect(first.headers[.retryAfter] == "2")
        #expect(await server.configMap("a").code == 429)
        #expect(await server.configMap("a").code == 201)
        #expect(server.api.faults.hits(of: id) == 2)
    }

    @Test("a dropped connection is an error of the transport; the request was, or was not, carried out")
    func drops() async throws {
        let server = try await TestServer()
        let transport = server.api.transport(as: .admin)
        for (action, isDone) in [(Faults.Action.dropBefore, false), (.dropAfter, true)] {
            server.api.faults.add(action, count: 1)
            let name = isDone ? "done" : "undone"
            let body: JSON = ["metadata": ["name": .string(name)]]
            let request = ClientRequest(
                method: .post, url: "https://local\(TestServer.configMaps)", body: .bytes(body.encoded()))
            await #expect(throws: HTTPTransportError.self) { try await transport.send(request) }
            #expect(await server.send(.get, "\(TestServer.configMaps)/\(name)").code == (isDone ? 200 : 404))
        }
    }

    @Test("a mute watch is accepted and says nothing, until the client gives up")
    func mute() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        server.api.faults.add(.mute, for: .init(verbs: ["watch"]))
        let transport = server.api.transport(as: .admin)
        let response = try await transport.send(
            ClientRequest(url: "https://local\(TestServer.configMaps)?watch=1", idleTimeout: .seconds(3)))
        #expect(response.status == .ok)
        await #expect(throws: HTTPTransportError.timeout(.idle)) {
            for try await _ in response.body {}
        }
    }

    @Test("restarting ends watches and forgets revisions")
    func restart() async throws {
        let server = try await TestServer()
        let list = await server.send(.get, TestServer.configMaps)
        let watch = try #require(await server.watch("\(TestServer.configMaps)?watch=1&timeoutSeconds=60"))
        await server.configMap("a")
        server.api.forgetHistory()
        #expect(try await watch.summaries(2) == ["ADDED a"])
        let again = try #require(
            await server.watch("\(TestServer.configMaps)?watch=1&resourceVersion=\(list.revision)"))
        #expect(try await again.next()?["type"] == "ERROR")
    }
}
