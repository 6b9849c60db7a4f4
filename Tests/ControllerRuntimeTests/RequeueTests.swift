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
        let passes = Lock(0)
        let (told, begun) = (Lock<Int?>(nil), Lock<Int?>(nil))
        op.intervene { context in
            let number = passes.withLock { passes in
                passes += 1
                return passes
            }
            guard context.key.name == "edited" else {
                return begun.withLock { $0 } == nil ? .requeue(after: .zero) : .done
            }
            if context.object?.spec?["value"] == "v2" { begun.withLock { $0 = number } }
            return .done
        }
        try await op.running {
            try await until("all had their passes") {
                op.passes("edited") > 0 && waiting.allSatisfy { op.passes($0) > 1 }
            }
            // After the controller's own handler.
            op.apps.onChange { change in
                if change.new?.object.spec?["value"] == "v2" { told.withLock { $0 = passes.withLock { $0 } } }
            }
            op.server.edit(.app, key("edited")) { $0.set("v2", at: "spec", "value") }
            try await until("the edited one has its pass") {
                begun.withLock { $0 != nil } && told.withLock { $0 != nil }
            }
        }
        let between = (begun.withLock { $0 } ?? 0) - (told.withLock { $0 } ?? 0)
        #expect(between < 15, "\(between) passes came before it")
    }
}
