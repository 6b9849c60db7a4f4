import ControllerRuntime
import Testing

@Suite struct ApplyGuardTests {
    let start = ContinuousClock.now
    let target = ApplyGuard.Target(ObjectReference(.configMap, namespace: "ns", name: "a"))
    var guarded = ApplyGuard()

    func after(_ duration: Duration) -> Instant { start.advanced(by: duration) }

    @Test mutating func whatIsAsItWasAppliedIsNotAppliedAgain() {
        #expect(guarded.judge(target, desired: 1, live: nil, now: start) == .apply)
        guarded.applied(target, desired: 1, owned: 50, now: start)
        for second in 1...600 {
            #expect(guarded.judge(target, desired: 1, live: 50, now: after(.seconds(second))) == .upToDate)
        }
    }

    @Test mutating func driftANewDesiredStateAndADeletionAreAppliedAtOnce() {
        guarded.applied(target, desired: 1, owned: 50, now: start)
        #expect(guarded.judge(target, desired: 1, live: 51, now: start) == .apply)
        #expect(guarded.judge(target, desired: 2, live: 50, now: start) == .apply)
        #expect(guarded.judge(target, desired: 1, live: nil, now: start) == .apply)
    }

    @Test mutating func aSixthApplyOfOneStateWithinAMinuteIsHeldAndToldOnce() {
        for second in 0..<5 {
            let now = after(.seconds(second))
            #expect(guarded.judge(target, desired: 1, live: 99, now: now) == .apply)
            guarded.applied(target, desired: 1, owned: 50, now: now)
        }
        #expect(!guarded.isStalled(target, now: after(.seconds(5))))
        let until = after(.seconds(65))
        #expect(
            guarded.judge(target, desired: 1, live: 99, now: after(.seconds(5))) == .hold(until: until, isNew: true))
        #expect(
            guarded.judge(target, desired: 1, live: 99, now: after(.seconds(6))) == .hold(until: until, isNew: false))
        #expect(guarded.isStalled(target, now: after(.seconds(6))))
        // One try, and the next hold is twice as long.
        #expect(guarded.judge(target, desired: 1, live: 99, now: after(.seconds(65))) == .apply)
        guarded.applied(target, desired: 1, owned: 50, now: after(.seconds(65)))
        #expect(
            guarded.judge(target, desired: 1, live: 99, now: after(.seconds(66)))
                == .hold(until: after(.seconds(186)), isNew: true))
    }

    @Test mutating func holdsGrowTo1000Seconds() {
        var now = start
        var longest = Duration.zero
        for _ in 0..<200 {
            switch guarded.judge(target, desired: 1, live: 99, now: now) {
            case .apply: guarded.applied(target, desired: 1, owned: 50, now: now)
            case .hold(let until, _):
                longest = max(longest, until - now)
                now = until
            case .upToDate: Issue.record("drift was not seen")
            }
        }
        #expect(longest == .seconds(1000))
    }

    @Test mutating func aNewDesiredStateIsNotHeldForThePastOfTheOldOne() {
        for _ in 0..<5 { guarded.applied(target, desired: 1, owned: 50, now: start) }
        #expect(guarded.judge(target, desired: 1, live: 99, now: start) != .apply)
        #expect(guarded.judge(target, desired: 2, live: 99, now: start) == .apply)
    }

    @Test mutating func theStallEndsWhenTheObjectStaysAsAppliedForAMinute() {
        for _ in 0..<5 { guarded.applied(target, desired: 1, owned: 50, now: start) }
        _ = guarded.judge(target, desired: 1, live: 99, now: start)
        #expect(guarded.judge(target, desired: 1, live: 99, now: after(.seconds(60))) == .apply)
        guarded.applied(target, desired: 1, owned: 50, now: after(.seconds(60)))
        #expect(guarded.judge(target, desired: 1, live: 50, now: after(.seconds(61))) == .upToDate)
        #expect(guarded.isStalled(target, now: after(.seconds(61))))
        #expect(guarded.judge(target, desired: 1, live: 50, now: after(.seconds(121))) == .upToDate)
        #expect(!guarded.isStalled(target, now: after(.seconds(121))))
        // And it has its five applies again.
        #expect(guarded.judge(target, desired: 1, live: 99, now: after(.seconds(122))) == .apply)
    }

    @Test mutating func deletingTheObjectOverAndOverCountsToo() {
        for second in 0..<5 {
            let now = after(.seconds(second))
            guarded.applied(target, desired: 1, owned: 50, now: now)
            guarded.noteGone(target.object, now: now)
            guarded.prune(now: now)
        }
        #expect(guarded.judge(target, desired: 1, live: nil, now: after(.seconds(5))) != .apply)
    }

    @Test mutating func ofAnObjectThatIsLeftAloneTheRecordAloneIsKept() {
        guarded.applied(target, desired: 1, owned: 50, now: start)
        #expect(guarded.count == 1)
        guarded.applied(target, desired: 1, owned: 50, now: start)
        guarded.prune(now: after(.seconds(59)))
        #expect(guarded.count == 2)
        guarded.prune(now: after(.seconds(60)))
        #expect(guarded.count == 1)
        #expect(guarded.judge(target, desired: 1, live: 50, now: after(.seconds(60))) == .upToDate)
        // What was held is not forgotten while it may go on.
        for _ in 0..<5 { guarded.applied(target, desired: 1, owned: 50, now: after(.seconds(60))) }
        _ = guarded.judge(target, desired: 1, live: 99, now: after(.seconds(60)))
        guarded.prune(now: after(.seconds(1000)))
        #expect(guarded.judge(target, desired: 1, live: 99, now: after(.seconds(1000))) == .apply)
        guarded.applied(target, desired: 1, owned: 50, now: after(.seconds(1000)))
        #expect(
            guarded.judge(target, desired: 1, live: 99, now: after(.seconds(1001)))
                == .hold(until: after(.seconds(1121)), isNew: true))
    }

    @Test mutating func recordsOfObjectsThatAreGoneDoNotPileUp() {
        for index in 0..<100 {
            let gone = ApplyGuard.Target(ObjectReference(.configMap, namespace: "ns", name: "\(index)"))
            guarded.applied(gone, desired: 1, owned: 50, now: start)
            guarded.noteGone(gone.object, now: start)
        }
        guarded.prune(now: after(.seconds(61)))
        #expect(guarded.count == 0)
    }
}
