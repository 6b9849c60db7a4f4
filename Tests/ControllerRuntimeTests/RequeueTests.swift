import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct RequeueTests {
    @Test func whatIsTriedAgainLetsWhatHasChangedGoFirst() async throws {
        let op = TestOperator()
        let waiting = (0..<40).map { "waiting\($0)" }
        for name in waiting + ["edited"] { op.server.put(object(name, ["spec": ["value": "v1"]])) }
        let (passesSince, begun) = (Lock<Int?>(nil), Latch())
        op.intervene { context in
            guard context.key.name == "edited" else {
                let isLate = passesSince.withLock { passes in
                    passes? += 1
                    return (passes ?? 0) > 4
                }
                // Each of the four workers may have taken one before the change, and no other comes before it.
                if isLate { try await begun.wait() }
                return begun.isOpen ? .done : .requeue(after: .zero)
            }
            if context.object?.spec?["value"] == "v2" { begun.open() }
            return .done
        }
        try await op.running {
            try await until("all had their passes") {
                op.passes("edited") > 0 && waiting.allSatisfy { op.passes($0) > 1 }
            }
            // After the controller's own handler.
            op.apps.onChange { change in
                if change.new?.object.spec?["value"] == "v2" { passesSince.withLock { $0 = 0 } }
            }
            op.server.edit(.app, key("edited")) { $0.set("v2", at: "spec", "value") }
            try await until("the edited one has its pass") { begun.isOpen }
        }
    }

    /// The lease may be renewed in the moment in which a write finds that it has run out.
    @Test func whatTheFenceRefusedIsTriedAgain() async throws {
        let op = TestOperator()
        op.server.put(object("a", ["spec": ["value": "v1"]]))
        let isRefused = Lock(false)
        op.intervene { _ in
            let isFirst = isRefused.withLock { isRefused in
                defer { isRefused = true }
                return !isRefused
            }
            if isFirst { throw FenceError() }
            return .done
        }
        try await op.running {
            try await op.advance("it has another pass", limit: .seconds(10)) { op.passes("a") > 1 }
        }
    }
}
