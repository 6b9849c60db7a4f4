@testable import ControllerRuntime
import Concurrency
import KubernetesClient
import ServiceLifecycle
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct ManagerTests {
    func electing(_ identity: String = "one") -> LeaderElector.Options {
        .init(namespace: "ns", name: "lock", identity: identity)
    }

    func app(_ name: String) -> KubernetesObject { object(name, ["spec": ["value": "v1"]]) }

    @Test func whoDoesNotLeadWritesNothing() async throws {
        let op = TestOperator(election: electing())
        let held = LeaseRecord(
            holder: "other", durationSeconds: 15, acquireTime: op.time.wallClock, renewTime: op.time.wallClock)
        op.server.put(held.lease(namespace: "ns", name: "lock"), .lease)
        op.server.put(app("a"))
        try await op.running {
            try await op.apps.whenSynced()
            await op.pass(.seconds(10))
            #expect(op.server.writes == [])
            // The other one dies; its lease runs out.
            try await op.advance("it takes over", limit: .seconds(20)) {
                op.server.object(.lease, key("lock"))?.spec?["holderIdentity"] == "one"
            }
            try await until { op.value("a") == "v1" }
        }
    }

    @Test func lossOfTheLeaseEndsTheProcessWithoutAnotherWriteWhateverThePassesDo() async throws {
        let told = Lock(false)
        let op = TestOperator(election: electing()) { told.withLock { $0 = true } }
        op.server.put(app("a"))
        let blocked = Latch()
        op.intervene { context in
            guard context.key.name == "b" else { return nil }
            // A pass that does not heed its cancellation, as blocking code does, and then writes.
            await withCheckedContinuation { continuation in
                Task {
                    try? await blocked.wait()
                    continuation.resume()
                }
            }
            return nil
        }
        let run = Task { try await op.manager.run() }
        try await until { op.value("a") == "v1" }
        op.server.put(app("b"))
        try await until { op.passes("b") == 1 }
        op.server.configure { $0.fault = { if $0.type == .lease { throw apiError(503) } } }
        // Within a second of the end of validity.
        try await op.advance("the loss is told", limit: .seconds(11), step: .milliseconds(100)) {
            told.withLock { $0 }
        }
        op.server.forgetCalls()
        blocked.open()
        await #expect(throws: LeaderElector.LeadershipLost.self) { try await run.value }
        #expect(op.server.writes == [])
        #expect(op.value("b") == nil)
    }

    @Test func stoppingInOrderLetsThePassEndAndGivesTheLeaseBack() async throws {
        let op = TestOperator(election: electing())
        let (begun, goOn) = (Latch(), Latch())
        op.intervene { _ in
            begun.open()
            try await goOn.wait()
            return nil
        }
        op.server.put(app("a"))
        let run = Task { try await op.manager.run() }
        try await begun.wait()
        op.manager.stop()
        op.server.put(app("b"))
        goOn.open()
        try await run.value
        #expect(op.value("a") == "v1")
        #expect(op.value("b") == nil)
        #expect(op.server.object(.lease, key("lock"))?.spec?["holderIdentity"] == "")
    }

    @Test func aPassThatDoesNotEndIsCancelledAfterTheDrainLimit() async throws {
        let op = TestOperator()
        let begun = Latch()
        op.intervene { _ in
            begun.open()
            try await Latch().wait()
            return nil
        }
        op.server.put(app("a"))
        let run = Task { try await op.manager.run() }
        try await begun.wait()
        let ended = Lock(false)
        Task {
            _ = await run.result
            ended.withLock { $0 = true }
        }
        op.manager.stop()
        try await op.advance("it has ended", limit: .seconds(6)) { ended.withLock { $0 } }
    }

    @Test func whatHasNotBegunNeedNotEnd() async throws {
        let op = TestOperator()
        op.server.configure { $0.served = [.configMap, .event] }
        let run = Task { try await op.manager.run() }
        let ended = Lock(false)
        Task {
            _ = await run.result
            ended.withLock { $0 = true }
        }
        try await op.maps.whenSynced()
        op.manager.stop()
        // The clock stands still: the limit does not pass.
        try await until("it has ended") { ended.withLock { $0 } }
    }

    @Test func livenessFailsOnlyWhenAWatchIsMuteForTwiceTheLimitAndTheServerAnswersOthers() async throws {
        let op = TestOperator()
        op.server.configure { $0.mute = [.configMap] }
        try await op.running {
            try await op.maps.whenSynced()
            try await op.apps.whenSynced()
            await op.pass(.seconds(300))
            try await op.manager.checkLiveness()
            // The others hear from the server, this one does not.
            for _ in 0..<3 {
                op.server.endWatches(.app)
                await op.pass(.seconds(60))
            }
            #expect(op.maps.isMute)
            await #expect(throws: UnhealthyError.self) { try await op.manager.checkLiveness() }
            // While the server answers nobody a restart would not help.
            op.server.configure { $0.fault = { _ in throw apiError(503) } }
            try await op.manager.checkLiveness()
        }
    }

    @Test func readinessWaitsForTheFirstListsOfWhatMustBeThere() async throws {
        let op = TestOperator()
        op.server.configure {
            $0.served = [.app, .configMap, .event]
            $0.fault = { if $0.type == .configMap { throw apiError(403, "Forbidden", "no") } }
        }
        try await op.running {
            try await op.apps.whenSynced()
            #expect(throws: UnhealthyError.self) { try op.manager.checkReadiness() }
            op.server.configure { $0.fault = nil }
            try await op.advance(limit: .seconds(5)) { op.maps.status == .synced }
            try op.manager.checkReadiness()
            #expect(op.manager.informerStatus.map(\.kind) == ["App", "ConfigMap", "Topic"])
        }
    }

    @Test func aGracefulShutdownOfTheServiceGroupStopsIt() async throws {
        let op = TestOperator(election: electing())
        let group = ServiceGroup(configuration: .init(services: [.init(service: op.manager)], logger: quiet))
        op.server.put(app("a"))
        let run = Task { try await group.run() }
        try await until { op.value("a") == "v1" }
        await group.triggerGracefulShutdown()
        try await run.value
        #expect(op.server.object(.lease, key("lock"))?.spec?["holderIdentity"] == "")
    }
}
