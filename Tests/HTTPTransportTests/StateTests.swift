import HTTPTypes
import Testing

@testable import HTTPTransport

/// The parts without I/O.
@Suite struct DeadlinesTests {
    private func deadlines() -> Deadlines {
        Deadlines(start: .seconds(100), connect: .seconds(5), idle: .seconds(10), total: .seconds(60))
    }

    @Test func theConnectDeadlineCountsUntilConnectedAndTheIdleOneFromThere() {
        var deadlines = deadlines()
        #expect(deadlines.next == .seconds(105))
        #expect(deadlines.expired(at: .seconds(104)) == nil)
        #expect(deadlines.expired(at: .seconds(105)) == .connect)
        deadlines.connected(at: .seconds(104))
        #expect(deadlines.next == .seconds(114))
        #expect(deadlines.expired(at: .seconds(113)) == nil)
        #expect(deadlines.expired(at: .seconds(114)) == .idle)
    }

    @Test func everyByteBeginsTheIdleTimeAnew() {
        var deadlines = deadlines()
        deadlines.connected(at: .seconds(101))
        for second in stride(from: 105, to: 150, by: 9) {
            deadlines.moved(at: .seconds(second))
            #expect(deadlines.expired(at: .seconds(second + 9)) == nil)
        }
        #expect(deadlines.expired(at: .seconds(160)) == .total)
    }

    @Test func silenceThatTheReaderCausesIsNotTheServers() {
        var deadlines = deadlines()
        deadlines.connected(at: .seconds(101))
        deadlines.held()
        #expect(deadlines.next == .seconds(160))
        #expect(deadlines.expired(at: .seconds(159)) == nil)
        deadlines.resumed(at: .seconds(140))
        #expect(deadlines.expired(at: .seconds(150)) == .idle)
    }
}

@Suite struct ExchangeStateTests {
    private func receive(_ state: inout ExchangeState, _ count: Int) -> ExchangeState.Reception {
        [UInt8](repeating: 1, count: count).withUnsafeBytes { state.receive($0) }
    }

    @Test func whatIsUnreadIsHandedOutAsOneChunkAndThenTheEnd() {
        var state = ExchangeState(bufferLimit: 10)
        #expect(receive(&state, 3) == .taken)
        #expect(receive(&state, 4) == .taken)
        state.finish(.success(()))
        guard case .chunk(let chunk, resumesSender: false) = state.takeChunk() else { return _ = Issue.record() }
        #expect(chunk.count == 7)
        guard case .end = state.takeChunk() else { return _ = Issue.record() }
    }

    @Test func aFullBufferHoldsTheSenderUntilItIsRead() {
        var state = ExchangeState(bufferLimit: 10)
        #expect(receive(&state, 10) == .taken)
        #expect(receive(&state, 1) == .full)
        guard case .chunk(_, resumesSender: true) = state.takeChunk() else { return _ = Issue.record() }
        #expect(receive(&state, 1) == .taken)
        guard case .chunk(_, resumesSender: false) = state.takeChunk() else { return _ = Issue.record() }
    }

    @Test func aFailureComesAfterTheBytesBeforeItAndACancellationAtOnce() {
        var state = ExchangeState(bufferLimit: 10)
        #expect(receive(&state, 3) == .taken)
        state.finish(.failure(.connectionLost("gone")))
        guard case .chunk = state.takeChunk() else { return _ = Issue.record() }
        guard case .failed(.connectionLost) = state.takeChunk() else { return _ = Issue.record() }

        var cancelled = ExchangeState(bufferLimit: 10)
        #expect(receive(&cancelled, 3) == .taken)
        let endings = [cancelled.cancel(.cancelled), cancelled.cancel(.cancelled)]
        #expect(endings == [true, false], "only the first one has a transfer to end")
        #expect(receive(&cancelled, 3) == .unwanted)
        guard case .failed(.cancelled) = cancelled.takeChunk() else { return _ = Issue.record() }
    }
}

@Suite struct ParsedHeadTests {
    @Test func namesAreTakenAsTheyAreAndValuesAreTrimmed() throws {
        let head = try ParsedHead([UInt8]("HTTP/1.1 404 Not  Here\r\nA:  b c \r\na:\r\nFold: one\r\n\ttwo\r\n".utf8))
        #expect(head.status.code == 404)
        #expect(head.status.reasonPhrase == "Not  Here")
        #expect(head.headers[values: try #require(HTTPField.Name("a"))] == ["b c", ""])
        #expect(head.headers[try #require(HTTPField.Name("Fold"))] == "one two")
    }

    @Test(arguments: [
        "", "HTTP/1.1\r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200\r\n x\r\n",
    ])
    func whatIsNoHeadIsRefused(text: String) {
        #expect(throws: HTTPTransportError.self) { try ParsedHead([UInt8](text.utf8)) }
    }
}

@Suite struct RequestURLTests {
    @Test(arguments: [
        ("http://host", "host", 80, ""), ("HTTPS://Host:6443/api?x", "Host", 6443, "/api?x"),
        ("https://[::1]:8443/", "[::1]", 8443, "/"), ("http://h?q=/", "h", 80, "?q=/"),
    ])
    func theHostThePortAndTheRestAreFound(url: String, host: String, port: Int, rest: String) throws {
        let parsed = try RequestURL(url)
        #expect(parsed.host == host)
        #expect(parsed.port == port)
        #expect(parsed.pathAndQuery == rest)
        #expect(parsed.isHTTPS == url.lowercased().hasPrefix("https:"))
    }
}
