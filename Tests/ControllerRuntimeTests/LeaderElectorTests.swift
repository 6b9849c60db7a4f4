@testable import ControllerRuntime
import Concurrency
import HTTPTransport
import HTTPTypes
import KubernetesClient
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct LeaderElectorTests {
    let time = ManualTime()
    let server = FakeServer()

    func elector(_ identity: String) -> LeaderElector {
        LeaderElector(
            client: server, options: .init(namespace: "ns", name: "lock", identity: identity), time: time,
            logger: quiet)
    }

    func holder() -> String? { server.object(.lease, key("lock"))?.spec?["holderIdentity"]?.string }

    @Test func oneOfTwoLeadsAndTheOtherTakesOverWhenTheLeaseIsGivenBack() async throws {
        let (one, two) = (elector("one"), elector("two"))
        let first = Task { try await one.run() }
        try await one.whenLeading()
        let second = Task { try await two.run() }
        try await until("both sleep") { server.count("get", .lease) >= 2 }
        #expect(holder() == "one" && one.isLeading && !two.isLeading)
        first.cancel()
        _ = await first.result
        await one.release()
        #expect(!one.isLeading)
        try await time.advance(until: "the other takes over", limit: .seconds(60), step: .milliseconds(500)) {
            holder() == "two"
        }
        try await until { two.isLeading }
        second.cancel()
    }

    @Test func whenRenewalsHangTheLossIsToldAtTheEndOfValidityAndNoWriteGoesOutAfter() async throws {
        let elector = elector("one")
        let fenced = FencedClient(server, fence: elector.fence, time: time)
        let running = Task { try await elector.run() }
        try await elector.whenLeading()
        _ = try await fenced.create(object("before"), .app, namespace: "ns", options: WriteOptions())
        // From now on the server accepts and never answers, and does not heed cancellation.
        let stuck = Latch()
        server.configure { $0.fault = { _ in await Self.hang(stuck) } }
        let told = Lock(false)
        Task {
            _ = await running.result
            told.withLock { $0 = true }
        }
        // Within a second of the end of validity.
        try await time.advance(until: "the loss is told", limit: .seconds(11), step: .milliseconds(250)) {
            told.withLock { $0 }
        }
        await #expect(throws: LeaderElector.LeadershipLost.self) { try await running.value }
        await #expect(throws: FenceError.self) {
            try await fenced.delete(.app, namespace: "ns", name: "before", options: DeleteOptions())
        }
        #expect(server.object(.app, key("before")) != nil)
        stuck.open()
    }

    private static func hang(_ latch: Latch) async {
        await withCheckedContinuation { continuation in
            Task {
                try? await latch.wait()
                continuation.resume()
            }
        }
    }

    @Test func aProcessStoppedPastItsLeaseWritesNothingWhenItResumes() async throws {
        let elector = elector("one")
        let fenced = FencedClient(server, fence: elector.fence, time: time)
        let running = Task { try await elector.run() }
        try await elector.whenLeading()
        server.forgetCalls()
        // SIGSTOP: the monotonic clock goes on, no task runs. Whatever runs first after, the fence is closed.
        time.advance(by: .seconds(60))
        let writes: [@Sendable () async throws -> Void] = [
            { _ = try await fenced.create(object("x"), .app, namespace: "ns", options: WriteOptions()) },
            { _ = try await fenced.replace(object("x"), .app, subresource: nil, options: WriteOptions()) },
            { _ = try await fenced.apply(object("x"), .app, fieldManager: "m", force: true, subresource: nil) },
            { try await fenced.delete(.app, namespace: "ns", name: "x", options: DeleteOptions()) },
            {
                _ = try await fenced.patch(
                    .app, namespace: "ns", name: "x", .merge([:]), subresource: nil, options: WriteOptions())
            },
        ]
        for write in writes { await #expect(throws: FenceError.self) { try await write() } }
        await #expect(throws: LeaderElector.LeadershipLost.self) { try await running.value }
        #expect(server.writes.filter { $0.type != .lease } == [])
        _ = try await fenced.list(.app, namespace: nil, options: ListOptions())
    }

    @Test func aWriteThatWaitsIsCancelledWhenTheLeaseRunsOut() async throws {
        let fence = LeaseFence(time: time)
        fence.extend(until: time.now.advanced(by: .seconds(10)))
        let fenced = FencedClient(server, fence: fence, time: time)
        let time = time
        server.configure { $0.fault = { _ in try await time.sleep(until: time.now.advanced(by: .seconds(30))) } }
        let write = Task { try await fenced.create(object("x"), .app, namespace: "ns", options: WriteOptions()) }
        try await time.whenSleeping(2)
        time.advance(by: .seconds(10))
        await #expect(throws: FenceError.self) { try await write.value }
        #expect(server.object(.app, key("x")) == nil)
    }

    @Test func aClientThatWaitedForARetryIsRefusedAtTheMomentOfSending() async throws {
        let fence = LeaseFence(time: time)
        fence.extend(until: time.now.advanced(by: .seconds(10)))
        let sent = Lock(0)
        let transport = InMemoryTransport { _ in
            sent.withLock { $0 += 1 }
            fence.revoke()  // lost between the first try and the second
            return ClientResponse(status: .tooManyRequests, headers: [.retryAfter: "0"], body: ResponseBody { nil })
        }
        let client = KubernetesClient(configuration: ClusterConfiguration(server: "https://h"), transport: transport)
        let fenced = FencedClient(client, fence: fence, time: time)
        await #expect(throws: FenceError.self) {
            try await fenced.delete(.app, namespace: "ns", name: "x", options: DeleteOptions())
        }
        #expect(sent.withLock { $0 } == 1)
    }
}
