@testable import ControllerRuntime
import Concurrency
import KubernetesClient
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct InformerTests {
    let time = ManualTime()
    let server = FakeServer([object("a"), object("b")])

    func informer(_ type: ResourceType = .app, _ options: Informer.Options = .init()) -> Informer {
        Informer(type, client: server, fieldManager: "me", options: options, time: time, logger: quiet)
    }

    /// Runs the informer while `body` does, then cancels it.
    func following(_ informer: Informer, _ body: () async throws -> Void) async throws {
        let running = Task { await informer.run() }
        defer { running.cancel() }
        try await body()
    }

    func advance(
        _ what: String, limit: Duration, step: Duration = .milliseconds(500), _ condition: () -> Bool
    ) async throws {
        try await time.advance(until: what, limit: limit, step: step, condition)
    }

    @Test func theStoreFollowsTheServer() async throws {
        let apps = informer()
        try await following(apps) {
            try await apps.whenSynced()
            #expect(apps.store.keys == [key("a"), key("b")])
            server.put(object("c", ["spec": ["x": 1]]))
            server.remove(.app, key("a"))
            try await until { apps.store.keys == [key("b"), key("c")] }
            #expect(apps.store.get(key("c"))?.spec == ["x": 1])
            #expect(apps.status == .synced)
        }
    }

    @Test func changesAreToldInOrderAfterTheStoreHasThem() async throws {
        let apps = informer()
        let told = Lock<[String]>([])
        apps.onChange { change in
            let agrees =
                apps.store.stored(change.latest?.key ?? key(""))?.resourceVersion == change.new?.resourceVersion
            let line = "\(change.kind) \(change.latest?.key.name ?? "") \(change.isInitial ? "first" : "") \(agrees)"
            told.withLock { $0.append(line) }
        }
        try await following(apps) {
            try await apps.whenSynced()
            try await until { server.openWatches == 1 }
            server.edit(.app, key("a")) { $0["spec"] = ["x": 2] }
            server.remove(.app, key("a"))
            try await until { told.withLock { $0.count } == 4 }
        }
        #expect(
            told.withLock { $0 } == ["added a first true", "added b first true", "updated a  true", "deleted a  true"])
    }

    @Test func anObjectThatWasReadBeforeItWentDoesNotComeBack() async throws {
        let apps = informer()
        try await following(apps) {
            try await apps.whenSynced()
            let read = try #require(server.object(.app, key("a")))
            server.remove(.app, key("a"))
            try await until { !apps.store.contains(key("a")) }
            apps.learn(read)
            #expect(!apps.store.contains(key("a")))
        }
    }

    @Test func whatAWatchThatLagsTellsOfAnEarlierObjectDoesNotUndoWhatWasReadLive() async throws {
        let apps = informer()
        try await following(apps) {
            try await apps.whenSynced()
            try await until { server.openWatches == 1 }
            apps.learn(object("a", version: 90, uid: "later"))
            server.edit(.app, key("a")) { $0["spec"] = ["x": 2] }
            server.remove(.app, key("a"))
            server.put(object("z"))
            try await until { apps.store.contains(key("z")) }
            #expect(apps.store.stored(key("a"))?.uid == "later")
        }
    }

    @Test func afterAnAcceptedThenMuteConnectionTheStoreIsFreshWithin205Seconds() async throws {
        var options = Informer.Options()
        let longest = options.reflector.watchTimeout.upperBound
        options.reflector.watchTimeout = longest...longest
        let apps = informer(.app, options)
        try await following(apps) {
            try await apps.whenSynced()
            try await until { server.openWatches == 1 }
            let began = time.now
            server.configure { $0.mute = [.app] }
            server.put(object("c"))
            server.configure { $0.mute = [] }  // the next connection works; this one never will
            try await advance("the store is fresh", limit: .seconds(205), step: .seconds(1)) {
                apps.store.contains(key("c"))
            }
            #expect(time.now - began == .seconds(205))
            #expect(server.count("list", .app) == 1, "the watch goes on, nothing is listed again")
        }
    }

    @Test func a410ListsAgainFromTheLastVersionAndTellsWhatWasDeletedMeanwhile() async throws {
        let apps = informer()
        let deleted = Lock<[String]>([])
        apps.onChange { change in
            if change.kind == .deleted { deleted.withLock { $0.append(change.old?.key.name ?? "") } }
        }
        try await following(apps) {
            try await apps.whenSynced()
            try await until { server.openWatches == 1 }
            server.configure { $0.mute = [.app] }
            server.remove(.app, key("a"))
            server.compact()
            server.configure { $0.mute = [] }
            server.endWatches(.app)
            try await advance("the deletion is known", limit: .seconds(10)) { deleted.withLock { $0 } == ["a"] }
            let options = server.state.withLock { $0.listOptions }
            #expect(options.count == 2)
            #expect(options.last?.resourceVersionMatch == .notOlderThan)
            #expect(options.last?.resourceVersion == options.first.map { _ in "12" })
        }
    }

    @Test func aWatchThatFailsJustAsItIsGivenUpSaysOfNoObjectThatItIsGone() async throws {
        let apps = informer()
        let deleted = Lock(0)
        apps.onChange { change in if change.kind == .deleted { deleted.withLock { $0 += 1 } } }
        server.configure {
            $0.mute = [.app]
            $0.lastWords = .error(Status(code: 410, reason: "Expired", message: "too old"))
        }
        try await following(apps) {
            try await apps.whenSynced()
            try await until { server.openWatches == 1 }
            server.put(object("c"))
            try await advance("the store is fresh", limit: .seconds(220)) { apps.store.contains(key("c")) }
            #expect(apps.store.keys == [key("a"), key("b"), key("c")])
            #expect(deleted.withLock { $0 } == 0 && apps.isKnown)
        }
    }

    @Test func everyWatchAsksForBookmarksAndAnEndWithin200Seconds() async throws {
        let apps = informer()
        try await following(apps) {
            try await until { server.openWatches == 1 }
            let options = server.state.withLock { $0.watchOptions }
            #expect(options.allSatisfy { $0.allowBookmarks && (100...200).contains($0.timeoutSeconds) })
        }
    }

    @Test func aBadObjectIsSkippedAndTheOthersArrive() async throws {
        struct Bad: Error {}
        var options = Informer.Options()
        options.transform = { object in if object.spec?["bad"] != nil { throw Bad() } }
        let apps = informer(.app, options)
        server.put(object("bad", ["spec": ["bad": true]]))
        try await following(apps) {
            try await apps.whenSynced()
            #expect(apps.store.keys == [key("a"), key("b")])
            try await until { server.openWatches == 1 }
            server.send(.undecodable(bytes: [0x7b], reason: "not JSON"), .app)
            server.put(object("c"))
            try await until { apps.store.contains(key("c")) }
            #expect(server.openWatches == 1)
        }
    }

    @Test func aFailingServerIsTriedAgainWithBackOffUntilItAnswers() async throws {
        server.configure { $0.fault = { _ in throw apiError(503, "ServiceUnavailable") } }
        let apps = informer()
        try await following(apps) {
            try await advance("some time has passed", limit: .seconds(120)) { server.count("list", .app) >= 6 }
            #expect(apps.status != .synced)
            server.configure { $0.fault = nil }
            try await advance("it is in sync", limit: .seconds(31)) { apps.status == .synced }
        }
    }

    @Test func aDeniedWatchIsSeenAndTheStoreIsKeptByListing() async throws {
        server.configure { $0.fault = { if $0.verb == "watch" { throw apiError(403, "Forbidden", "no watch") } } }
        let apps = informer()
        try await following(apps) {
            try await until { apps.status == .forbidden("no watch") }
            server.put(object("c"))
            try await advance("the object is there", limit: .seconds(31)) { apps.store.contains(key("c")) }
            #expect(apps.status == .forbidden("no watch"))
            server.configure { $0.fault = nil }
            try await advance("a watch is open", limit: .seconds(31)) { server.openWatches == 1 }
            server.put(object("d"))
            try await until { apps.status == .synced }
        }
    }

    @Test func anOptionalTypeIsAbsentUntilItAppearsAndEmptiedWhenItGoes() async throws {
        server.configure { $0.served = [.app] }
        let topics = informer(.topic, .init(isOptional: true))
        let seen = Lock<[InformerStatus]>([])
        topics.onStatusChange { status in seen.withLock { $0.append(status) } }
        try await following(topics) {
            try await topics.whenSettled()
            #expect(topics.status == .absent)
            #expect(server.count("list", .topic) == 0)
            server.configure { $0.served = [.app, .topic] }
            server.put(object(.topic, "t"), .topic)
            try await advance("the type is found", limit: .seconds(31)) { topics.status == .synced }
            #expect(topics.store.keys == [key("t")])
            try await until { server.openWatches == 1 }
            server.configure { $0.served = [.app] }
            server.endWatches(.topic)
            try await advance("the type is gone", limit: .seconds(31)) { topics.status == .absent }
            #expect(topics.store.keys.isEmpty)
            #expect(seen.withLock { $0 } == [.absent, .starting, .synced, .absent])
            #expect(topics.isKnown, "the server does not have the type: so there are none")
            server.configure {
                $0.served = nil
                $0.deniedVerbs = ["list"]
            }
            try await advance("it is back, and may not be listed", limit: .seconds(31)) {
                topics.status == .forbidden("list topics.kafka.example.com")
            }
            #expect(!topics.isKnown)
        }
    }

    /// As while its CRD comes or goes.
    @Test func aTypeThatDiscoveryNamesAndNobodyServesIsAskedForNowAndThen() async throws {
        server.configure { $0.fault = { if $0.verb == "list" { throw apiError(404, "NotFound") } } }
        server.put(object(.topic, "t"), .topic)
        let topics = informer(.topic, .init(isOptional: true))
        try await following(topics) {
            try await topics.whenSettled()
            let end = time.now.advanced(by: .seconds(60))
            try await advance("a minute has passed", limit: .seconds(61)) { time.now >= end }
            #expect(server.count("list", .topic) <= 5)
            server.configure { $0.fault = nil }
            try await advance("it is in sync", limit: .seconds(31)) { topics.status == .synced }
            #expect(topics.store.keys == [key("t")])
        }
    }

    @Test func aProbeThatFailsIsRepeatedSoonBecauseControllersWaitForIt() async throws {
        let failures = Lock(2)
        server.configure {
            $0.fault = { call in
                guard call.verb == "serves" else { return }
                let fails = failures.withLock { count in
                    count -= 1
                    return count >= 0
                }
                if fails { throw apiError(500) }
            }
        }
        let topics = informer(.topic, .init(isOptional: true))
        try await following(topics) {
            try await advance("it is in sync", limit: .seconds(5)) { topics.status == .synced }
        }
    }

    @Test func anOptionalTypeThatMayNotBeWatchedSaysSoBeforeItIsListed() async throws {
        server.configure { $0.deniedVerbs = ["watch"] }
        let topics = informer(.topic, .init(isOptional: true))
        try await following(topics) {
            try await topics.whenSettled()
            #expect(topics.status == .forbidden("watch topics.kafka.example.com"))
            #expect(server.count("list", .topic) == 0)
            server.configure { $0.deniedVerbs = [] }
            try await advance("it is allowed", limit: .seconds(31)) { topics.status == .synced }
        }
    }

    @Test func fiveThousandLargeObjectsTakeLittleMoreThanTheirText() async throws {
        let big = FakeServer()
        let text = String(repeating: "x", count: 1000)
        for index in 0..<5000 { big.put(object(.configMap, "c\(index)", ["data": ["k": JSON(text)]]), .configMap) }
        let maps = Informer(.configMap, client: big, fieldManager: "me", time: time, logger: quiet)
        try await following(maps) {
            try await maps.whenSynced()
            #expect(maps.store.count == 5000)
            #expect(maps.store.encodedSize < 5000 * 1300)
        }
    }
}
