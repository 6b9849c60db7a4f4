import Concurrency
import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

@testable import Dapr

/// A sidecar that notes what it is asked and answers what it is told.
private final class ScriptedSidecar: Sendable {
    let requests = Lock<[ClientRequest]>([])
    private let answers: Lock<[(Int, String)]>

    init(_ answers: (Int, String)...) { self.answers = Lock(answers) }

    var client: DaprClient {
        var configuration = DaprClient.Configuration(endpoint: "http://sidecar", apiToken: "secret")
        configuration.timeout = .seconds(5)
        return DaprClient(
            configuration,
            transport: InMemoryTransport { request in
                self.requests.withLock { $0.append(request) }
                let (status, body) = self.answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
                var chunk: [UInt8]? = body.isEmpty ? nil : Array(body.utf8)
                let once = Lock(chunk)
                chunk = nil
                return ClientResponse(
                    status: .init(code: status), headers: [.eTag: "7"],
                    body: ResponseBody {
                        once.withLock { bytes in
                            defer { bytes = nil }
                            return bytes
                        }
                    })
            })
    }

    var paths: [String] { requests.withLock { $0.map { String($0.url.dropFirst("http://sidecar".count)) } } }
    var body: JSON {
        guard case .bytes(let bytes) = requests.withLock({ $0.last?.body }) else { return .null }
        return (try? JSON(parsing: bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
    }
}

struct DaprClientTests {
    @Test func publishesWithTheKeyInTheQueryAndTheToken() async throws {
        let sidecar = ScriptedSidecar((204, ""))
        try await sidecar.client.publish(OutgoingEvent(["id": "1"], partitionKey: "a b/ü"), to: "t/1", of: "bus")
        #expect(sidecar.paths == ["/v1.0/publish/bus/t%2F1?metadata.partitionKey=a%20b%2F%C3%BC"])
        let headers = sidecar.requests.withLock { $0[0].headers }
        #expect(headers[.contentType] == "application/cloudevents+json")
        #expect(headers[HTTPField.Name("dapr-api-token")!] == "secret")
    }

    @Test func bulkPublishKeepsOrderBytesAndKeysPerEntry() async throws {
        let sidecar = ScriptedSidecar((204, ""))
        let events = [
            OutgoingEvent(body: Array(#"{"n": 1.50}"#.utf8), partitionKey: "u1"),
            OutgoingEvent(body: [0, 255], contentType: "application/octet-stream", metadata: ["ttlInSeconds": "5"]),
            OutgoingEvent(body: Array("plain \"text\"".utf8), contentType: "text/plain"),
        ]
        #expect(try await sidecar.client.publish(events, to: "t", of: "bus") == [])
        #expect(sidecar.paths == ["/v1.0/publish/bulk/bus/t"])
        let expected: JSON = [
            [
                "entryId": "0", "contentType": "application/cloudevents+json", "metadata": ["partitionKey": "u1"],
                "event": ["n": .number(JSONNumber(text: "1.50")!)],
            ],
            [
                "entryId": "1", "contentType": "application/octet-stream", "metadata": ["ttlInSeconds": "5"],
                "event": "AP8=",
            ],
            ["entryId": "2", "contentType": "text/plain", "event": "plain \"text\""],
        ]
        #expect(sidecar.body == expected)
    }

    @Test func bulkPublishSaysWhichWereNotTaken() async throws {
        let answer = #"{"failedEntries":[{"entryId":"1","error":"full"}],"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE"}"#
        let sidecar = ScriptedSidecar((500, answer))
        let events = [OutgoingEvent(["id": "1"]), OutgoingEvent(["id": "2"])]
        #expect(
            try await sidecar.client.publish(events, to: "t", of: "bus") == [RejectedEvent(index: 1, reason: "full")])
    }

    @Test func aRequestHasAtMostAMegabyteAndOrderIsKeptAcrossRequests() async throws {
        let failed = #"{"failedEntries":[{"entryId":"1","error":"full"}]}"#
        let sidecar = ScriptedSidecar((500, failed), (204, ""))
        let events = (0..<6).map { index in
            OutgoingEvent(
                ["id": .string("\(index)"), "data": .string(String(repeating: "x", count: 300_000))],
                partitionKey: index.isMultiple(of: 2) ? "a" : "b")
        }
        let rejected = try await sidecar.client.publish(events, to: "t", of: "bus")
        let sizes = sidecar.requests.withLock { $0 }.map { request in
            if case .bytes(let bytes) = request.body { bytes.count } else { 0 }
        }
        #expect(sizes.count == 2 && sizes.allSatisfy { (300_000..<1 << 20).contains($0) }, "\(sizes)")
        // The second request goes without those that would overtake what was not taken.
        #expect(sidecar.body.array?.map { $0.at("event", "id") } == ["4"])
        #expect(rejected.map(\.index) == [1, 3, 5] && rejected[0].reason == "full")
    }

    @Test func whatWentOutBeforeAFailureIsNoError() async throws {
        let sidecar = ScriptedSidecar((204, ""), (503, #"{"errorCode":"ERR","message":"away"}"#))
        let events = (0..<9).map { _ in
            OutgoingEvent(["data": .string(String(repeating: "x", count: 300_000))], partitionKey: "a")
        }
        let rejected = try await sidecar.client.publish(events, to: "t", of: "bus")
        #expect(rejected.map(\.index) == [3, 4, 5, 6, 7, 8] && rejected[0].reason.contains("away"))
        #expect(sidecar.paths.count == 2, "nothing is tried after it")
    }

    @Test func aRefusalOfTheWholeBatchIsAnError() async {
        let sidecar = ScriptedSidecar((404, #"{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"no bus"}"#))
        await #expect(throws: DaprError.refused(status: 404, code: "ERR_PUBSUB_NOT_FOUND", message: "no bus")) {
            try await sidecar.client.publish([OutgoingEvent(["id": "1"])], to: "t", of: "bus")
        }
    }

    @Test func readsAndWritesState() async throws {
        let sidecar = ScriptedSidecar((200, #"{"a":1}"#), (204, ""), (409, ""))
        let value = try await sidecar.client.state("k", in: "store")
        #expect(value == StateValue(value: ["a": 1], etag: "7"))
        #expect(try await sidecar.client.state("k", in: "store") == nil)
        do throws(DaprError) {
            try await sidecar.client.setState("k", to: 2, etag: "6", in: "store")
            Issue.record("a stale etag was taken")
        } catch { #expect(error.isEtagMismatch) }
        #expect(
            sidecar.body == [
                ["key": "k", "value": 2, "etag": "6", "options": ["concurrency": "first-write"]]
            ])
    }

    @Test func waitsForTheSidecarUntilItIsReady() async throws {
        let sidecar = ScriptedSidecar((500, ""), (500, ""), (204, ""))
        try await sidecar.client.waitUntilReady(within: .seconds(60))
        #expect(sidecar.paths == Array(repeating: "/v1.0/healthz/outbound", count: 3))
        let late = ScriptedSidecar((500, ""))
        await #expect(throws: DaprError.notReady(waited: .zero)) {
            try await late.client.waitUntilReady(within: .zero)
        }
    }

    @Test(arguments: [
        (["DAPR_HTTP_PORT": "3600"], "http://127.0.0.1:3600"), ([:], "http://127.0.0.1:3500"),
        (["DAPR_HTTP_PORT": "1", "DAPR_HTTP_ENDPOINT": "http://10.0.0.1:80/"], "http://10.0.0.1:80"),
    ]) func readsItsEnvironment(_ environment: [String: String], _ endpoint: String) {
        let configuration = DaprClient.Configuration(environment: environment)
        #expect(configuration.endpoint == endpoint)
        #expect(configuration.apiToken == nil)
    }
}
