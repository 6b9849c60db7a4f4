import ControllerRuntime
import Testing

@Suite struct WorkQueueStateTests {
    let start = ContinuousClock.now
    var queue = WorkQueueState<String>()

    func after(_ duration: Duration) -> Instant { start.advanced(by: duration) }

    @Test mutating func aKeyIsQueuedOnceHoweverOftenItIsAdded() {
        for _ in 0..<5 { queue.add("a", now: start) }
        #expect(queue.depth == 1)
        #expect(queue.take(now: start)?.key == "a")
        #expect(queue.take(now: start)?.key == nil)
    }

    @Test mutating func aKeyIsNeverWithTwoWorkersAndComesBackWhenAddedMeanwhile() {
        queue.add("a", now: start)
        _ = queue.take(now: start)
        queue.add("a", now: start)
        queue.add("a", now: start)
        #expect(queue.take(now: start)?.key == nil)
        queue.done("a", now: after(.seconds(1)))
        #expect(queue.take(now: after(.seconds(1)))?.key == "a")
        queue.done("a", now: after(.seconds(2)))
        #expect(queue.take(now: after(.seconds(2)))?.key == nil)
    }

    @Test mutating func keysGoInTheOrderInWhichTheyCame() {
        for key in ["c", "a", "b"] { queue.add(key, now: start) }
        #expect((0..<3).compactMap { _ in queue.take(now: start)?.key } == ["c", "a", "b"])
    }

    @Test mutating func aDelayedKeyIsReadyAtItsTimeAndTheEarliestOfSeveralHolds() {
        queue.add("a", at: after(.seconds(10)), now: start)
        queue.add("a", at: after(.seconds(5)), now: start)
        queue.add("a", at: after(.seconds(20)), now: start)
        #expect(queue.nextDeadline == after(.seconds(5)))
        #expect(queue.take(now: after(.milliseconds(4999)))?.key == nil)
        #expect(queue.take(now: after(.seconds(5)))?.key == "a")
        queue.done("a", now: after(.seconds(5)))
        #expect(queue.take(now: after(.seconds(60)))?.key == nil)
    }

    @Test mutating func ofSeveralDelaysTheHighestPriorityHolds() {
        queue.add("b", at: after(.milliseconds(500)), priority: .low, now: start)
        queue.add("a", at: after(.seconds(1)), priority: .low, now: start)
        queue.add("a", at: after(.seconds(2)), now: start)
        queue.add("c", at: after(.seconds(2)), now: start)
        queue.add("c", at: after(.milliseconds(900)), priority: .low, now: start)
        #expect((0..<3).compactMap { _ in queue.take(now: after(.seconds(1)))?.key } == ["c", "a", "b"])
    }

    @Test mutating func handingAKeyOutCancelsItsDelay() {
        queue.add("a", at: after(.seconds(10)), now: start)
        queue.add("a", now: start)
        #expect(queue.take(now: start)?.key == "a")
        queue.done("a", now: start)
        #expect(queue.take(now: after(.seconds(11)))?.key == nil)
    }

    @Test mutating func aFailingKeyBacksOffFrom5msTo1000sAndForgettingStartsOver() {
        var configuration = WorkQueueState<String>.Configuration()
        configuration.retryBurst = 1000
        queue = WorkQueueState(configuration)
        let delays = (0..<20).map { _ in queue.addRateLimited("a", now: start) }
        #expect(delays[0] == .milliseconds(5))
        #expect(delays[1] == .milliseconds(10))
        #expect(delays[10] == .milliseconds(5120))
        #expect(delays[18] == .seconds(1000))
        #expect(delays[19] == .seconds(1000))
        queue.forget("a")
        #expect(queue.addRateLimited("a", now: start) == .milliseconds(5))
    }

    @Test mutating func anAttemptCountsTheFailuresBeforeIt() {
        queue.addRateLimited("a", now: start)
        #expect(queue.take(now: after(.milliseconds(5)))?.attempt == 2)
    }

    @Test mutating func retriesOfAllKeysTogetherAreLimited() {
        let delays = (0..<130).map { queue.addRateLimited("key-\($0)", now: start) }
        #expect(delays[..<100].allSatisfy { $0 == .milliseconds(5) })
        #expect(delays[109] == .seconds(1))
        #expect(delays[129] == .seconds(3))
    }

    @Test mutating func keysOfLowPriorityWaitButNeverStarve() {
        for index in 0..<100 { queue.add("low-\(index)", priority: .low, now: start) }
        var order: [String] = []
        // A stream of urgent keys that never ends: one is always ready.
        for index in 0..<40 {
            queue.add("urgent-\(index)", now: start)
            if let taken = queue.take(now: start) { order.append(taken.key) }
        }
        #expect(order.first == "urgent-0")
        #expect(order.count { $0.hasPrefix("low") } == 10)
    }

    @Test mutating func aKeyThatBecomesUrgentIsRaised() {
        for key in ["x", "y", "z"] { queue.add(key, priority: .low, now: start) }
        queue.add("z", now: start)
        #expect(queue.depth == 3)
        #expect(queue.take(now: start)?.key == "z")
    }

    @Test mutating func waitingAndWorkingTimesAreMeasured() {
        queue.add("a", now: start)
        queue.add("b", now: start)
        #expect(queue.take(now: after(.seconds(2)))?.waited == .seconds(2))
        _ = queue.take(now: after(.seconds(5)))
        let unfinished = queue.unfinished(now: after(.seconds(6)))
        #expect(unfinished.total == .seconds(5))
        #expect(unfinished.longest == .seconds(4))
        #expect(queue.done("a", now: after(.seconds(7))) == .seconds(5))
    }

    /// Random operations against the rules that must always hold.
    @Test(arguments: 0..<20 as Range<UInt64>) mutating func noKeyIsLostOrDoubledUnderRandomUse(seed: UInt64) {
        var random = SplitMix(state: seed)
        var now = start
        var working: Set<String> = []
        var owed: Set<String> = []
        for _ in 0..<3000 {
            let key = "k\(random.next() % 12)"
            switch random.next() % 6 {
            case 0, 1:
                queue.add(key, priority: random.next() % 2 == 0 ? .low : .normal, now: now)
                owed.insert(key)
            case 2: queue.add(key, at: now.advanced(by: .milliseconds(Int(random.next() % 50))), now: now)
            case 3: now = now.advanced(by: .milliseconds(Int(random.next() % 20)))
            case 4:
                guard let taken = queue.take(now: now) else {
                    #expect(owed.subtracting(working).isEmpty, "a ready key was not handed out")
                    continue
                }
                #expect(working.insert(taken.key).inserted, "a key was handed out twice")
                owed.remove(taken.key)
            default:
                guard let key = working.first else { continue }
                working.remove(key)
                queue.done(key, now: now)
            }
        }
        for key in working { queue.done(key, now: now) }
        while let taken = queue.take(now: now) {
            owed.remove(taken.key)
            queue.done(taken.key, now: now)
        }
        #expect(owed.isEmpty)
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
