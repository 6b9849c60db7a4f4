import HTTPTransport
import StructuredData
import Testing

@testable import KubernetesClient

private func line(_ type: String, _ object: JSON) -> [UInt8] {
    let event: JSON = ["type": JSON(type), "object": object]
    return event.encoded() + [10]
}

private func bookmark(_ version: String, end: Bool = false) -> JSON {
    var json: JSON = ["kind": "ConfigMap", "apiVersion": "v1", "metadata": ["resourceVersion": JSON(version)]]
    if end { json.set("true", at: "metadata", "annotations", "k8s.io/initial-events-end") }
    return json
}

@Suite struct WatchDecoderTests {
    @Test func everyTypeIsRead() {
        var decoder = WatchDecoder()
        let events = decoder.feed(
            line("ADDED", configMap("a")) + line("MODIFIED", configMap("a", version: 2))
                + line("DELETED", configMap("a", version: 3)) + line("BOOKMARK", bookmark("4"))
                + line("BOOKMARK", bookmark("5", end: true)) + line("ERROR", status(410, "Expired", "too old")))
        #expect(
            events == [
                .added(KubernetesObject(configMap("a"))), .modified(KubernetesObject(configMap("a", version: 2))),
                .deleted(KubernetesObject(configMap("a", version: 3))),
                .bookmark(resourceVersion: "4", initialEventsEnd: false),
                .bookmark(resourceVersion: "5", initialEventsEnd: true),
                .error(Status(json: status(410, "Expired", "too old"))),
            ])
        guard case .error(let status) = events.last else { return }
        #expect(status.isGone)
        #expect(status.message == "too old")
    }

    @Test func anySplitIntoChunksGivesTheSameEvents() {
        var bytes: [UInt8] = []
        for number in 0..<40 {
            bytes += line("ADDED", configMap("näme-\(number)", version: number + 1))
            if number % 5 == 0 { bytes += Array("{broken\n\r\n".utf8) }
            if number % 7 == 0 { bytes += line("BOOKMARK", bookmark("\(number)")) }
        }
        var whole = WatchDecoder()
        let expected = whole.feed(bytes)
        #expect(expected.count == 40 + 8 + 6)
        var random = SystemRandomNumberGenerator()
        for round in 0..<200 {
            var decoder = WatchDecoder()
            var events: [WatchEvent] = []
            var rest = bytes[...]
            let longest = round < 50 ? 3 : 400
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...longest, using: &random))
                events += decoder.feed(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(events == expected)
            #expect(decoder.finish() == nil)
        }
    }

    @Test(arguments: [
        ("{", "not JSON"), ("[]", "no type and object"), (#"{"type":"ADDED"}"#, "no type and object"),
        (#"{"type":"ADDED","object":{"metadata":{}}}"#, "object without metadata.name"),
        (#"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"#, "object without metadata.name or"),
        (#"{"type":"BOOKMARK","object":{}}"#, "bookmark without metadata.resourceVersion"),
        (#"{"type":"NEWS","object":{"metadata":{"name":"a","resourceVersion":"1"}}}"#, "unknown type NEWS"),
    ])
    func aBadEventCostsOnlyItself(text: String, reason: String) {
        var decoder = WatchDecoder()
        let events = decoder.feed(
            line("ADDED", configMap("a")) + Array(text.utf8) + [10] + line("ADDED", configMap("b")))
        #expect(events.count == 3)
        guard case .undecodable(let bytes, let why) = events[1] else {
            Issue.record("\(events[1])")
            return
        }
        #expect(bytes == Array(text.utf8))
        #expect(why.hasPrefix(reason), "\(why)")
        #expect(events[2] == .added(KubernetesObject(configMap("b"))))
    }

    @Test func aLineThatIsTooLongIsReportedOnceAndPassedOver() {
        var decoder = WatchDecoder(maximumLineLength: 1000)
        var events: [WatchEvent] = []
        for _ in 0..<50 { events += decoder.feed([UInt8](repeating: 65, count: 100)) }
        events += decoder.feed([10] + line("ADDED", configMap("b")))
        #expect(events.count == 2)
        guard case .undecodable(_, "longer than 1000 bytes") = events.first else {
            Issue.record("\(events)")
            return
        }
        #expect(events.last == .added(KubernetesObject(configMap("b"))))
    }

    @Test func theLastLineNeedsNoNewlineButMustBeWhole() {
        let bytes = line("ADDED", configMap("a")).dropLast()
        var whole = WatchDecoder()
        #expect(whole.feed(Array(bytes)).isEmpty)
        #expect(whole.finish() == .added(KubernetesObject(configMap("a"))))
        var cut = WatchDecoder()
        #expect(cut.feed(Array(bytes.dropLast())).isEmpty)
        #expect(cut.finish() == nil)
    }
}

@Suite struct WatchStreamTests {
    @Test func eventsComeInOrderAndTheServersEndEndsTheStream() async throws {
        let server = StubServer([
            .chunks([line("ADDED", configMap("a")) + line("ADDED", configMap("b")), line("BOOKMARK", bookmark("9"))])
        ])
        let options = WatchOptions(labelSelector: "a=b", resourceVersion: "7")
        let stream = try await server.client().watch(.configMaps, namespace: "home", options: options)
        var events: [WatchEvent] = []
        for try await event in stream { events.append(event) }
        #expect(
            events == [
                .added(KubernetesObject(configMap("a"))), .added(KubernetesObject(configMap("b"))),
                .bookmark(resourceVersion: "9", initialEventsEnd: false),
            ])
        #expect(
            server.requests.first?.path == "/api/v1/namespaces/home/configmaps?watch=true&labelSelector=a%3Db"
                + "&resourceVersion=7&timeoutSeconds=200&allowWatchBookmarks=true")
        let total = try #require(server.raw.first?.totalTimeout)
        #expect(total > .seconds(204) && total <= .seconds(205), "five seconds after the server's own end")
    }

    @Test func aWatchMayNotBeLongerThan200Seconds() {
        var options = WatchOptions(timeoutSeconds: 3600)
        #expect(options.timeoutSeconds == 200)
        options.timeoutSeconds = 500
        #expect(options.clientDeadline == .seconds(205))
        #expect(options.query.text.contains("timeoutSeconds=200"))
    }

    @Test func initialEventsAreAskedForWithTheirMatch() {
        let options = WatchOptions(resourceVersion: "0", allowBookmarks: false, sendInitialEvents: true)
        #expect(
            options.query.text == "watch=true&resourceVersion=0&timeoutSeconds=200&allowWatchBookmarks=true"
                + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
    }

    @Test func anErrorEventIsTheLastOne() async throws {
        let server = StubServer([
            .chunks([line("ERROR", status(410, "Expired")) + line("ADDED", configMap("a"))])
        ])
        var count = 0
        for try await event in try await server.client().watch(.configMaps) {
            count += 1
            guard case .error(let status) = event else {
                Issue.record("\(event)")
                continue
            }
            #expect(status.isGone)
        }
        #expect(count == 1)
    }

    @Test func aMuteConnectionIsATimeoutThatNamesTheWatch() async throws {
        let server = StubServer([.chunks([line("ADDED", configMap("a"))], then: .timeout(.total))])
        let stream = try await server.client().watch(.configMaps)
        let error = await apiError { () async throws(APIError) in
            var iterator = stream.makeAsyncIterator()
            while try await iterator.next() != nil {}
        }
        #expect(error?.isTimeout == true)
        #expect(error?.description.hasPrefix("watch /api/v1/configmaps: ") == true)
    }

    @Test func aVersionThatIsTooOldIsGoneOnOpening() async {
        let server = StubServer([.answer(410, status(410, "Expired"))])
        let error = await apiError { () async throws(APIError) in try await server.client().watch(.configMaps) }
        #expect(error?.isGone == true)
        #expect(error?.verb == "watch")
    }
}
