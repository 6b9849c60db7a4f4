@testable import ControllerRuntime
import Concurrency
import KubernetesClient
import Logging
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct ControllerTests {
    let op = TestOperator()
    var server: FakeServer { op.server }

    func app(_ name: String, _ value: String = "v1") -> KubernetesObject {
        object(name, ["spec": ["value": JSON(value)]])
    }

    @Test func anObjectGetsItsChildAndStatusAndAChangeReachesThem() async throws {
        server.put(app("a"))
        try await op.running {
            try await until { op.value("a") == "v1" && op.status("a")?["observedGeneration"] == 1 }
            server.edit(.app, key("a")) { $0.set("v2", at: "spec", "value") }
            try await until { op.value("a") == "v2" && op.status("a")?["observedGeneration"] == 2 }
        }
    }

    @Test func tenMinutesOfSteadyStateMakeNoWriteAlsoWhenTheServerSetsDefaults() async throws {
        server.configure {
            $0.admission = { object in
                guard object.kind == "ConfigMap" else { return }
                object.json["immutable"] = false
                object.json.set("injected", at: "metadata", "annotations", "webhook")
            }
        }
        for index in 0..<5 { server.put(app("a\(index)")) }
        try await op.running {
            try await until { (0..<5).allSatisfy { op.status("a\($0)") != nil } }
            try await op.settled()
            server.forgetCalls()
            // The world goes on: others write what is theirs, watches end and are opened again.
            for minute in 0..<10 {
                server.edit(.configMap, key("a1")) { $0.set(JSON("\(minute)"), at: "status", "seen") }
                server.edit(.configMap, key("a2")) { $0.set(JSON("\(minute)"), at: "metadata", "labels", "other") }
                op.controller.enqueueAll()
                await op.pass(.seconds(60))
                try await op.settled()
            }
            #expect(server.writes == [])
            #expect(op.passes("a1") > 10)
        }
    }

    @Test func driftOfAFieldOfOursIsPutBackAtOnceAndForeignFieldsAreLeft() async throws {
        server.put(app("a"))
        try await op.running {
            try await until { op.value("a") == "v1" }
            try await op.settled()
            server.edit(.configMap, key("a")) {
                $0.set("evil", at: "data", "value")
                $0.set("theirs", at: "data", "other")
            }
            try await until("the value is back") { op.value("a") == "v1" }
            #expect(op.map("a")?.json.at("data", "other") == "theirs")
            try await op.settled()
            server.remove(.configMap, key("a"))
            try await until("the child is back") { op.value("a") == "v1" }
        }
    }

    @Test func whoIsChangedBackAgainAndAgainBacksOffWarnsAndIsStalled() async throws {
        server.configure { $0.admission = { if $0.kind == "ConfigMap" { $0.json.set("v1", at: "data", "value") } } }
        server.put(app("a"))
        let server = server
        op.maps.onChange { change in
            // A controller that cannot leave it alone.
            guard change.new?.object.json.at("data", "value")?.string == "v1" else { return }
            server.edit(.configMap, key("a")) { $0.set("mine", at: "data", "value") }
        }
        try await op.running {
            try await op.advance("it is stalled", limit: .seconds(30)) { op.status("a")?["stalled"] == true }
            #expect(server.count("apply", .configMap) == 5)
            try await until("a warning is written") {
                server.objects(.event).contains {
                    $0.json["reason"] == "ChangedBackRepeatedly" && $0.json["type"] == "Warning"
                }
            }
            server.forgetCalls()
            await op.pass(.seconds(50))
            #expect(server.count("apply", .configMap) == 0)
        }
    }

    @Test func aPassWaitsUntilTheCacheHasSeenTheLastOnesWrites() async throws {
        server.put(app("a"))
        try await op.running {
            try await op.apps.whenSynced()
            try await until { server.openWatches >= 2 }
            server.configure { $0.mute = [.configMap] }  // the cache of ConfigMaps falls behind
            server.edit(.app, key("a")) { $0.set("v2", at: "spec", "value") }
            try await until { op.value("a") == "v2" }
            let passes = op.passes("a")
            server.edit(.app, key("a")) { $0.set("v3", at: "spec", "value") }
            await op.pass(.seconds(25))
            #expect(op.passes("a") == passes, "no pass on a cache that lacks our own write")
            #expect(op.value("a") == "v2")
            // After 30 s the object is read live, and the key goes on.
            server.forgetCalls()
            try await op.advance("the key goes on", limit: .seconds(10)) { op.value("a") == "v3" }
            #expect(server.count("get", .configMap) >= 1)
        }
    }

    @Test func aPassIsNotRepeatedForWhatItWroteItself() async throws {
        server.put(app("a"))
        try await op.running {
            try await until { op.status("a") != nil }
            try await op.settled()
            #expect(op.passes("a") == 1)
            server.edit(.app, key("a")) { $0.set("v2", at: "spec", "value") }
            try await until { op.value("a") == "v2" }
            try await op.settled()
            #expect(op.passes("a") == 2)
        }
    }

    @Test func whatChildrenReportBringsOnePassForAllWithinTheSettlingTime() async throws {
        server.put(app("a"))
        // Called after the controller's own handler.
        let steps = Lock(0)
        op.maps.onChange { change in steps.withLock { $0 = change.new?.object.status?["step"]?.int ?? 0 } }
        try await op.running {
            try await until { op.status("a") != nil }
            try await op.settled()
            for step in 1...3 {
                server.edit(.configMap, key("a")) { $0.set(JSON(step), at: "status", "step") }
                try await until { steps.withLock { $0 } == step }
                await op.pass(.milliseconds(60), step: .milliseconds(20))
            }
            #expect(op.passes("a") == 1)
            try await op.advance("it is seen", limit: .milliseconds(100), step: .milliseconds(10)) {
                op.passes("a") == 2
            }
            await op.pass(.seconds(1), step: .milliseconds(50))
            #expect(op.passes("a") == 2)
            // What is urgent does not wait, and takes the rest along.
            server.edit(.configMap, key("a")) { $0.set(4, at: "status", "step") }
            try await until { steps.withLock { $0 } == 4 }
            server.edit(.configMap, key("a")) { $0.set("evil", at: "data", "value") }
            try await until("the value is back") { op.value("a") == "v1" }
            try await op.settled()
            await op.pass(.seconds(1), step: .milliseconds(50))
            #expect(op.passes("a") == 3)
        }
    }

    @Test func whatIsMadeOnlyWhereThereIsNothingLeavesWhatIsThere() async throws {
        let theirs = object(.secret, "login", ["data": ["password": "theirs"]])
        let ours = object(.secret, "login", ["data": ["password": "ours"]])
        let refused = Lock(0)
        op.intervene { context in
            do { try await context.apply(ours, .secret, ifAbsent: true) } catch let error as APIError
                where error.isConflict
            { refused.withLock { $0 += 1 } }
            return nil
        }
        server.put(theirs, .secret)
        server.put(app("a"))
        try await op.running {
            try await until { op.status("a") != nil }
            #expect(refused.withLock { $0 } == 1)
            #expect(server.object(.secret, key("login"))?.json["data"] == theirs.json["data"])
            server.remove(.secret, key("login"))
            server.put(app("b"))
            try await until { op.status("b") != nil }
            #expect(server.object(.secret, key("login"))?.json["data"] == ours.json["data"])
        }
    }

    @Test func aDelayedWatchMakesNoDuplicatesAndNoSecondWrite() async throws {
        server.configure { $0.mute = [.configMap] }
        server.put(app("a"))
        try await op.running {
            try await until { op.value("a") == "v1" }
            for _ in 0..<10 {
                op.controller.enqueue(key("a"))
                await op.pass(.seconds(2))
            }
            #expect(server.count("apply", .configMap) == 1)
            #expect(server.objects(.configMap).count == 1)
        }
    }

    @Test func statusOfItsOwnDoesNotBringAPass() async throws {
        server.put(app("a"))
        try await op.running {
            try await until { op.status("a") != nil }
            try await op.settled()
            let passes = op.passes("a")
            server.edit(.app, key("a")) { $0.set("x", at: "status", "by") }
            server.put(app("b"))
            try await until { op.status("b") != nil }
            try await op.settled()
            #expect(op.passes("a") == passes)
            server.edit(.app, key("a")) { $0.set("x", at: "metadata", "labels", "l") }
            try await until { op.passes("a") > passes }
        }
    }

    @Test func aFailedPassIsTriedAgainWithBackOffAndATerminalOneIsNot() async throws {
        struct Boom: Error {}
        op.intervene { context in
            if context.key.name == "bad" { throw TerminalError("never") }
            if context.attempt < 4 { throw Boom() }
            return nil
        }
        server.put(app("a"))
        server.put(app("bad"))
        try await op.running {
            try await op.advance("the fourth attempt succeeds", limit: .seconds(1), step: .milliseconds(1)) {
                op.value("a") == "v1"
            }
            #expect(op.passes("a") >= 4)
            await op.pass(.seconds(60))
            #expect(op.passes("bad") == 1)
            op.intervene(nil)
            server.edit(.app, key("bad")) { $0.set("v2", at: "spec", "value") }
            try await until("a change gives it another chance") { op.value("bad") == "v2" }
        }
    }

    @Test func aPassMayAskToBeRepeatedLater() async throws {
        op.intervene { _ in .requeue(after: .seconds(300)) }
        server.put(app("a"))
        try await op.running {
            try await until { op.passes("a") == 1 && op.controller.isIdle }
            await op.pass(.seconds(299))
            #expect(op.passes("a") == 1)
            try await op.advance(limit: .seconds(3)) { op.passes("a") == 2 }
        }
    }

    @Test func aPassThatHangsIsCancelledAndDoesNotHoldItsWorker() async throws {
        let time = op.time
        op.intervene { context in
            if context.key.name == "slow" { try await time.sleep(until: time.now.advanced(by: .seconds(100_000))) }
            return nil
        }
        for index in 0..<4 { server.put(object("slow", namespace: "ns\(index)")) }
        try await op.running {
            try await until { op.passes.withLock { $0.count } == 4 }  // all workers are taken
            server.put(app("a"))
            try await op.advance("the workers are free again", limit: .seconds(125)) { op.value("a") == "v1" }
        }
    }

    @Test func oneObjectThatFailsDoesNotHoldUpOthers() async throws {
        struct Boom: Error {}
        op.intervene { if $0.key.name.hasPrefix("bad") { throw Boom() } else { nil } }
        for index in 0..<20 { server.put(app("bad\(index)")) }
        server.put(app("good"))
        try await op.running { try await until { op.value("good") == "v1" } }
    }

    @Test func anAbsentApiStopsNothingAndItsComingBringsAPassOverAll() async throws {
        server.configure { $0.served = [.app, .configMap, .event] }
        op.intervene { context in
            if context.status(of: .topic)?.isAvailable == true {
                try await context.apply(object(.topic, context.key.name), .topic)
            } else {
                await #expect(throws: WriteError.self) { try await context.apply(object(.topic, "t"), .topic) }
            }
            return nil
        }
        server.put(app("a"))
        try await op.running {
            try await until { op.value("a") == "v1" }
            #expect(op.topics.status == .absent)
            server.configure { $0.served = nil }
            try await op.advance("the topic is made", limit: .seconds(40)) { server.object(.topic, key("a")) != nil }
        }
    }

    @Test func aListThatHadBeenRefusedBringsAPassOverAllOnceItIsThere() async throws {
        let (known, listed) = (Lock<Bool?>(nil), Latch())
        server.configure {
            $0.deniedVerbs = ["list"]
            $0.fault = { if $0.verb == "list", $0.type == .topic { try await listed.wait() } }
        }
        op.intervene { context in
            known.withLock { $0 = context.knows(.topic) }
            return nil
        }
        let server = server
        server.put(app("a"))
        try await op.running {
            try await until { op.value("a") == "v1" }
            server.configure { $0.deniedVerbs = [] }
            try await op.advance("it is listed", limit: .seconds(40)) { server.count("list", .topic) == 1 }
            try await op.settled()
            #expect(known.withLock { $0 } == false, "it may be listed, but the list is not there yet")
            listed.open()
            try await until("a pass knows") { known.withLock { $0 } == true }
        }
    }

    @Test func aSecretThatIsReferredToByNameIsFollowedAndNoOtherIsRead() async throws {
        let reference = ObjectReference(.secret, namespace: "ns", name: "login")
        op.intervene { context in
            guard context.object != nil else {
                context.follow([])
                return .done
            }
            context.follow([reference])
            let secret = try await context.read(reference)
            try await context.updateStatus(["password": secret?.json.at("data", "password") ?? "none"])
            return .done
        }
        for index in 0..<50 { server.put(object(.secret, "foreign\(index)"), .secret) }
        server.put(app("a"))
        try await op.running {
            try await until { op.status("a") == ["password": "none"] }
            server.put(object(.secret, "login", ["data": ["password": "one"]]), .secret)
            try await until { op.status("a") == ["password": "one"] }
            server.edit(.secret, key("login")) { $0.set("two", at: "data", "password") }
            try await until { op.status("a") == ["password": "two"] }
            let lists = zip(server.state.withLock { $0.listOptions }, server.calls.filter { $0.verb == "list" })
            #expect(lists.filter { $0.1.type == .secret }.allSatisfy { $0.0.fieldSelector == "metadata.name=login" })
            let isFollowed: @Sendable () -> Bool = { [server] in
                server.state.withLock { state in state.watchers.values.contains { $0.type == .secret } }
            }
            #expect(isFollowed())
            server.remove(.app, key("a"))
            try await until("nobody follows it any more") { !isFollowed() }
        }
    }

    @Test func aFinalizerHoldsTheObjectUntilTheWorkIsDone() async throws {
        let cleaned = Lock(false)
        op.intervene { context in
            guard let app = context.object else { return .done }
            guard app.isBeingDeleted else {
                try await context.addFinalizer("example.com/f")
                return nil
            }
            cleaned.withLock { $0 = true }
            try await context.removeFinalizer("example.com/f")
            return .done
        }
        server.put(app("a"))
        try await op.running {
            try await until { op.value("a") == "v1" && server.object(.app, key("a"))?.finalizers == ["example.com/f"] }
            try await op.settled()
            _ = try await server.delete(.app, namespace: "ns", name: "a", options: DeleteOptions())
            try await until("it is gone") { server.object(.app, key("a")) == nil }
            #expect(cleaned.withLock { $0 })
        }
    }

    @Test func aChildThatIsNoLongerWantedIsDeletedOnce() async throws {
        server.put(app("a"))
        try await op.running {
            try await until { op.value("a") == "v1" }
            try await op.settled()
            op.intervene { context in
                for child in context.children(.configMap) { try await context.delete(child, .configMap) }
                return .done
            }
            op.controller.enqueue(key("a"))
            try await until { server.objects(.configMap).isEmpty }
            op.controller.enqueue(key("a"))
            try await op.settled()
            #expect(server.count("delete", .configMap) == 1)
        }
    }

    @Test func aPassLogsKindNamespaceNameAndGeneration() async throws {
        let seen = Lock<[String]>([])
        op.intervene { context in
            let values = ["kind", "namespace", "name", "generation", "controller"].map { key in
                context.logger[metadataKey: key].map { "\($0)" } ?? "missing"
            }
            seen.withLock { $0 = values }
            return .done
        }
        server.put(app("a"))
        try await op.running { try await until { seen.withLock { $0 } == ["App", "ns", "a", "1", "app"] } }
    }
}
