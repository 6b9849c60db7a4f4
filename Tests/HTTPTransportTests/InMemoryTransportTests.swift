import Concurrency
import HTTPTransport
import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(10))) struct InMemoryTransportTests {
    @Test func aHandlersAnswerArrivesWithStatusHeadersAndBody() async throws {
        let transport = InMemoryTransport { request in
            ClientResponse(
                status: .created, headers: [.contentType: "text/plain"], body: body([request.url, " ", "done"]))
        }
        let response = try await transport.send(ClientRequest(url: "http://memory/path"))
        #expect(response.status == .created)
        #expect(response.headers[.contentType] == "text/plain")
        #expect(
            try await String(decoding: response.body.collect(upTo: 100), as: UTF8.self) == "http://memory/path done")
    }

    @Test func theHandlersTaskIsCancelledWhenTheCallerIs() async throws {
        let wasCancelled = Flag()
        let isRunning = Flag()
        let transport = InMemoryTransport { _ in
            isRunning.raise()
            await waitForCancellation()
            wasCancelled.raise()
            throw CancellationError()
        }
        let caller = Task { try await transport.send(ClientRequest(url: "http://memory/")) }
        await isRunning.wait()
        caller.cancel()
        await #expect(throws: HTTPTransportError.cancelled) { try await caller.value }
        await wasCancelled.wait()
    }

    @Test func lettingGoOfAResponseCancelsWhatWritesItsBody() async throws {
        let wasCancelled = Flag()
        let transport = InMemoryTransport { _ in
            ClientResponse(
                status: .ok,
                body: ResponseBody { () async throws(HTTPTransportError) in
                    await waitForCancellation()
                    wasCancelled.raise()
                    return nil
                })
        }
        var response: ClientResponse? = try await transport.send(ClientRequest(url: "http://memory/"))
        #expect(response?.status == .ok)
        response = nil
        await wasCancelled.wait()
    }

    @Test func anUnreadBodyHoldsTheHandlerBack() async throws {
        let written = Lock(0)
        let transport = InMemoryTransport { _ in
            ClientResponse(
                status: .ok,
                body: ResponseBody { () async throws(HTTPTransportError) in
                    let count = written.withLock { written in
                        written += 1
                        return written
                    }
                    return count <= 1000 ? [UInt8](repeating: 1, count: 10_000) : nil
                })
        }
        let response = try await transport.send(ClientRequest(url: "http://memory/"))
        var bytes = 0
        for try await chunk in response.body {
            bytes += chunk.count
            // At most the buffer of 256 KiB, a chunk beyond it, and one that waits.
            #expect(written.withLock { $0 } * 10_000 <= bytes + (256 << 10) + 30_000)
        }
        #expect(bytes == 10_000_000)
    }

    @Test func anErrorOfTheHandlerReachesTheCaller() async throws {
        struct Odd: Error {}
        let refusing = InMemoryTransport { _ in throw HTTPTransportError.connect("refused") }
        await #expect(throws: HTTPTransportError.connect("refused")) {
            try await refusing.send(ClientRequest(url: "http://memory/"))
        }
        let failing = InMemoryTransport { _ in throw Odd() }
        await #expect(throws: HTTPTransportError.connectionLost("the handler failed: Odd()")) {
            try await failing.send(ClientRequest(url: "http://memory/"))
        }
    }

    @Test func aSilentHandlerMeetsTheIdleDeadline() async throws {
        let clock = ManualClock()
        let transport = InMemoryTransport(clock: clock) { _ in
            await waitForCancellation()
            throw CancellationError()
        }
        let caller = Task {
            try await transport.send(ClientRequest(url: "http://memory/", idleTimeout: .seconds(30)))
        }
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(30))
        await #expect(throws: HTTPTransportError.timeout(.idle)) { try await caller.value }
    }

    @Test func everyChunkPutsTheIdleDeadlineOffButNotTheTotalOne() async throws {
        let clock = ManualClock()
        let (chunks, source) = AsyncStream<[UInt8]>.makeStream()
        let transport = InMemoryTransport(clock: clock) { _ in
            let iterator = Lock(chunks.makeAsyncIterator())
            return ClientResponse(
                status: .ok,
                body: ResponseBody { () async throws(HTTPTransportError) in
                    var own = iterator.withLock { $0 }
                    return await own.next()
                })
        }
        let response = try await transport.send(
            ClientRequest(url: "http://memory/", idleTimeout: .seconds(30), totalTimeout: .seconds(50)))
        let reader = Task {
            var count = 0
            do {
                for try await chunk in response.body { count += chunk.count }
                return (count, nil as HTTPTransportError?)
            } catch { return (count, error as? HTTPTransportError) }
        }
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(29))
        source.yield([1])
        source.yield([2])
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(21))
        let (count, error) = await reader.value
        #expect(error == .timeout(.total))
        #expect(count <= 2)
    }

    @Test func aRequestThatNoServerWouldGetIsRefused() async throws {
        let transport = InMemoryTransport { _ in ClientResponse(status: .ok, body: body([])) }
        await #expect(throws: HTTPTransportError.self) { try await transport.send(ClientRequest(url: "/relative")) }
    }
}
