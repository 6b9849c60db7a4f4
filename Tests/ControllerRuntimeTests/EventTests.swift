@testable import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct EventTests {
    let start = ContinuousClock.now
    let wallClock = KubernetesTime(seconds: 1_767_225_600)
    let note = EventNote(.warning, reason: "DatabaseUnreachable", action: "Connect", "cannot connect")
    var aggregator = EventAggregator(controller: "c", instance: "i")

    func after(_ duration: Duration) -> Instant { start.advanced(by: duration) }

    @discardableResult
    mutating func add(_ note: EventNote, about name: String = "a", at time: Duration) -> EventAggregator.Request? {
        aggregator.add(note, about: object(name), now: after(time), wallClock: wallClock.advanced(by: time))
    }

    @Test mutating func theFirstOfAKindIsAnEventOfTheNewApi() throws {
        guard case .create(let event) = add(note, at: .zero)?.action else { return #expect(Bool(false)) }
        #expect(event.apiVersion == "events.k8s.io/v1" && event.kind == "Event")
        #expect(event.namespace == "ns" && event.name.hasPrefix("a."))
        #expect(event.json["regarding"]?["name"] == "a" && event.json["regarding"]?["uid"] == "uid-a")
        #expect(event.json["type"] == "Warning" && event.json["reason"] == "DatabaseUnreachable")
        #expect(event.json["eventTime"] == "2026-01-01T00:00:00.000000Z")
        #expect(event.json["reportingController"] == "c" && event.json["reportingInstance"] == "i")
        #expect(event.json["note"] == "cannot connect" && event.json["action"] == "Connect")
    }

    @Test mutating func repetitionsBecomeASeriesThatIsSentNowAndThen() {
        add(note, at: .zero)
        for second in 1...20 { #expect(add(note, at: .seconds(second)) == nil) }
        #expect(aggregator.flush(now: after(.seconds(21))) == [])
        let sent = aggregator.flush(now: after(.seconds(30)))
        guard case .update(let count, let last) = sent.first?.action else { return #expect(Bool(false)) }
        #expect(sent.count == 1 && count == 21)
        #expect(last == wallClock.advanced(by: .seconds(20)))
        #expect(aggregator.flush(now: after(.seconds(90))) == [])
    }

    @Test mutating func aSeriesEndsWhenItIsQuietAndTheNextNoteIsANewEvent() {
        add(note, at: .zero)
        add(note, at: .seconds(5))
        #expect(aggregator.flush(now: after(.seconds(400))).count == 1)
        #expect(aggregator.flush(now: after(.seconds(800))) == [])
        if case .create = add(note, at: .seconds(801))?.action {} else { #expect(Bool(false)) }
    }

    @Test mutating func anObjectGets25EventsAtOnceAndThenOneEachFiveMinutes() {
        func different(_ index: Int) -> EventNote { EventNote(.normal, reason: "R", action: "A", "\(index)") }
        let sent = (0..<100).compactMap { add(different($0), at: .zero) }
        #expect(sent.count == 25)
        #expect(add(different(200), at: .seconds(301)) != nil)
        #expect(add(different(201), at: .seconds(302)) == nil)
        // Another object has its own limit.
        #expect(add(note, about: "b", at: .zero) != nil)
    }

    @Test mutating func anEventThatTheServerLacksIsMadeAnewByTheNextNote() throws {
        let request = try #require(add(note, at: .zero))
        aggregator.forget(request)
        let again = try #require(add(note, at: .seconds(1)))
        #expect(again.event != request.event)
        aggregator.forget(request)  // late news of the first one
        #expect(add(note, at: .seconds(2)) == nil)
    }

    @Test mutating func ofTooManySeriesTheOldestAreForgotten() {
        for index in 0...4096 { add(note, about: "o\(index)", at: .seconds(Double(index) / 100)) }
        #expect(add(note, about: "o4000", at: .seconds(50)) == nil)
        #expect(add(note, about: "o0", at: .seconds(50)) != nil)
    }

    @Test mutating func aLongNoteIsCutAt1024BytesBetweenCharacters() {
        let long = EventNote(.normal, reason: "R", action: "A", String(repeating: "ä", count: 1000))
        guard case .create(let event) = add(long, at: .zero)?.action else { return #expect(Bool(false)) }
        let text = event.json["note"]?.string ?? ""
        #expect(text.utf8.count <= 1024 && text.utf8.count > 1000 && text.hasSuffix("ä…"))
    }

    @Test func recordingNeverWaitsAndTheEventArrives() async throws {
        let (server, time) = (FakeServer(), ManualTime())
        let recorder = EventRecorder(client: server, controller: "c", instance: "i", time: time, logger: quiet)
        for index in 0..<600 { recorder.record(note, about: object("o\(index)")) }  // nobody sends yet
        let running = Task { await recorder.run() }
        defer { running.cancel() }
        try await until("the backlog is sent") { server.count("create", .event) == 512 }
        recorder.record(note, about: object("fresh"))
        try await until("the fresh one is sent") { server.count("create", .event) == 513 }
    }

    @Test func anEventThatCannotBeWrittenIsDroppedAndTheNextIsSent() async throws {
        let (server, time) = (FakeServer(), ManualTime())
        server.configure { $0.fault = { if $0.name.hasPrefix("bad") { throw apiError(403, "Forbidden") } } }
        let recorder = EventRecorder(client: server, controller: "c", instance: "i", time: time, logger: quiet)
        let running = Task { await recorder.run() }
        defer { running.cancel() }
        recorder.record(note, about: object("bad"))
        recorder.record(note, about: object("good"))
        try await until { server.objects(.event).map { $0.json["regarding"]?["name"]?.string } == ["good"] }
    }
}

@Suite(.timeLimit(.minutes(10))) struct FinalizersTests {
    let server = FakeServer([object("a", ["metadata": ["finalizers": ["other.io/x"]]])])
    var finalizers: Finalizers { Finalizers(client: server, fieldManager: "me") }
    var stored: KubernetesObject { server.object(.app, key("a")) ?? object("missing") }

    @Test func addingKeepsTheOthersAndASecondTimeWritesNothing() async throws {
        try await finalizers.add("me.io/f", to: stored, .app)
        #expect(stored.finalizers == ["other.io/x", "me.io/f"])
        server.forgetCalls()
        #expect(try await finalizers.add("me.io/f", to: stored, .app) == nil)
        #expect(server.calls.isEmpty)
    }

    @Test func anObjectThatChangedMeanwhileIsReadAnewAndNothingOfItIsLost() async throws {
        let old = stored
        server.edit(.app, key("a")) { $0.set(["other.io/x", "third.io/y"], at: "metadata", "finalizers") }
        try await finalizers.add("me.io/f", to: old, .app)
        #expect(stored.finalizers == ["other.io/x", "third.io/y", "me.io/f"])
    }

    @Test func anObjectThatIsBeingDeletedGetsNoFinalizer() async throws {
        server.edit(.app, key("a")) { $0.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp") }
        #expect(try await finalizers.add("me.io/f", to: stored, .app) == nil)
    }

    @Test func removingLetsTheObjectGoAndAnAbsentOneIsFine() async throws {
        try await finalizers.add("me.io/f", to: stored, .app)
        try await finalizers.remove("other.io/x", from: stored, .app)
        server.edit(.app, key("a")) { $0.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp") }
        let last = stored
        try await finalizers.remove("me.io/f", from: last, .app)
        #expect(server.object(.app, key("a")) == nil)
        #expect(try await finalizers.remove("me.io/f", from: last, .app) == nil)
    }

    @Test func anotherObjectOfTheSameNameIsLeftAlone() async throws {
        let old = stored
        server.remove(.app, key("a"))
        server.put(object("a", uid: "another"))
        #expect(try await finalizers.add("me.io/f", to: old, .app) == nil)
        #expect(stored.finalizers.isEmpty)
    }
}
