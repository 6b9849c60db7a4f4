@testable import ControllerRuntime
import KubernetesClient
import Testing

@Suite struct ExpectationsTests {
    let start = ContinuousClock.now
    let child = ObjectReference(.configMap, namespace: "ns", name: "child")
    var expectations = Expectations()

    func after(_ duration: Duration) -> Instant { start.advanced(by: duration) }
    func cached(_ version: Int, uid: String = "u") -> StoredObject {
        StoredObject(object(.configMap, "child", version: version, uid: uid), ownedDigest: 0)
    }

    @Test mutating func aKeyIsHeldUntilTheCacheHasSeenTheWrittenVersion() {
        expectations.expect(child, version: "100", uid: "u", for: key("a"), now: start)
        #expect(expectations.verdict(key("a"), now: start) == .wait(until: after(.seconds(30))))
        #expect(expectations.verdict(key("b"), now: start) == .satisfied)
        #expect(expectations.observe(child, present: cached(99)) == [])
        #expect(expectations.observe(child, present: cached(100)) == [key("a")])
        #expect(expectations.verdict(key("a"), now: start) == .satisfied)
        #expect(expectations.count == 0)
    }

    @Test mutating func aLaterVersionOrTheDeletionOfTheObjectWillDo() {
        expectations.expect(child, version: "100", uid: "u", for: key("a"), now: start)
        #expect(expectations.observe(child, present: cached(1000)) == [key("a")])
        expectations.expect(child, version: "100", uid: "u", for: key("a"), now: start)
        // An earlier object of that name going away says nothing about the new one.
        #expect(expectations.observe(child, present: nil, gone: cached(50, uid: "old")) == [])
        #expect(expectations.observe(child, present: nil, gone: cached(50)) == [key("a")])
    }

    @Test mutating func aDeletionIsMetWhenTheObjectIsGoneGoingOrAnother() {
        expectations.expectDeletion(child, uid: "u", for: key("a"), now: start)
        #expect(expectations.observe(child, present: cached(100)) == [])
        #expect(expectations.observe(child, present: cached(101, uid: "new")) == [key("a")])
        expectations.expectDeletion(child, uid: "u", for: key("a"), now: start)
        #expect(expectations.observe(child, present: nil, gone: cached(100)) == [key("a")])
    }

    @Test mutating func allWritesOfAPassMustBeSeen() {
        let other = ObjectReference(.secret, namespace: "ns", name: "other")
        expectations.expect(child, version: "100", uid: "u", for: key("a"), now: start)
        expectations.expect(other, version: "101", uid: "v", for: key("a"), now: start)
        #expect(expectations.observe(child, present: cached(100)) == [])
        #expect(expectations.observe(other, present: cached(101)) == [key("a")])
    }

    /// Whether a pass over `a` that writes version 100 is followed by another when a watch shows `version`: during the
    /// pass, and after it.
    private mutating func bringsPass(_ version: String?, isAnswered: Bool = true) -> [Bool] {
        expectations.beginPass(key("a"))
        let atOnce = expectations.bringsPass(child, version: version, to: key("a"))
        expectations.expect(child, version: "100", uid: "u", for: key("a"), isAnswered: isAnswered, now: start)
        let atTheEnd = expectations.endPass(key("a")) != nil
        let later = expectations.bringsPass(child, version: version, to: key("a"))
        return [atOnce, atTheEnd, later]
    }

    @Test mutating func whatAPassWroteBringsNoOtherPassWheneverTheWatchShowsIt() {
        let brings = bringsPass("100")
        #expect(brings == [false, false, false])
        let toAnother = expectations.bringsPass(child, version: "100", to: key("b"))
        #expect(toAnother)
    }

    @Test mutating func whatElseACacheIsToldBringsAPassAfterTheOneUnderWay() {
        for version in ["99", "101", nil] {
            let brings = bringsPass(version)
            #expect(brings == [false, true, true])
        }
        // A write whose answer does not tell all, as that of a finalizer.
        let unanswered = bringsPass("100", isAnswered: false)
        #expect(unanswered == [false, true, true])
    }

    @Test mutating func theMostUrgentOfWhatAPassWasToldCounts() {
        for (told, expected) in [([], nil), ([.soon], .soon), ([.soon, .atOnce, .soon], .atOnce)]
            as [([Urgency], Urgency?)]
        {
            expectations.beginPass(key("a"))
            for (index, urgency) in told.enumerated() {
                let atOnce = expectations.bringsPass(child, version: "\(index)", to: key("a"), urgency)
                #expect(!atOnce)
            }
            let atTheEnd = expectations.endPass(key("a"))
            #expect(atTheEnd == expected)
        }
        expectations.beginPass(key("a"))
        for urgency in [Urgency.atOnce, .soon] {
            _ = expectations.bringsPass(child, version: nil, to: key("a"), urgency)
        }
        let ofOneVersion = expectations.endPass(key("a"))
        #expect(ofOneVersion == .atOnce)
    }

    @Test mutating func anExpectationThatIsNeverMetEndsAfter30SecondsWithALiveRead() {
        expectations.expect(child, version: "100", uid: "u", for: key("a"), now: start)
        #expect(expectations.verdict(key("a"), now: after(.seconds(29))) == .wait(until: after(.seconds(30))))
        #expect(expectations.verdict(key("a"), now: after(.seconds(30))) == .check([child]))
        #expect(expectations.verdict(key("a"), now: after(.seconds(30))) == .satisfied)
    }
}
