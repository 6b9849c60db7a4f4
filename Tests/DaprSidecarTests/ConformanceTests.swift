import Concurrency
import Dapr
import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

/// What a service may rely on of any sidecar (contract sections 2 to 4). Runs against the embedded one, and against a
/// real one where `DAPR_HTTP_ENDPOINT` names it: see Resources/objects.yaml.
@Suite(.timeLimit(.minutes(10))) struct ConformanceTests {
    private let sidecar: ConformanceSidecar
    private let marker = UUID().uuidString

    init() async throws {
        sidecar = try await ConformanceSidecar.shared.value
        try await sidecar.client.waitUntilReady()
        _ = try await eventually("all subscriptions are served") { [sidecar] in
            try await sidecar.client.metadata().subscriptions.count >= 7 ? true : nil
        }
    }

    // MARK: - The sidecar itself

    @Test func tellsWhatItHas() async throws {
        let metadata = try await sidecar.client.metadata()
        #expect(metadata.id == "conformance")
        #expect(!metadata.runtimeVersion.isEmpty)
        #expect(metadata.components.contains { $0.name == "conformance-pubsub" && $0.type == "pubsub.kafka" })
        #expect(metadata.components.contains { $0.name == "conformance-state" && $0.type == "state.postgresql" })
        let topics = Set(metadata.subscriptions.map(\.topic))
        #expect(topics.isSuperset(of: ["single", "bulk", "codes", "routes", "raw", "dead", "declared"]))
        #expect(metadata.subscriptions.first { $0.topic == "single" }?.deadLetterTopic == "dead")
        #expect(await sidecar.client.isHealthy())
    }

    @Test func asksForItsToken() async throws {
        guard sidecar.client.configuration.apiToken != nil else { return }
        var configuration = sidecar.client.configuration
        for token in [nil, "wrong"] {
            configuration.apiToken = token
            let stranger = DaprClient(configuration)
            do throws(DaprError) {
                _ = try await stranger.metadata()
                Issue.record("a stranger was let in")
            } catch {
                guard case .refused(401, _, _) = error else { throw error }
            }
            #expect(await stranger.isOutboundHealthy())
        }
    }

    // MARK: - Publishing

    @Test func aCloudEventIsDeliveredAsItIs() async throws {
        try await sidecar.publish(ConformanceSidecar.event(marker, ["n": 1.5]), key: "user-1", to: "single")
        let arrival = try await sidecar.arrivals(of: marker)[0]
        #expect(arrival.event["id"]?.string == marker)
        #expect(arrival.event["type"] == "dev.test")
        #expect(arrival.event["source"] == "/tests")
        #expect(arrival.event["partitionkey"] == "own attribute")
        #expect(arrival.event["topic"] == "single")
        #expect(arrival.event["pubsubname"] == "conformance-pubsub")
        #expect(arrival.event["time"]?.string != nil)
        #expect(arrival.event["traceparent"]?.string != nil)
        #expect(arrival.event.at("data", "n")?.double == 1.5)
        #expect(arrival.metadata["__key"] == "user-1")
        #expect(arrival.metadata["__topic"] == "single")
        #expect(arrival.metadata["__partition"].flatMap { Int($0) } != nil)
        #expect(arrival.metadata["__offset"].flatMap { Int($0) } != nil)
    }

    @Test(arguments: ["single", "bulk"])
    func anEventKeepsItsTraceAndTheSidecarSaysWhereItIs(_ topic: String) async throws {
        let marker = "\(marker)\(topic)"
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        var event = ConformanceSidecar.event(marker)
        for name in ["topic", "pubsubname"] { event[name] = "elsewhere" }
        event["traceparent"] = .string(trace)
        #expect(try await sidecar.client.publish([OutgoingEvent(event)], to: topic, of: ConformanceApp.pubsub) == [])
        let arrival = try await sidecar.arrivals(of: marker)[0]
        #expect(arrival.event["topic"]?.string == topic)
        #expect(arrival.event["pubsubname"]?.string == ConformanceApp.pubsub)
        #expect(arrival.event["traceparent"]?.string == trace)
        #expect(arrival.event["traceid"]?.string == trace)
    }

    @Test func jsonBecomesTheDataOfAnEvent() async throws {
        let body: JSON = ["marker": .string(marker)]
        try await sidecar.client.publish(
            OutgoingEvent(
                body: body.encoded(), contentType: "application/json", metadata: ["cloudevent.type": "my.type"]),
            to: "single", of: ConformanceApp.pubsub)
        let event = try await sidecar.arrivals(of: marker)[0].event
        #expect(event["data"] == body)
        #expect(event["type"] == "my.type")
        #expect(event["source"] == "conformance")
        #expect(event["specversion"] == "1.0")
        #expect(event["datacontenttype"] == "application/json")
        #expect(event["id"]?.string?.isEmpty == false)
    }

    @Test func textAndBytesBecomeTheDataOfAnEvent() async throws {
        try await sidecar.client.publish(
            OutgoingEvent(body: Array(marker.utf8), contentType: "text/plain"), to: "single", of: ConformanceApp.pubsub)
        #expect(try await sidecar.arrivals(of: marker)[0].event["type"] == "com.dapr.event.sent")
        let bytes = [0, 255] + Array(marker.utf8)
        try await sidecar.client.publish(
            OutgoingEvent(body: bytes, contentType: "application/octet-stream"), to: "single",
            of: ConformanceApp.pubsub)
        let encoded = Data(bytes).base64EncodedString()
        #expect(try await sidecar.arrivals(of: encoded)[0].event["data"] == nil)
    }

    @Test func rawPayloadsPassWithoutAnEnvelope() async throws {
        let bytes = Array("raw \(marker)".utf8)
        try await sidecar.client.publish(
            OutgoingEvent(body: bytes, contentType: "application/octet-stream", metadata: ["rawPayload": "true"]),
            to: "raw", of: ConformanceApp.pubsub)
        let event = try await sidecar.arrivals(of: Data(bytes).base64EncodedString())[0].event
        #expect(event["id"]?.string?.isEmpty == false)
    }

    @Test func bulkKeepsTheOrderOfEachKey() async throws {
        let markers = (0..<300).map { "\(marker)-\($0)" }
        for start in stride(from: 0, to: 300, by: 100) {
            let events = (start..<start + 100).map { number in
                OutgoingEvent(ConformanceSidecar.event(markers[number]), partitionKey: "key-\(number % 7)")
            }
            #expect(try await sidecar.client.publish(events, to: "bulk", of: ConformanceApp.pubsub) == [])
        }
        for marker in markers {
            let arrivals = try await sidecar.arrivals(of: marker)
            #expect(arrivals[0].isBulk)
            #expect(arrivals[0].event["id"]?.string == marker)
        }
        let order = sidecar.app.order.withLock { $0 }.filter { $0.hasPrefix(marker) }
        let numbers = order.compactMap { Int($0.dropFirst(marker.count + 1)) }
        for key in 0..<7 {
            #expect(numbers.filter { $0 % 7 == key } == (0..<300).filter { $0 % 7 == key })
        }
        #expect(try await sidecar.arrivals(of: markers[8])[0].metadata["__key"] == "key-1")
    }

    @Test func bulkTakesMixedContentTypes() async throws {
        let text = "text \(marker)"
        let events = [
            OutgoingEvent(body: Array(text.utf8), contentType: "text/plain"),
            OutgoingEvent(body: [9] + Array(marker.utf8), contentType: "application/octet-stream"),
            OutgoingEvent(body: Array(#"{"marker":"json \#(marker)"}"#.utf8), contentType: "application/json"),
        ]
        #expect(try await sidecar.client.publish(events, to: "bulk", of: ConformanceApp.pubsub) == [])
        _ = try await sidecar.arrivals(of: text)
        _ = try await sidecar.arrivals(of: Data([9] + Array(marker.utf8)).base64EncodedString())
        _ = try await sidecar.arrivals(of: "json \(marker)")
    }

    @Test(arguments: [("no-such-pubsub", "single", 404), ("conformance-pubsub", "not-in-scope", 403)])
    func refusesWhatItCannotPublish(_ pubsub: String, _ topic: String, _ status: Int) async throws {
        let event = OutgoingEvent(ConformanceSidecar.event(marker))
        do throws(DaprError) {
            try await sidecar.client.publish(event, to: topic, of: pubsub)
            Issue.record("it was published")
        } catch {
            guard case .refused(status, _, _) = error else { throw error }
        }
    }

    // MARK: - Answers

    @Test(arguments: ["single", "bulk"]) func aRetryComesAgainAndThenNoMore(_ topic: String) async throws {
        let event = ConformanceSidecar.event("\(marker)\(topic)", script: ["RETRY", "RETRY"])
        try await sidecar.publish(event, key: "r", to: topic)
        _ = try await sidecar.arrivals(of: "\(marker)\(topic)", count: 3)
        // The next event of the key proves that this one is settled.
        try await sidecar.publish(ConformanceSidecar.event("after \(marker)\(topic)"), key: "r", to: topic)
        _ = try await sidecar.arrivals(of: "after \(marker)\(topic)")
        #expect(sidecar.app.arrivals(of: "\(marker)\(topic)").count == 3)
    }

    @Test(arguments: ["single", "bulk"]) func aDropGoesToTheDeadLetterTopic(_ topic: String) async throws {
        let marker = "\(marker)\(topic)"
        try await sidecar.publish(ConformanceSidecar.event(marker, script: ["DROP"]), key: "d", to: topic)
        let arrivals = try await sidecar.arrivals(of: marker, count: 2)
        #expect(arrivals.map(\.path) == ["/\(topic)", "/dead"])
        #expect(arrivals[0].event["data"] == arrivals[1].event["data"])
    }

    @Test func notFoundIsADrop() async throws {
        try await sidecar.publish(ConformanceSidecar.event(marker, script: ["404", "204"]), to: "codes")
        #expect(try await sidecar.arrivals(of: marker, count: 2).map(\.path) == ["/codes", "/dead"])
    }

    @Test func aFailureIsTriedAgainAsResiliencySays() async throws {
        try await sidecar.publish(ConformanceSidecar.event(marker, script: ["500", "503", "204"]), to: "codes")
        _ = try await sidecar.arrivals(of: marker, count: 3)
        let hopeless = "hopeless \(marker)"
        let script = Array(repeating: "500", count: 4) + ["204"]
        try await sidecar.publish(ConformanceSidecar.event(hopeless, script: script), to: "codes")
        let arrivals = try await sidecar.arrivals(of: hopeless, count: 5)
        // The first attempt, three more, and then the dead letter topic.
        #expect(arrivals.map(\.path) == ["/codes", "/codes", "/codes", "/codes", "/dead"])
    }

    // MARK: - Subscriptions

    @Test func rulesChooseThePath() async throws {
        for (name, type, kind) in [("a", "kind.a", nil), ("b", "other", "bee"), ("rest", "other", "c")] {
            let event = ConformanceSidecar.event(
                "\(name) \(marker)", type: type, kind.map { ["kind": .string($0)] } ?? [:])
            try await sidecar.publish(event, to: "routes")
            #expect(try await sidecar.arrivals(of: "\(name) \(marker)")[0].path == "/routes/\(name)")
        }
    }

    @Test func aSubscriptionObjectCounts() async throws {
        try await sidecar.publish(ConformanceSidecar.event(marker), to: "declared")
        #expect(try await sidecar.arrivals(of: marker)[0].path == "/declared")
    }

    @Test func whatHasExpiredIsADeadLetter() async throws {
        // It waits behind an event of its key for longer than it lives.
        let key = "expiry \(marker)"
        let slow = "slow \(marker)"
        try await sidecar.publish(ConformanceSidecar.event(slow, script: ["slow"]), key: key, to: "codes")
        var event = OutgoingEvent(ConformanceSidecar.event(marker), partitionKey: key)
        event.metadata = ["ttlInSeconds": "1"]
        try await sidecar.client.publish(event, to: "codes", of: ConformanceApp.pubsub)
        try await Task.sleep(for: .milliseconds(1500))  // by the clock of the sidecar it lives for a second
        sidecar.app.letGo(of: slow)
        let arrivals = try await sidecar.arrivals(of: marker)
        #expect(arrivals.map(\.path) == ["/dead"])
        #expect(arrivals[0].event["expiration"]?.string != nil)
    }

    @Test func aCronBindingCallsItsRoute() async throws {
        let headers = try await eventually("two triggers") { [sidecar] in
            let headers = sidecar.app.cronHeaders.withLock { $0 }
            return headers.count >= 2 ? headers : nil
        }
        #expect(headers[0][HTTPField.Name("readTimeUTC")!]?.isEmpty == false)
    }

    // MARK: - State and secrets

    @Test func stateIsReadAsItWasWritten() async throws {
        let (client, store) = (sidecar.client, "conformance-state")
        #expect(try await client.state(marker, in: store) == nil)
        try await client.setState(marker, to: ["a": [1, "ü", nil]], in: store)
        let first = try #require(try await client.state(marker, in: store))
        #expect(first.value == ["a": [1, "ü", nil]])
        let etag = try #require(first.etag)
        try await client.setState(marker, to: 2, etag: etag, in: store)
        do throws(DaprError) {
            try await client.setState(marker, to: 3, etag: etag, in: store)
            Issue.record("a stale etag was taken")
        } catch { #expect(error.isEtagMismatch) }
        do throws(DaprError) {
            try await client.deleteState(marker, etag: etag, in: store)
            Issue.record("a stale etag was taken")
        } catch { #expect(error.isEtagMismatch) }
        #expect(try await client.state(marker, in: store)?.value == 2)
        try await client.deleteState(marker, in: store)
        #expect(try await client.state(marker, in: store) == nil)
    }

    @Test func aTransactionIsAllOrNothing() async throws {
        let (client, store) = (sidecar.client, "conformance-state")
        let (one, two) = ("1-\(marker)", "2-\(marker)")
        try await client.transact([.put(key: one, value: 1), .put(key: two, value: 2)], in: store)
        let etag = try #require(try await client.state(one, in: store)?.etag)
        try await client.transact([.put(key: one, value: 10, etag: etag), .delete(key: two)], in: store)
        #expect(try await client.state(one, in: store)?.value == 10)
        #expect(try await client.state(two, in: store) == nil)
        do throws(DaprError) {
            try await client.transact([.put(key: two, value: 3), .put(key: one, value: 4, etag: etag)], in: store)
            Issue.record("a stale etag was taken")
        } catch {
            guard case .refused(500, _, _) = error else { throw error }
        }
        #expect(try await client.state(two, in: store) == nil)
    }

    @Test func aStateExpires() async throws {
        let (client, store) = (sidecar.client, "conformance-state")
        let kept = "kept-\(marker)"
        try await client.setState(kept, to: 1, timeToLive: 600, in: store)
        let begin = ContinuousClock.now
        try await client.setState(marker, to: 2, timeToLive: 1, in: store)
        _ = try await eventually("it is gone") { try await client.state(marker, in: store) == nil ? true : nil }
        #expect(ContinuousClock.now - begin >= .milliseconds(900), "not before its time")
        #expect(try await client.state(kept, in: store)?.value == 1)
    }

    @Test func secretsAreRead() async throws {
        // A sidecar outside of Kubernetes has no store of that name.
        guard sidecar.isEmbedded else { return }
        #expect(try await sidecar.client.secret("login") == ["user": "ann", "password": "ünïcode"])
        for (name, namespace) in [("nothing", nil), ("login", "other")] {
            await #expect(throws: DaprError.self) {
                try await sidecar.client.secret(name, namespace: namespace)
            }
        }
    }
}
