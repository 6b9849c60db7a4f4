@testable import ControllerRuntime
import Concurrency
import Testing

@Suite(.timeLimit(.minutes(10))) struct TimeTests {
    @Test func noSleeperWakesBeforeItsDeadlineAndAllDo() async throws {
        let timers = TimerQueue()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in [3, 1, 2, 0] {
                let deadline = start.advanced(by: .milliseconds(20 * (index + 1)))
                group.addTask {
                    try await timers.sleep(until: deadline)
                    #expect(ContinuousClock.now >= deadline)
                }
            }
            try await group.waitForAll()
        }
        #expect(timers.count == 0)
    }

    @Test func aSleeperThatIsCancelledThrowsAtOnceAndLeavesNothing() async throws {
        let timers = TimerQueue()
        let tasks = (0..<1000).map { index in
            Task { try await timers.sleep(until: ContinuousClock.now.advanced(by: .seconds(1000 + index))) }
        }
        try await until { timers.count == 1000 }
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(timers.count == 0)
    }

    @Test func aDeadlineThatNobodyLivesToSeeIsWaitedForAllTheSame() async throws {
        let timers = TimerQueue()
        let forever = Task { try await timers.sleep(until: ContinuousClock.now.advanced(by: .seconds(Int64.max))) }
        try await until { timers.count == 1 }
        try await timers.sleep(until: ContinuousClock.now.advanced(by: .milliseconds(5)))
        #expect(timers.count == 1)
        forever.cancel()
        await #expect(throws: CancellationError.self) { try await forever.value }
    }

    @Test func anEarlierSleeperIsNotHeldUpByALaterOne() async throws {
        let timers = TimerQueue()
        let late = Task { try await timers.sleep(until: ContinuousClock.now.advanced(by: .seconds(1000))) }
        try await until { timers.count == 1 }
        try await timers.sleep(until: ContinuousClock.now.advanced(by: .milliseconds(5)))
        try await timers.sleep(until: ContinuousClock.now.advanced(by: .milliseconds(-5)))
        late.cancel()
    }

    @Test func workThatDoesNotEndIsCancelledAtItsDeadline() async throws {
        let time = ManualTime()
        let cancelled = Lock(false)
        let work = Task {
            try await time.run(until: time.now.advanced(by: .seconds(5))) {
                do { try await Latch().wait() } catch {
                    cancelled.withLock { $0 = true }
                    throw error
                }
            }
        }
        try await time.whenSleeping()
        time.advance(by: .seconds(5))
        await #expect(throws: DeadlineExceeded.self) { try await work.value }
        #expect(cancelled.withLock { $0 })
        #expect(try await time.run(until: time.now.advanced(by: .seconds(5))) { 7 } == 7)
    }

    @Test func aLatchLetsThroughAllWhoWaitAndAllWhoComeLater() async throws {
        let latch = Latch()
        async let one: Void = latch.wait()
        async let two: Void = latch.wait()
        latch.open()
        _ = try await (one, two)
        try await latch.wait()
        let closed = Latch()
        let waiting = Task { try await closed.wait() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test(arguments: [0.0, 0.5, 0.999]) func delaysGrowWithinTheirBounds(random: Double) {
        var backoff = Backoff(base: .milliseconds(800), limit: .seconds(30))
        var last = Duration.zero
        for _ in 0..<50 {
            let delay = backoff.next(random: random)
            #expect(delay >= .milliseconds(800) && delay <= .seconds(30) && delay >= last)
            last = delay
        }
        backoff.reset()
        let first = backoff.next(random: random)
        #expect(first < .milliseconds(1600))
    }

    @Test func aTokenBucketGivesItsBurstAndThenItsRate() {
        var bucket = TokenBucket(perSecond: 2, burst: 3)
        let start = ContinuousClock.now
        let later = start.advanced(by: .milliseconds(500))
        let taken = [start, start, start, start, later, later].map { bucket.take($0) }
        #expect(taken == [true, true, true, false, true, false])
        let wait = bucket.reserve(later)
        #expect(wait == .milliseconds(500))
    }
}
