import Testing
import TodoModel

@testable import TodoWorkers

@Suite struct FiringScheduleTests {
    private let start = Instant(microsecondsSince1970: 1_800_000_000_000_000)
    private func at(_ seconds: Double) -> Instant {
        start.advanced(by: .microseconds(Int64((seconds * 1_000_000).rounded())))
    }

    /// A schedule that has looked at everything at `start`, and knows of the next reminder.
    private func settled(next: Instant?, nextDigest: Instant? = nil) -> FiringSchedule {
        var schedule = FiringSchedule(now: start)
        schedule.fired(after: at(-60), isFull: false, next: next, nextDigest: nextDigest, at: start)
        schedule.caughtUp(isFull: false, at: start)
        return schedule
    }

    @Test func `at the beginning it looks at what is due, then at what was missed`() {
        var schedule = FiringSchedule(now: start)
        #expect(schedule.action(at: start) == .fire(after: at(-60), lanes: 1))
        schedule.fired(after: at(-60), isFull: false, next: nil, nextDigest: nil, at: start)
        #expect(schedule.action(at: start) == .catchUp(through: at(-60)))
        schedule.caughtUp(isFull: false, at: start)
        #expect(schedule.action(at: start) == .sleep(until: at(1)))
    }

    @Test func `it sleeps until the next one, not until a tick`() {
        let schedule = settled(next: at(0.1234))
        #expect(schedule.action(at: start) == .sleep(until: at(0.1234)))
        #expect(schedule.action(at: at(0.1234)) == .fire(after: at(0.1234 - 2), lanes: 1))
    }

    @Test func `what others plan is seen within a poll, and what is rung for at once`() {
        var schedule = settled(next: at(500))
        #expect(schedule.action(at: start) == .sleep(until: at(1)))
        schedule.ring(at(0.2))
        #expect(schedule.action(at: start) == .sleep(until: at(0.2)))
        schedule.ring(at(0.7))
        #expect(schedule.action(at: start) == .sleep(until: at(0.2)))
    }

    @Test func `a full claim is followed by several at once, until one is not full`() {
        var schedule = settled(next: at(0.1))
        schedule.fired(after: at(-2), isFull: true, next: at(9), nextDigest: nil, at: at(0.1))
        #expect(schedule.action(at: at(0.1)) == .fire(after: at(0.1 - 60), lanes: 3))
        schedule.fired(after: at(0.1 - 60), isFull: false, next: at(9), nextDigest: nil, at: at(0.2))
        #expect(schedule.action(at: at(0.2)) == .sleep(until: at(1.2)))
    }

    @Test func `what was missed goes out once a second while there is more, and after what is due now`() {
        var schedule = settled(next: at(1))
        schedule.caughtUp(isFull: true, at: start)
        #expect(schedule.action(at: at(1)) == .fire(after: at(-59), lanes: 1))
        schedule.fired(after: at(-59), isFull: false, next: nil, nextDigest: nil, at: at(1))
        #expect(schedule.action(at: at(1)) == .catchUp(through: at(-59)))
        schedule.caughtUp(isFull: true, at: at(1))
        #expect(schedule.action(at: at(1)) == .sleep(until: at(2)))
        schedule.fired(after: at(-58), isFull: false, next: nil, nextDigest: nil, at: at(2))
        #expect(schedule.action(at: at(2)) == .catchUp(through: at(-58)))
        // There was nothing more: it is looked for less often.
        schedule.caughtUp(isFull: false, at: at(2))
        for second in 3..<12 {
            #expect(schedule.action(at: at(Double(second))) == .fire(after: at(Double(second - 60)), lanes: 1))
            schedule.fired(
                after: at(Double(second - 60)), isFull: false, next: nil, nextDigest: nil, at: at(Double(second)))
            #expect(schedule.action(at: at(Double(second))) == .sleep(until: at(Double(second + 1))))
        }
        schedule.fired(after: at(-48), isFull: false, next: nil, nextDigest: nil, at: at(12))
        #expect(schedule.action(at: at(12)) == .catchUp(through: at(-48)))
    }

    @Test func `digests fire when they are due and then wait for the next claim`() {
        var schedule = settled(next: nil, nextDigest: at(0.5))
        #expect(schedule.action(at: start) == .sleep(until: at(0.5)))
        #expect(schedule.action(at: at(0.5)) == .fireDigests)
        schedule.firedDigests(isComplete: true, isFull: false, at: start)
        #expect(schedule.action(at: at(0.5)) == .sleep(until: at(1)))
    }

    @Test func `while reminders fall due without end, what was missed and digests get their turns`() {
        var schedule = settled(next: at(0.001), nextDigest: at(0.5))
        schedule.caughtUp(isFull: true, at: start)
        var (now, catchUps, digests, fires) = (start, 0, 0, 0)
        while now < at(10) {
            now = now.advanced(by: .milliseconds(20))
            switch schedule.action(at: now) {
            case .catchUp:
                catchUps += 1
                schedule.caughtUp(isFull: true, at: now)
            case .fireDigests:
                digests += 1
                schedule.firedDigests(isComplete: true, isFull: true, at: now)
            case .fire(let after, _):
                fires += 1
                schedule.fired(after: after, isFull: false, next: now, nextDigest: at(0.5), at: now)
            case .sleep: Issue.record("there is always something due")
            }
        }
        #expect((4...6).contains(catchUps) && digests > 2 && fires > 200, "\(catchUps) \(digests) \(fires)")
    }

    @Test func `after failures it waits longer and longer, and no longer once one succeeds`() {
        var schedule = settled(next: at(0.1))
        for (failure, delay) in [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5].enumerated() {
            schedule.failed(at: at(1))
            #expect(schedule.action(at: at(1)) == .sleep(until: at(1 + delay)), "\(failure)")
        }
        #expect(schedule.action(at: at(6)) == .fire(after: at(-54), lanes: 1))
        schedule.fired(after: at(-54), isFull: false, next: nil, nextDigest: nil, at: at(6))
        schedule.failed(at: at(6))
        #expect(schedule.action(at: at(6)) == .sleep(until: at(6.1)))
    }

    @Test func `however busy it is, it looks at all of the last minute once a second`() {
        var schedule = settled(next: at(0.5))
        for tenth in 5..<10 {
            let now = at(Double(tenth) / 10)
            #expect(schedule.action(at: now) == .fire(after: now.advanced(by: .seconds(-2)), lanes: 1))
            schedule.fired(
                after: now.advanced(by: .seconds(-2)), isFull: false, next: now.advanced(by: .milliseconds(100)),
                nextDigest: nil, at: now)
        }
        #expect(schedule.action(at: at(1)) == .fire(after: at(-59), lanes: 1))
    }

    @Test func `when the clock is set back nothing waits for the time that it showed`() {
        var schedule = settled(next: at(0.5), nextDigest: at(0.5))
        schedule.firedDigests(isComplete: false, isFull: false, at: start)
        schedule.failed(at: start)
        #expect(schedule.action(at: at(-3600)) == .fire(after: at(-3660), lanes: 1))
        schedule.fired(after: at(-3660), isFull: false, next: nil, nextDigest: at(-3700), at: at(-3600))
        #expect(schedule.action(at: at(-3600)) == .catchUp(through: at(-3660)))
        schedule.caughtUp(isFull: false, at: at(-3600))
        #expect(schedule.action(at: at(-3600)) == .fireDigests)
        schedule.firedDigests(isComplete: true, isFull: false, at: at(-3600))
        #expect(schedule.action(at: at(-3600)) == .sleep(until: at(-3599)))
    }

    @Test func `after a stop that was longer than its reach it looks at everything`() {
        let schedule = settled(next: at(0.5))
        #expect(schedule.action(at: at(0.9)) == .fire(after: at(-1.1), lanes: 1))
        var rung = settled(next: nil)
        rung.ring(at(-30))
        #expect(rung.action(at: at(0.1)) == .fire(after: at(-59.9), lanes: 1))
    }
}
