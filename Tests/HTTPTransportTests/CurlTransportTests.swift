import Concurrency
import HTTPTransport
import HTTPTypes
import Testing

/// Against servers that behave, byte by byte.
@Suite(.timeLimit(.minutes(10))) struct CurlTransportTests {
    private let transport = CurlTransport(configuration: .init(proxy: .none))

    @Test func aRequestArrivesAsItWasGivenAndNothingIsAdded() async throws {
        let seen = Lock("")
        let server = try RawServer { connection in
            let request = connection.readRequest() ?? ""
            seen.withLock { $0 = request }
            connection.write("HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-Two: a\r\nX-Two: b\r\n\r\nok")
        }
        defer { server.stop() }
        let response = try await transport.send(
            ClientRequest(
                method: .patch, url: server.url + "/a/../b?c=%20d", headers: [.accept: "text/plain"],
                body: .bytes([UInt8]("hello".utf8))))
        #expect(response.status.code == 201)
        #expect(response.status.reasonPhrase == "Made")
        #expect(response.headers[values: try #require(HTTPField.Name("X-Two"))] == ["a", "b"])
        #expect(try await text(response) == "ok")
        #expect(
            seen.withLock { $0 }.split(separator: "\r\n").map(String.init).sorted()
                == [
                    "PATCH /a/../b?c=%20d HTTP/1.1", "Host: 127.0.0.1:\(server.port)", "Accept: text/plain",
                    "Content-Length: 5", "hello",
                ].sorted())
    }

    @Test(arguments: [HTTPRequest.Method.get, .delete, .options, .post, .put, .patch])
    func everyMethodGoesOutWithAndWithoutABody(method: HTTPRequest.Method) async throws {
        let server = try RawServer { connection in
            while let request = connection.readRequest() {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(request.utf8.count)\r\n\r\n\(request)")
            }
        }
        defer { server.stop() }
        let full = try await text(
            transport.send(ClientRequest(method: method, url: server.url, body: .bytes([UInt8]("abc".utf8)))))
        #expect(full.hasPrefix("\(method) / HTTP/1.1\r\n") && full.hasSuffix("\r\n\r\nabc"))
        let large = ClientRequest.Body.bytes([UInt8](repeating: 0x61, count: 2_000_000))
        let answer = try await text(transport.send(ClientRequest(method: method, url: server.url, body: large)))
        #expect(answer.utf8.count > 2_000_000 && !answer.contains("Expect"))
        let empty = try await text(transport.send(ClientRequest(method: method, url: server.url)))
        #expect(empty.hasPrefix("\(method) / HTTP/1.1\r\n") && empty.hasSuffix("\r\n\r\n"))
        #expect(empty.contains("Content-Length: 0") == [.post, .put, .patch].contains(method))
        #expect(server.connectionCount == 1)
    }

    @Test func theHeadIsThereBeforeTheBodyAndTheBodyComesInPieces() async throws {
        let mayGoOn = BlockingGate()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
            mayGoOn.wait()
            connection.write("3\r\ntwo\r\n0\r\nTrailer: x\r\n\r\n")
        }
        defer { server.stop() }
        let response = try await transport.send(ClientRequest(url: server.url))
        var chunks = response.body.makeAsyncIterator()
        #expect(try await chunks.next().map { String(decoding: $0, as: UTF8.self) } == "one")
        mayGoOn.open()
        #expect(try await chunks.next().map { String(decoding: $0, as: UTF8.self) } == "two")
        #expect(try await chunks.next() == nil)
        #expect(response.headers[try #require(HTTPField.Name("Trailer"))] == nil)
    }

    @Test func interimResponsesAreSkipped() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")
        }
        defer { server.stop() }
        let response = try await transport.send(ClientRequest(url: server.url))
        #expect(response.status == .ok)
        #expect(response.headers[try #require(HTTPField.Name("Link"))] == nil)
        #expect(try await text(response) == "real")
    }

    @Test func responsesWithoutABodyEndAtTheirHeadAndKeepTheConnection() async throws {
        let server = try RawServer { connection in
            for status in ["204 No Content", "304 Not Modified\r\nContent-Length: 7", "200 OK\r\nContent-Length: 7"] {
                guard connection.readRequest() != nil else { return }
                connection.write("HTTP/1.1 \(status)\r\n\r\n")
            }
        }
        defer { server.stop() }
        for (method, status) in [(HTTPRequest.Method.get, 204), (.get, 304), (.head, 200)] {
            let response = try await transport.send(ClientRequest(method: method, url: server.url))
            #expect(response.status.code == status)
            #expect(try await text(response) == "")
        }
        #expect(server.connectionCount == 1)
    }

    @Test func aBodyWithoutLengthEndsWithTheConnection() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\nall of it")
        }
        defer { server.stop() }
        #expect(try await text(transport.send(ClientRequest(url: server.url))) == "all of it")
    }

    @Test func redirectsAreNotFollowedAndCookiesAreNotSentBack() async throws {
        let requests = Lock<[String]>([])
        let server = try RawServer { connection in
            while let request = connection.readRequest() {
                requests.withLock { $0.append(request) }
                connection.write(
                    "HTTP/1.1 302 Found\r\nLocation: /next\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
            }
        }
        defer { server.stop() }
        for _ in 0..<2 {
            let response = try await transport.send(ClientRequest(url: server.url))
            #expect(response.status == .found)
        }
        #expect(requests.withLock { $0 }.count == 2)
        #expect(!requests.withLock { $0 }.contains { $0.contains("Cookie") || $0.contains("/next") })
    }

    @Test func noMoreConnectionsAreOpenedThanAllowed() async throws {
        let mayAnswer = (0..<3).map { _ in BlockingGate() }
        let arrived = Lock(0)
        let server = try RawServer { connection in
            var isFirst = true
            while connection.readRequest() != nil {
                if isFirst {
                    // The answers begin when there are as many connections as there may be.
                    if arrived.withLock({
                        $0 += 1; return $0
                    }) == 3 {
                        for gate in mayAnswer { gate.open() }
                    }
                    mayAnswer[connection.number - 1].wait()
                    isFirst = false
                }
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        defer { server.stop() }
        let narrow = CurlTransport(configuration: .init(proxy: .none, maxConnectionsPerHost: 3))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask { try await narrow.send(ClientRequest(url: server.url)).status.code }
            }
            for try await code in group { #expect(code == 200) }
        }
        #expect(server.connectionCount == 3)
    }

    // MARK: What cannot be sent

    @Test(arguments: [
        "", "/path", "ftp://host/", "http://", "http://host:port/", "http://host:0/", "http://user:word@host/",
        "http://host/a b", "http://host/\r\nX: y", "http://hôst/", "http://[::1/",
    ])
    func aURLThatIsNotOneIsRefused(url: String) async {
        let error = await failure { try await transport.send(ClientRequest(url: url)) }
        #expect(error?.isInvalidRequest == true)
    }

    @Test func headersThatWouldChangeTheFramingAreRefused() async {
        for headers: HTTPFields in [[.contentLength: "9"], [.transferEncoding: "chunked"], [.connection: "close"]] {
            let error = await failure {
                try await transport.send(ClientRequest(url: "http://127.0.0.1:1/", headers: headers))
            }
            #expect(error?.isInvalidRequest == true)
        }
    }

    @Test func aLineEndInAHeaderNeverReachesTheServer() async throws {
        let seen = Lock("")
        let server = try RawServer { connection in
            let request = connection.readRequest() ?? ""
            seen.withLock { $0 = request }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        defer { server.stop() }
        let headers: HTTPFields = [.authorization: "Bearer a\r\nX-Evil: 1", .userAgent: ""]
        _ = await failure { try await transport.send(ClientRequest(url: server.url, headers: headers)) }
        let lines = seen.withLock { $0 }.split(separator: "\r\n")
        #expect(!lines.contains { $0.lowercased().hasPrefix("x-evil") })
    }
}
