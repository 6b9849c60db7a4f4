import ControllerRuntime
import Testing

@Suite(.timeLimit(.minutes(10))) struct WorkQueueTests {
    let time = ManualTime()

    @Test func aWaitingWorkerGetsAKeyAtOnce() async {
        let queue = WorkQueue<String>(name: "test", time: time)
        async let taken = queue.next()
        queue.add("a")
        let got1 = await taken
        #expect(got1?.key == "a")
    }

    @Test func aDelayedKeyWakesAWorkerWhenItsTimeHasCome() async throws {
        let queue = WorkQueue<String>(name: "test", time: time)
        queue.add("later", after: .seconds(30))
        queue.add("sooner", after: .seconds(10))
        async let first = queue.next()
        try await time.whenSleeping(within: .seconds(10))
        time.advance(by: .seconds(10))
        let got2 = await first
        #expect(got2?.key == "sooner")
        async let second = queue.next()
        try await time.whenSleeping(within: .seconds(20))
        time.advance(by: .seconds(20))
        let got3 = await second
        #expect(got3?.key == "later")
    }

    @Test func anEarlierDelayReplacesTheAlarmOfALaterOne() async throws {
        let queue = WorkQueue<String>(name: "test", time: time)
        async let first = queue.next()
        queue.add("later", after: .seconds(1000))
        try await time.whenSleeping(within: .seconds(1000))
        queue.add("sooner", after: .seconds(1))
        try await time.whenSleeping(within: .seconds(1))
        time.advance(by: .seconds(1))
        let got4 = await first
        #expect(got4?.key == "sooner")
    }

    @Test func shutDownEndsEveryWaiterAndRefusesNewOnes() async {
        let queue = WorkQueue<String>(name: "test", time: time)
        async let one = queue.next()
        async let two = queue.next()
        queue.shutDown()
        let got5 = await one
        #expect(got5?.key == nil)
        let got6 = await two
        #expect(got6?.key == nil)
        queue.add("a")
        let got7 = await queue.next()
        #expect(got7?.key == nil)
    }

    @Test func aCancelledWorkerLeavesItsKeyToOthers() async {
        let queue = WorkQueue<String>(name: "test", time: time)
        let cancelled = Task { await queue.next() }
        cancelled.cancel()
        let got8 = await cancelled.value
        #expect(got8?.key == nil)
        queue.add("a")
        let got9 = await queue.next()
        #expect(got9?.key == "a")
    }

    @Test func manyWorkersNeverShareAKey() async {
        let queue = WorkQueue<Int>(name: "test")
        let overlaps = await withTaskGroup(of: Int.self) { group in
            let running = Running()
            for _ in 0..<8 {
                group.addTask {
                    var overlaps = 0
                    while let taken = await queue.next() {
                        if await !running.enter(taken.key) { overlaps += 1 }
                        await Task.yield()
                        await running.leave(taken.key)
                        queue.done(taken.key)
                    }
                    return overlaps
                }
            }
            for round in 0..<2000 {
                queue.add(round % 7)
                if round % 50 == 0 { await Task.yield() }
            }
            while !queue.isIdle { await Task.yield() }
            queue.shutDown()
            return await group.reduce(0, +)
        }
        #expect(overlaps == 0)
    }
}

private actor Running {
    var keys: Set<Int> = []
    func enter(_ key: Int) -> Bool { keys.insert(key).inserted }
    func leave(_ key: Int) { keys.remove(key) }
}
