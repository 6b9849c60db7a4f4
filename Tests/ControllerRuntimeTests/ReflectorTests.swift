@testable import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@Suite struct ReflectorTests {
    let start = ContinuousClock.now
    var reflector = Reflector()

    func after(_ duration: Duration) -> Instant { start.advanced(by: duration) }

    @discardableResult
    mutating func feed(_ input: Reflector.Input, at time: Duration, random: Double = 0) -> Reflector.Output {
        reflector.handle(input, now: after(time)) { random }
    }

    func page(_ names: [String], _ version: Int, token: String? = nil) -> ObjectList {
        ObjectList(items: names.map { object($0) }, resourceVersion: "\(version)", continueToken: token)
    }

    /// A reflector that has listed `a` and `b` at version 100 and watches since second 0.
    mutating func watching() {
        feed(.start, at: .zero)
        feed(.page(page(["a", "b"], 100)), at: .zero)
    }

    func list(_ output: Reflector.Output) -> Reflector.ListRequest? {
        if case .list(let request) = output.command { request } else { nil }
    }
    func watch(_ output: Reflector.Output) -> Reflector.WatchRequest? {
        if case .watch(let request) = output.command { request } else { nil }
    }
    func delay(_ output: Reflector.Output, from time: Duration) -> Duration? {
        if case .sleep(let until) = output.command { until - after(time) } else { nil }
    }

    @Test mutating func theFirstListAsksForTheNewestStateInPagesAndTheWatchGoesOnFromIt() {
        let first = list(feed(.start, at: .zero))
        #expect(first?.notOlderThan == nil)
        #expect(first?.limit == 500)
        let second = feed(.page(page(["a"], 100, token: "t")), at: .zero)
        #expect(list(second)?.continueToken == "t")
        #expect(list(second)?.notOlderThan == nil)
        // The version of later pages does not count: all show the state of the first.
        let third = feed(.page(page(["b"], 107)), at: .zero)
        #expect(watch(third)?.resourceVersion == "100")
        #expect(third.effects.contains(.retain([key("a"), key("b")])))
        #expect(third.effects.contains(.synced(resourceVersion: "100")))
    }

    @Test(arguments: [0.0, 0.3, 0.999]) mutating func aWatchIsToEndAfter100To200SecondsAndTheClientWaits5More(
        random: Double
    ) throws {
        feed(.start, at: .zero)
        let request = try #require(watch(feed(.page(page([], 100)), at: .zero, random: random)))
        #expect((100...200).contains(request.timeoutSeconds))
        #expect(request.deadline - start == .seconds(request.timeoutSeconds + 5))
    }

    @Test mutating func aMuteConnectionIsNoticedWithin205SecondsAndTheWatchGoesOnFromTheLastVersion() throws {
        feed(.start, at: .zero)
        let request = try #require(watch(feed(.page(page([], 100)), at: .zero, random: 0.9999)))
        #expect(request.deadline - start <= .seconds(205))
        feed(.event(.bookmark(resourceVersion: "150", initialEventsEnd: false)), at: .seconds(60))
        let next = feed(.deadlinePassed, at: .seconds(205))
        #expect(watch(next)?.resourceVersion == "150")
        #expect(next.effects == [.report(.mute)])
    }

    @Test mutating func aWatchThatStaysMuteForTwiceTheLimitIsMuteForLiveness() {
        watching()
        feed(.deadlinePassed, at: .seconds(205))
        #expect(!reflector.isMute(after(.seconds(410))))
        feed(.deadlinePassed, at: .seconds(410))
        #expect(reflector.isMute(after(.seconds(411))))
        feed(.event(.bookmark(resourceVersion: "150", initialEventsEnd: false)), at: .seconds(412))
        #expect(!reflector.isMute(after(.seconds(413))))
    }

    @Test mutating func aServerThatIsAwayOrAQuietCollectionIsNotMute() {
        watching()
        for round in 1...10 {
            feed(.ended, at: .seconds(200 * round))
            #expect(!reflector.isMute(after(.seconds(200 * round + 199))))
        }
        for round in 0..<100 {
            feed(.failed(.other("refused", retryAfter: nil)), at: .seconds(2200 + 30 * round))
            feed(.woke, at: .seconds(2229 + 30 * round))
            #expect(!reflector.isMute(after(.seconds(2229 + 30 * round))))
        }
    }

    @Test mutating func eventsMoveTheVersionOnWithoutANewRequest() {
        watching()
        let output = feed(.event(.modified(object("a", version: 120))), at: .seconds(1))
        #expect(output.command == nil)
        #expect(output.effects.first == .upsert(object("a", version: 120), .watch))
        let deleted = feed(.event(.deleted(object("a", version: 130))), at: .seconds(2))
        #expect(deleted.effects == [.version("130"), .delete(key("a"), uid: "uid-a")])
        #expect(reflector.resourceVersion == "130")
    }

    @Test mutating func aWatchThatLastedIsOpenedAgainAtOnceAndAShortOneBacksOff() {
        watching()
        #expect(watch(feed(.ended, at: .seconds(180))) != nil)
        #expect(delay(feed(.ended, at: .seconds(181)), from: .seconds(181)) == .milliseconds(800))
    }

    @Test mutating func failuresBackOffFrom800msTo30sWithJitterUntilAWatchLasts() throws {
        watching()
        var now = Duration.seconds(1)
        var delays: [Duration] = []
        for _ in 0..<10 {
            let pause = try #require(
                delay(feed(.failed(.other("refused", retryAfter: nil)), at: now, random: 0.5), from: now))
            delays.append(pause)
            now += pause
            feed(.woke, at: now)
        }
        #expect(delays[0] > .milliseconds(800) && delays[0] < .milliseconds(1600))
        #expect(delays[1] > delays[0])
        #expect(delays.allSatisfy { $0 <= .seconds(30) && $0 >= .milliseconds(800) })
        #expect(delays[9] >= .seconds(15))
        // A watch of a minute was a good one.
        now += .seconds(61)
        let again = delay(feed(.failed(.other("refused", retryAfter: nil)), at: now), from: now)
        #expect(again == .milliseconds(800))
    }

    @Test mutating func theServersRetryAfterIsHonoured() {
        watching()
        let output = feed(.failed(.other("busy", retryAfter: .seconds(17))), at: .seconds(1))
        #expect(delay(output, from: .seconds(1)) == .seconds(17))
    }

    @Test(arguments: [true, false]) mutating func a410OnAWatchListsAgainNotOlderThanTheLastVersion(asEvent: Bool) {
        watching()
        feed(.event(.modified(object("a", version: 120))), at: .seconds(1))
        let gone = Status(code: 410, reason: "Expired", message: "too old resource version")
        let output =
            asEvent
            ? feed(.event(.error(gone)), at: .seconds(2)) : feed(.failed(WatchFailure(gone)), at: .seconds(2))
        #expect(delay(output, from: .seconds(2)) != nil)
        #expect(list(feed(.woke, at: .seconds(3)))?.notOlderThan == "120")
    }

    @Test mutating func onlyA410OnTheListStartsClean() {
        watching()
        feed(.failed(.expired), at: .seconds(1))
        feed(.woke, at: .seconds(3))
        feed(.failed(.other("refused", retryAfter: nil)), at: .seconds(4))
        #expect(list(feed(.woke, at: .seconds(10)))?.notOlderThan == "100")
        feed(.failed(.expired), at: .seconds(11))
        let clean = list(feed(.woke, at: .seconds(20)))
        #expect(clean != nil && clean?.notOlderThan == nil)
    }

    @Test mutating func aServerThatWasSetBackIsListedClean() {
        watching()
        feed(.failed(.expired), at: .seconds(1))
        feed(.woke, at: .seconds(3))
        let status = Status(
            code: 504, reason: "Timeout", message: "Too large resource version: 100, current: 3",
            causes: [Status.Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")])
        feed(.failed(WatchFailure(status)), at: .seconds(4))
        #expect(list(feed(.woke, at: .seconds(10)))?.notOlderThan == nil)
    }

    @Test mutating func manyExpiriesInARowGiveABoundedNumberOfLists() throws {
        watching()
        var now = Duration.seconds(1)
        var lists = 0
        while now < .seconds(600) {
            let pause = try #require(delay(feed(.failed(.expired), at: now), from: now))
            now += pause
            if list(feed(.woke, at: now)) != nil { lists += 1 }
            feed(.page(page(["a"], 100)), at: now)
        }
        #expect(lists < 50, "a storm of 410s must not become a storm of lists")
    }

    @Test mutating func anExpiredContinueTokenStartsTheListOver() {
        feed(.start, at: .zero)
        feed(.page(page(["a"], 100, token: "t")), at: .zero)
        feed(.failed(.expired), at: .seconds(1))
        let again = list(feed(.woke, at: .seconds(3)))
        #expect(again != nil && again?.continueToken == nil && again?.notOlderThan == nil)
    }

    @Test mutating func theSwapAfterAGapDeletesWhatTheListDoesNotName() {
        watching()
        feed(.failed(.expired), at: .seconds(1))
        feed(.woke, at: .seconds(3))
        let output = feed(.page(page(["b", "c"], 200)), at: .seconds(4))
        #expect(output.effects.contains(.retain([key("b"), key("c")])))
        #expect(output.effects.contains(.upsert(object("c"), .laterList)))
    }

    @Test mutating func anObjectThatCannotBeUsedIsReportedAndSkipped() {
        feed(.start, at: .zero)
        let bad = KubernetesObject(["spec": "?"])
        let output = feed(.page(ObjectList(items: [bad, object("a")], resourceVersion: "100")), at: .zero)
        #expect(output.effects.contains(.retain([key("a")])))
        #expect(output.effects.contains { if case .report(.undecodable) = $0 { true } else { false } })
        let event = feed(.event(.undecodable(bytes: [1], reason: "not JSON")), at: .seconds(1))
        #expect(event.effects == [.report(.undecodable("not JSON"))])
        #expect(event.command == nil)
    }

    @Test mutating func aMuteListIsGivenUp() throws {
        let request = try #require(list(feed(.start, at: .zero)))
        #expect(request.deadline - start == .seconds(70))
        #expect(delay(feed(.deadlinePassed, at: .seconds(70)), from: .seconds(70)) == .milliseconds(800))
        #expect(list(feed(.woke, at: .seconds(71))) != nil)
    }

    @Test mutating func answersOfRequestsThatWereGivenUpAreIgnored() {
        watching()
        #expect(feed(.page(page(["z"], 1)), at: .seconds(1)) == Reflector.Output())
        #expect(feed(.woke, at: .seconds(1)) == Reflector.Output())
    }
}
