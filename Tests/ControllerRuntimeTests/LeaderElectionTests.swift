import ControllerRuntime
import KubernetesClient
import Testing

@Suite struct LeaderElectionTests {
    let start = ContinuousClock.now
    let wallClock = KubernetesTime(seconds: 1_767_225_600)
    var election = LeaderElection(identity: "me")

    func after(_ duration: Duration) -> Instant { start.advanced(by: duration) }

    @discardableResult
    mutating func feed(_ input: LeaderElection.Input, at time: Duration) -> LeaderElection.Output {
        election.handle(input, now: after(time), wallClock: wallClock.advanced(by: time), random: 0)
    }

    func record(_ holder: String, version: String = "1", renewed: Int = 0) -> LeaseRecord {
        let time = wallClock.advanced(by: .seconds(renewed))
        return LeaseRecord(
            holder: holder, durationSeconds: 15, acquireTime: wallClock, renewTime: time, resourceVersion: version)
    }

    func written(_ output: LeaderElection.Output) -> LeaseRecord? {
        if case .write(let record, _) = output.command { record } else { nil }
    }

    /// Leads since second 0 at version 1.
    mutating func leading() {
        feed(.start, at: .zero)
        feed(.read(nil), at: .zero)
        feed(.written(record("me")), at: .zero)
    }

    @Test mutating func aLeaseThatNobodyHoldsIsTaken() {
        feed(.start, at: .zero)
        let request = written(feed(.read(nil), at: .zero))
        #expect(request?.holder == "me" && request?.resourceVersion == "" && request?.durationSeconds == 15)
        let output = feed(.written(record("me")), at: .milliseconds(500))
        // Validity counts from the sending of the request, not from its answer.
        #expect(output.effects == [.acquired(validUntil: after(.seconds(10)))])
        #expect(output.command == .sleep(until: after(.seconds(2))))
    }

    @Test mutating func aLeaseIsTakenOverOnlyAfterItStoodStillForItsDurationOnOurOwnClock() {
        feed(.start, at: .zero)
        // Its wall clock is a year behind: no matter.
        var old = record("other")
        old.renewTime = KubernetesTime(seconds: 1_735_689_600)
        #expect(feed(.read(old), at: .zero).effects == [.leaderSeen("other")])
        feed(.woke, at: .seconds(14))
        #expect(written(feed(.read(old), at: .seconds(14))) == nil)
        var renewed = old
        renewed.resourceVersion = "2"
        feed(.woke, at: .milliseconds(14_900))
        feed(.read(renewed), at: .milliseconds(14_900))
        feed(.woke, at: .seconds(29))
        #expect(written(feed(.read(renewed), at: .seconds(29))) == nil)
        feed(.woke, at: .seconds(30))
        let request = written(feed(.read(renewed), at: .seconds(30)))
        #expect(request?.holder == "me" && request?.resourceVersion == "2" && request?.transitions == 1)
    }

    @Test mutating func aLeaseThatWasGivenBackIsTakenAtOnce() {
        feed(.start, at: .zero)
        #expect(written(feed(.read(record("")), at: .zero))?.holder == "me")
    }

    @Test mutating func aLeaderRenewsEvery2SecondsWithoutReading() {
        leading()
        let output = feed(.woke, at: .seconds(2))
        #expect(written(output)?.resourceVersion == "1")
        let renewed = feed(.written(record("me", version: "2")), at: .seconds(3))
        #expect(renewed.effects == [.renewed(validUntil: after(.seconds(12)))])
    }

    @Test mutating func everyRequestOfALeaderEndsInsideTheRenewDeadline() {
        leading()
        guard case .write(_, let first) = feed(.woke, at: .seconds(2)).command else { return #expect(Bool(false)) }
        #expect(first == after(.seconds(7)))
        // The next one has to be let out while there is time for a connection of its own.
        let failed = feed(.failed(conflict: false, reason: "timeout"), at: .seconds(7))
        #expect(failed.command == .sleep(until: after(.seconds(7))))
        guard case .write(_, let second) = feed(.woke, at: .seconds(7)).command else { return #expect(Bool(false)) }
        #expect(second == after(.seconds(10)))
    }

    @Test mutating func withoutARenewalFor10SecondsLeadershipIsLostForGood() {
        leading()
        feed(.woke, at: .seconds(2))
        let refused = feed(.failed(conflict: false, reason: "refused"), at: .seconds(3))
        #expect(refused.command == .sleep(until: after(.seconds(4))))
        feed(.woke, at: .seconds(9))
        let failed = feed(.failed(conflict: false, reason: "refused"), at: .seconds(9))
        #expect(failed.command == .sleep(until: after(.seconds(10))))
        let lost = feed(.woke, at: .seconds(10))
        #expect(lost.command == .stop)
        #expect(lost.effects.count == 1)
        #expect(!election.isLeading)
        #expect(feed(.start, at: .seconds(20)).command == .stop)
    }

    @Test mutating func aProcessThatWasStoppedPastItsLeaseHasLostWhateverItsLateAnswersSay() {
        leading()
        feed(.woke, at: .seconds(2))
        let resumed = feed(.written(record("me", version: "2")), at: .seconds(100))
        #expect(resumed.command == .stop)
        #expect(!election.isLeading)
    }

    @Test mutating func anAnswerThatComesAfterItsOwnValidityDoesNotMakeALeader() {
        feed(.start, at: .zero)
        feed(.read(nil), at: .zero)
        #expect(feed(.written(record("me")), at: .seconds(11)).command == .stop)
    }

    @Test mutating func aConflictIsLookedIntoAndAnotherHolderEndsLeadershipAtOnce() {
        leading()
        feed(.woke, at: .seconds(2))
        guard case .read = feed(.failed(conflict: true, reason: "conflict"), at: .seconds(2)).command else {
            return #expect(Bool(false))
        }
        #expect(feed(.read(record("other", version: "9")), at: .seconds(2)).command == .stop)
    }

    @Test mutating func aRenewalWhoseAnswerWasLostIsFoundAgain() {
        leading()
        feed(.woke, at: .seconds(2))
        feed(.failed(conflict: true, reason: "conflict"), at: .seconds(3))
        #expect(written(feed(.read(record("me", version: "2", renewed: 2)), at: .seconds(3)))?.resourceVersion == "2")
    }

    @Test mutating func givingBackEmptiesTheHolder() {
        leading()
        let output = feed(.release, at: .seconds(1))
        #expect(written(output)?.holder == "" && written(output)?.durationSeconds == 1)
        #expect(feed(.written(record("")), at: .seconds(1)).command == .stop)
        #expect(!election.isLeading)
    }

    /// Three candidates, requests that are slow, fail or lose their answers, processes that stand still: at no time
    /// may two believe that they lead.
    @Test(arguments: 0..<30 as Range<UInt64>) func neverTwoLeadAtOnce(seed: UInt64) {
        var world = ElectionWorld(seed: seed)
        world.run(for: .seconds(600))
        #expect(world.overlaps == 0)
        #expect(world.terms > 0)
    }
}

/// A simulation of candidates and one Lease.
private struct ElectionWorld {
    struct Candidate {
        var election: LeaderElection
        /// What it will be told, and when.
        var pending: (at: Duration, input: LeaderElection.Input)
    }

    let start = ContinuousClock.now
    var random: SplitMix
    var candidates: [Candidate] = []
    var lease: LeaseRecord?
    var version = 0
    var now = Duration.zero
    var overlaps = 0
    var terms = 0
    var born = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        for _ in 0..<3 { candidates.append(newCandidate()) }
    }

    mutating func newCandidate() -> Candidate {
        born += 1
        return Candidate(
            election: LeaderElection(identity: "c\(born)"), pending: (now + .milliseconds(born * 7), .start))
    }

    mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }
    mutating func milliseconds(_ range: Range<Int>) -> Duration {
        .milliseconds(range.lowerBound + Int(random.next() % UInt64(range.count)))
    }

    mutating func run(for duration: Duration) {
        while now < duration {
            let next = candidates.indices.min { candidates[$0].pending.at < candidates[$1].pending.at } ?? 0
            now = max(now, candidates[next].pending.at)
            step(next)
            let leaders = candidates.count { candidate in
                candidate.election.validUntil.map { start.advanced(by: now) < $0 } ?? false
            }
            if leaders > 1 { overlaps += 1 }
        }
    }

    mutating func step(_ index: Int) {
        let input = candidates[index].pending.input
        let instant = start.advanced(by: now)
        let wallClock = KubernetesTime(seconds: 0).advanced(by: now)
        let output = candidates[index].election.handle(input, now: instant, wallClock: wallClock, random: 0.5)
        if output.effects.contains(where: { if case .acquired = $0 { true } else { false } }) { terms += 1 }
        var delay = milliseconds(1..<1500)
        if chance(3) { delay += milliseconds(5_000..<40_000) }  // the process stands still
        switch output.command {
        case .stop: candidates[index] = newCandidate()
        case .sleep(let until): candidates[index].pending = (until - start + delay / 10, .woke)
        case .read:
            let answer: LeaderElection.Input = chance(10) ? .failed(conflict: false, reason: "?") : .read(lease)
            candidates[index].pending = (now + delay, answer)
        case .write(let record, _): candidates[index].pending = (now + delay, answer(to: record))
        }
    }

    mutating func answer(to record: LeaseRecord) -> LeaderElection.Input {
        if chance(10) { return .failed(conflict: false, reason: "refused") }
        guard record.resourceVersion == lease?.resourceVersion ?? "" else {
            return .failed(conflict: true, reason: "conflict")
        }
        version += 1
        var stored = record
        stored.resourceVersion = "\(version)"
        lease = stored
        return chance(10) ? .failed(conflict: false, reason: "answer lost") : .written(stored)
    }
}
