import Concurrency
import Glibc
import HTTPTransport
import HTTPTypes
import Testing

/// Against servers that break off, stay silent or talk nonsense.
@Suite(.timeLimit(.minutes(10))) struct CurlTransportFailureTests {
    private let transport = CurlTransport(configuration: .init(proxy: .none))

    @Test func aHostThatIsNotThereIsAConnectErrorThatNamesIt() async throws {
        let server = try RawServer { _ in }
        server.stop()
        let refused = await failure { try await transport.send(ClientRequest(url: "http://127.0.0.1:1/")) }
        #expect(refused?.connectMessage?.contains("127.0.0.1:1") == true)
        let unknown = await failure { try await transport.send(ClientRequest(url: "http://no.such.invalid/")) }
        #expect(unknown?.connectMessage?.contains("no.such.invalid") == true)
    }

    @Test func aBodyThatBreaksOffHandsOutWhatCameAndThenFails() async throws {
        for head in ["Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
            let server = try RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\n\(head)")
            }
            defer { server.stop() }
            let response = try await transport.send(ClientRequest(url: server.url))
            var bytes: [UInt8] = []
            let error = await failure { for try await chunk in response.body { bytes += chunk } }
            #expect(String(decoding: bytes, as: UTF8.self) == "hello")
            #expect(error?.isConnectionLost == true)
        }
    }

    @Test func aResetIsALostConnection() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.reset()
        }
        defer { server.stop() }
        let error = await failure { try await transport.send(ClientRequest(method: .post, url: server.url)) }
        #expect(error?.isConnectionLost == true)
    }

    @Test(arguments: ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"])
    func whatIsNotHTTPIsAMalformedResponse(answer: String) async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write(answer)
        }
        defer { server.stop() }
        let error = await failure { try await transport.send(ClientRequest(url: server.url)) }
        #expect(error?.isMalformedResponse == true, "\(String(describing: error))")
    }

    @Test func headersBeyondTheLimitAreAMalformedResponse() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n")
            while connection.write("X-Filler: \(String(repeating: "x", count: 1000))\r\n") {}
        }
        defer { server.stop() }
        let error = await failure { try await transport.send(ClientRequest(url: server.url)) }
        #expect(error?.isMalformedResponse == true, "\(String(describing: error))")
    }

    // MARK: Deadlines

    @Test func aServerThatNeverAnswersMeetsTheIdleDeadline() async throws {
        let server = try RawServer { $0.waitForEnd() }
        defer { server.stop() }
        await #expect(throws: HTTPTransportError.timeout(.idle)) {
            try await transport.send(ClientRequest(url: server.url, idleTimeout: .milliseconds(100)))
        }
    }

    @Test func aBodyThatFallsSilentMeetsTheIdleDeadline() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            connection.waitForEnd()
        }
        defer { server.stop() }
        let response = try await transport.send(ClientRequest(url: server.url, idleTimeout: .seconds(10)))
        await #expect(throws: HTTPTransportError.timeout(.idle)) { try await text(response) }
    }

    @Test func aBodyWithoutEndMeetsTheTotalDeadline() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            while connection.write("more") {}
        }
        defer { server.stop() }
        await #expect(throws: HTTPTransportError.timeout(.total)) {
            let response = try await transport.send(ClientRequest(url: server.url, totalTimeout: .milliseconds(200)))
            for try await _ in response.body {}
        }
    }

    @Test func aHandshakeThatNeverEndsMeetsTheConnectDeadline() async throws {
        let server = try RawServer { $0.waitForEnd() }
        defer { server.stop() }
        await #expect(throws: HTTPTransportError.timeout(.connect)) {
            try await transport.send(
                ClientRequest(
                    url: "https://127.0.0.1:\(server.port)", connectTimeout: .milliseconds(100),
                    idleTimeout: .seconds(30)))
        }
    }

    // MARK: Repeating

    /// Answers one request on the first connection, takes a second one and closes without a word.
    private func closingServer(_ requests: Lock<[String]>) throws -> RawServer {
        try RawServer { connection in
            while let request = connection.readRequest() {
                let count = requests.withLock { requests in
                    requests.append(request)
                    return requests.count
                }
                if count == 2 { return }
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
    }

    @Test(arguments: [HTTPRequest.Method.get, .put, .delete])
    func anIdempotentRequestIsRepeatedWhenAKeptConnectionTurnsOutClosed(method: HTTPRequest.Method) async throws {
        let requests = Lock<[String]>([])
        let server = try closingServer(requests)
        defer { server.stop() }
        for _ in 0..<2 {
            let response = try await transport.send(ClientRequest(method: method, url: server.url))
            #expect(response.status == .ok)
        }
        #expect(requests.withLock { $0.count } == 3)
        #expect(server.connectionCount == 2)
    }

    @Test(arguments: [ClientRequest.Body.none, .bytes([1])])
    func otherRequestsAreNeverSentTwice(body: ClientRequest.Body) async throws {
        let requests = Lock<[String]>([])
        let server = try closingServer(requests)
        defer { server.stop() }
        let request = ClientRequest(method: .post, url: server.url, body: body)
        #expect(try await transport.send(request).status == .ok)
        let error = await failure { try await transport.send(request) }
        #expect(error?.isConnectionLost == true, "\(String(describing: error))")
        #expect(requests.withLock { $0.count } == 2)
    }

    @Test func nothingIsSentOnAConnectionThatTheServerHasClosedByTheGoodbyeOfTLS() async throws {
        let server = try await GoodbyeServer()
        defer { server.stop() }
        let authority = try TestCertificates.shared.get().authority
        let transport = CurlTransport(
            configuration: .init(tls: .init(trust: .authorities(pem: authority)), proxy: .none))
        for number in 1...20 {
            let response = try await transport.send(ClientRequest(method: .post, url: server.url + "/"))
            #expect(try await text(response) == "ok")
            try await server.waitUntilClosed(number)
        }
    }

    @Test func aPatchThatIsSaidToBeIdempotentIsRepeated() async throws {
        let requests = Lock<[String]>([])
        let server = try closingServer(requests)
        defer { server.stop() }
        let request = ClientRequest(method: .patch, url: server.url, body: .bytes([1]), isIdempotent: true)
        for _ in 0..<2 { #expect(try await transport.send(request).status == .ok) }
    }

    // MARK: Ending early

    @Test func twoHundredCancelledRequestsAreTwoHundredClosedConnections() async throws {
        let arrived = Lock(0)
        let ended = Lock(0)
        let allArrived = Flag()
        let allEnded = Flag()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            if arrived.withLock({ count in
                count += 1; return count
            }) == 200 {
                allArrived.raise()
            }
            connection.waitForEnd()
            if ended.withLock({ count in
                count += 1; return count
            }) == 200 {
                allEnded.raise()
            }
        }
        defer { server.stop() }
        let tasks = (0..<200).map { _ in Task { try await transport.send(ClientRequest(url: server.url)) } }
        await allArrived.wait()
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: HTTPTransportError.cancelled) { try await task.value } }
        await allEnded.wait()
    }

    @Test func aTaskThatIsCancelledBeforehandSendsNothing() async throws {
        let server = try RawServer { _ in }
        defer { server.stop() }
        let task = Task {
            await waitForCancellation()
            return try await transport.send(ClientRequest(url: server.url))
        }
        task.cancel()
        await #expect(throws: HTTPTransportError.cancelled) { try await task.value }
        #expect(server.connectionCount == 0)
    }

    @Test func lettingGoOfAResponseClosesItsConnection() async throws {
        let ended = Flag()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            connection.waitForEnd()
            ended.raise()
        }
        defer { server.stop() }
        var response: ClientResponse? = try await transport.send(ClientRequest(url: server.url))
        #expect(response?.status == .ok)
        response = nil
        await ended.wait()
    }

    @Test func anUnreadBodyHoldsTheServerBack() async throws {
        let isStuck = Flag()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
            let chunk = [UInt8](repeating: 1, count: 100_000)
            for _ in 0..<2000 {
                if !connection.isWritable(withinMilliseconds: 10_000) { isStuck.raise() }
                guard connection.write(chunk) else { return }
            }
        }
        defer { server.stop() }
        let response = try await transport.send(ClientRequest(url: server.url, idleTimeout: .seconds(8)))
        await isStuck.wait()
        var count = 0
        for try await chunk in response.body { count += chunk.count }
        #expect(count == 200_000_000)
    }

    // MARK: Closing

    @Test func closingFailsWhatIsInFlightAndWhatComesLater() async throws {
        let arrived = Flag()
        let server = try RawServer { connection in
            let isFirst = connection.readRequest()?.contains("/first") == true
            if isFirst { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") } else { arrived.raise() }
            connection.waitForEnd()
        }
        defer { server.stop() }
        let closing = CurlTransport(configuration: .init(proxy: .none))
        let body = try await closing.send(ClientRequest(url: server.url + "/first")).body
        let waiting = Task { try await closing.send(ClientRequest(url: server.url)) }
        await arrived.wait()
        closing.close()
        await #expect(throws: HTTPTransportError.closed) { try await waiting.value }
        await #expect(throws: HTTPTransportError.closed) { try await body.collect(upTo: 10) }
        await #expect(throws: HTTPTransportError.closed) { try await closing.send(ClientRequest(url: server.url)) }
        closing.close()
    }

    @Test func aResponseOutlivesTheTransportItCameFrom() async throws {
        let mayGoOn = BlockingGate()
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
            mayGoOn.wait()
            connection.write("lf")
        }
        defer { server.stop() }
        let response = try await CurlTransport(configuration: .init(proxy: .none)).send(ClientRequest(url: server.url))
        mayGoOn.open()
        #expect(try await text(response) == "half")
    }
}
