import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// The sidecars of two apps are asked at a time: what the others' statuses say holds until it is their turn.
@Suite(.timeLimit(.minutes(10))) struct SidecarTurnTests {
    private static let apps = ["a", "b", "c", "d", "e"]

    @Test func aFleetThatIsReadyStaysSoWhenTheOperatorIsStartedAgain() async throws {
        let time = ManualTime()
        let cluster = try await OperatorHarness(time: time)
        try await cluster.whileRunning { try await cluster.bringUp(Self.apps) }
        let versions = try await cluster.versions(of: Self.apps)
        let before = (writes: cluster.writes.withLock { $0.count }, passes: cluster.passes, calls: cluster.calls)
        cluster.sidecars.answers.close()
        try await cluster.whileRunning {
            _ = try await eventually("every app is looked at, and two are asked") {
                cluster.passes - before.passes >= 5 && cluster.calls - before.calls >= 8 ? true : nil
            }
            for _ in 0..<60 {
                time.advance(by: .seconds(1))
                // Whoever wakes now shall have the time to do something.
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(cluster.passes - before.passes == 5, "in a minute there was nothing new")
            #expect(cluster.calls - before.calls == 8)
            #expect(try await cluster.versions(of: Self.apps) == versions)
            cluster.sidecars.answers.open()
            _ = try await eventually("every app is asked") { cluster.calls - before.calls >= 20 ? true : nil }
            try await cluster.settle()
            #expect(cluster.calls - before.calls == 20)
            #expect(cluster.passes - before.passes == 8, "those that waited had one more pass")
            #expect(try await cluster.versions(of: Self.apps) == versions)
            let writes = cluster.writes.withLock { $0.dropFirst(before.writes) }
            #expect(!writes.contains { $0.contains("/todoapps/") || $0.contains("/events") }, "\(writes)")
        }
    }

    @Test func anAppThatIsScaledStaysReadyWhileOthersAreAsked() async throws {
        let cluster = try await OperatorHarness(time: ManualTime())
        try await cluster.whileRunning {
            try await cluster.bringUp(["a", "b", "c"])
            let calls = cluster.calls
            cluster.sidecars.answers.close()
            for app in ["a", "b"] {
                try await cluster.patch(
                    DesiredState.deploymentType, "\(app)-api", ["status": ["readyReplicas": 1]], subresource: "status")
            }
            _ = try await eventually("both are asked") { cluster.calls - calls == 8 ? true : nil }
            let isReady: @Sendable (JSON) -> JSON? = { app in
                app.at("status", "conditions")?.array?.first { $0["type"] == "DaprReady" }?["reason"]
            }
            let reasons = try await cluster.recording(TodoGroup.todoApp, "c", isReady) {
                try await cluster.patch(TodoGroup.todoApp, "c", ["spec": ["services": ["api": ["replicas": 3]]]])
                _ = try await eventually("it is scaled") {
                    try await cluster.find(DesiredState.deploymentType, "c-api")?.at("spec", "replicas") == 3
                        ? true : nil
                }
                try await cluster.bringUpPods(of: [.api], app: "c")
                _ = try await eventually("the status has it") {
                    let services = try await cluster.find(TodoGroup.todoApp, "c")?.at("status", "services")
                    return services?[0]?["ready"] == 3 ? true : nil
                }
            }
            #expect(Set(reasons) == ["SidecarsReady"])
            try await cluster.whenReason(.allReady, app: "c")
            #expect(cluster.calls - calls == 8, "it was not its turn")
            cluster.sidecars.answers.open()
            _ = try await eventually("it is asked, too") { cluster.calls - calls == 12 ? true : nil }
            try await cluster.settle()
            #expect(cluster.sidecars.asked.withLock { $0.suffix(4).contains("c-api") })
        }
    }

    private static func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "team", name: name) }

    @Test func whoCameFirstIsCalledFirst() async {
        let turns = Turns(atOnce: 1)
        let called = Lock<[String]>([])
        turns.prepare { key in called.withLock { $0.append(key.name) } }
        #expect(turns.take(Self.key("a")))
        for name in ["z", "c", "b", "c"] { #expect(!turns.take(Self.key(name))) }
        turns.end(Self.key("a"))
        #expect(called.withLock { $0 } == ["z"])
        #expect(!turns.take(Self.key("a")), "it is the turn of who was called")
        // Its pass fails, or finds that there is nothing to ask.
        await turns.during(passOf: Self.key("z")) {}
        #expect(called.withLock { $0 } == ["z", "c"])
        turns.leave(Self.key("b"))
        await turns.during(passOf: Self.key("c")) { #expect(turns.take(Self.key("c"))) }
        #expect(called.withLock { $0 } == ["z", "c", "a"])
    }

    @Test func aTurnThatIsCalledDuringAPassIsForTheNext() async {
        let turns = Turns(atOnce: 1)
        #expect(turns.take(Self.key("a")))
        await turns.during(passOf: Self.key("b")) {
            #expect(!turns.take(Self.key("b")))
            turns.end(Self.key("a"))
        }
        #expect(!turns.take(Self.key("c")))
        await turns.during(passOf: Self.key("b")) { #expect(turns.take(Self.key("b"))) }
    }
}

extension OperatorHarness {
    /// How often the database of an app was looked at, as is done in each pass.
    fileprivate var passes: Int { database.prepared.withLock { $0.count } }
    fileprivate var calls: Int { sidecars.calls.withLock { $0 } }

    /// Apps that are ready, with a pod for each of four services.
    fileprivate func bringUp(_ apps: [String]) async throws {
        try await createSecret()
        for app in apps {
            try await createApp(name: app)
            try await bringUpPods(app: app)
            try await whenReason(.allReady, app: app)
        }
        try await settle()
    }

    /// They change with each write.
    fileprivate func versions(of apps: [String]) async throws -> [String?] {
        var versions: [String?] = []
        for app in apps {
            versions.append(try await find(TodoGroup.todoApp, app)?.at("metadata", "resourceVersion")?.string)
        }
        return versions
    }
}
