import Concurrency
import KubernetesClient
import StructuredData
import Testing

@testable import ControllerRuntime

private typealias Reference = ControllerRuntime.ObjectReference

@Suite(.timeLimit(.minutes(10))) struct ObjectFollowerTests {
    let time = ManualTime()
    let server = FakeServer()
    let told = Lock<[ObjectKey: Int]>([:])
    let follower: ObjectFollower

    init() { follower = ObjectFollower(client: server, fieldManager: "test", time: time, logger: quiet) }

    private func reference(_ index: Int) -> Reference { Reference(.secret, namespace: "ns", name: "s\(index)") }
    func told(_ name: String) -> Int { told.withLock { $0[key(name)] ?? 0 } }

    private func follow(_ reference: Reference, for name: String) {
        let told = told
        follower.follow([reference], for: key(name)) { key in told.withLock { $0[key, default: 0] += 1 } }
    }

    /// What a pass does: it reads, live or from the cache.
    private func read(_ reference: Reference, for name: String) {
        let known = follower.cached(reference)?.object ?? server.object(.secret, reference.key)
        follower.note(known?.resourceVersion ?? "", of: reference, seenBy: key(name))
    }

    func follow(_ count: Int) async throws {
        for index in 0..<count {
            server.put(object(.secret, "s\(index)"), .secret)
            follow(reference(index), for: "a\(index)")
            read(reference(index), for: "a\(index)")
        }
        try await until("the first hundred are watched") { server.openWatches == min(count, 100) }
    }

    /// Turns the clock until `condition` holds, in steps in which no timer is passed over.
    func turn(_ limit: Duration, until condition: () -> Bool) async {
        let end = time.now.advanced(by: limit)
        while !condition(), time.now < end {
            let sleepers = time.sleepers
            time.advance(by: .milliseconds(50))
            // Who wakes acts and sleeps again; who has nothing left to wait for is not waited for.
            for _ in 0..<10 { await Task.yield() }
            let patience = ContinuousClock.now + .milliseconds(200)
            while time.sleepers < sleepers, ContinuousClock.now < patience { await Task.yield() }
        }
    }

    /// Turns the clock until `condition` holds, in small steps: each is taken when the reader of names sleeps again, which
    /// is the only one who never sleeps for more than five seconds.
    func turnReader(_ limit: Duration, until condition: () -> Bool) async throws {
        let end = time.now.advanced(by: limit)
        while !condition(), time.now < end {
            try await time.whenSleeping(within: .seconds(5))
            time.advance(by: .milliseconds(10))
        }
    }

    @Test func aThousandNamesTakeAHundredWatchesAndTenReadsASecondAndEachChangeIsTold() async throws {
        defer { follower.stop() }
        try await follow(1000)
        server.forgetCalls()
        server.put(object(.secret, "s1"), .secret)
        try await until("a watched one is told at once") { told("a1") > 0 }
        let began = time.now
        server.put(object(.secret, "s999"), .secret)
        try await turnReader(.seconds(150)) { told("a999") > 0 }
        #expect(told("a999") == 1)
        #expect(time.now - began <= .seconds(120))
        let seconds = (time.now - began) / .seconds(1)
        #expect(Double(server.count("get", .secret)) <= seconds * 12 + 2)
        #expect(server.count("list", .secret) == 0)
        #expect((100..<999).allSatisfy { told("a\($0)") == 0 }, "what was seen already is not told")
    }

    @Test func namesThatComeShortenTheTurnOfTheFirst() async throws {
        defer { follower.stop() }
        try await follow(101)
        try await time.whenSleeping(within: .seconds(5))
        for index in 101..<1000 {
            server.put(object(.secret, "s\(index)"), .secret)
            follow(reference(index), for: "a\(index)")
            read(reference(index), for: "a\(index)")
        }
        server.put(object(.secret, "s999"), .secret)
        let began = time.now
        try await turnReader(.seconds(200)) { told("a999") > 0 }
        #expect(time.now - began <= .seconds(120))
    }

    @Test func fewNamesAreReadAtMostOnceAMinute() async throws {
        defer { follower.stop() }
        try await follow(102)
        server.forgetCalls()
        // From 24 to 36 seconds lie between two reads. Later the watches end, and turns are not the reader's alone.
        try await turnReader(.seconds(95)) { false }
        #expect((2...3).contains(server.count("get", .secret)))
    }

    @Test func whereWatchingIsDeniedNamesAreReadInTurn() async throws {
        defer { follower.stop() }
        server.configure {
            $0.fault = { if ["list", "watch"].contains($0.verb) { throw apiError(403, "Forbidden", "no") } }
        }
        server.put(object(.secret, "s0"), .secret)
        follow(reference(0), for: "a")
        read(reference(0), for: "a")
        try await until("it is not watched") { follower.mute.isEmpty && follower.cached(reference(0)) == nil }
        await turn(.seconds(80)) { server.count("get", .secret) > 0 }
        let lists = server.count("list", .secret)
        #expect(lists == 1)
        #expect(told("a") == 0)
        server.put(object(.secret, "s0"), .secret)
        await turn(.seconds(80)) { told("a") > 0 }
        #expect(told("a") == 1)
        #expect(server.count("list", .secret) == lists, "it is not asked for again and again")
    }

    @Test func aReadByOneKeyIsToldToTheOthers() async throws {
        defer { follower.stop() }
        try await follow(100)
        let shared = reference(100)
        server.put(object(.secret, "s100"), .secret)
        for name in ["x", "y"] {
            follow(shared, for: name)
            read(shared, for: name)
        }
        server.put(object(.secret, "s100"), .secret)
        read(shared, for: "x")
        #expect(told("x") == 0)
        #expect(told("y") == 1)
    }

    @Test func whatWentBetweenTheReadAndTheFirstListIsTold() async throws {
        defer { follower.stop() }
        follow(reference(0), for: "a")
        follower.note("7", of: reference(0), seenBy: key("a"))
        try await until { told("a") == 1 }
    }

    @Test func whatNobodyRefersToIsNeitherWatchedNorRead() async throws {
        defer { follower.stop() }
        try await follow(101)
        follower.follow([], for: key("a0")) { _ in }
        follower.follow([], for: key("a100")) { _ in }
        try await until("the watch has ended") { server.openWatches == 99 }
        server.forgetCalls()
        await turn(.seconds(200)) { false }
        #expect(server.count("get", .secret) == 0)
    }
}
