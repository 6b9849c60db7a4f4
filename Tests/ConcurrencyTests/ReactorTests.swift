import Concurrency
import Glibc
import Testing

@Suite(.timeLimit(.minutes(10))) struct ReactorTests {
    /// An actor on the reactor, which reads a pipe when the reactor says that it is readable.
    actor PipeReader {
        nonisolated let reactor: Reactor
        nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
        private let descriptor: Int32
        private var watch: Reactor.Watch?
        private var waiter: CheckedContinuation<UInt8, Never>?

        init(reactor: Reactor, descriptor: Int32) {
            self.reactor = reactor
            self.descriptor = descriptor
        }

        func next() async throws -> UInt8 {
            let watch = try reactor.watch(descriptor, for: .readable) { [weak self] _ in
                self?.assumeIsolated { $0.read() }
            }
            defer { reactor.cancel(watch) }
            return await withCheckedContinuation { waiter = $0 }
        }

        private func read() {
            var byte: UInt8 = 0
            guard let waiting = waiter, Glibc.read(descriptor, &byte, 1) == 1 else { return }
            waiter = nil
            waiting.resume(returning: byte)
        }

        var isOnReactor: Bool { reactor.isCurrent }
    }

    @Test func `an actor on the reactor reads what its descriptor brings, on the reactor's thread`() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        let reader = PipeReader(reactor: .shared, descriptor: ends[0])
        for value in UInt8.min...UInt8.max {
            async let read = reader.next()
            var byte = value
            #expect(write(ends[1], &byte, 1) == 1)
            #expect(try await read == value)
        }
        #expect(await reader.isOnReactor)
    }

    @Test func `a task that prefers the reactor runs on it, its plain async calls too`() async {
        let reactor = Reactor(name: "test")
        func where_() async -> Bool { reactor.isCurrent }
        #expect(!reactor.isCurrent)
        let inside = await withTaskExecutorPreference(reactor) { await where_() }
        #expect(inside)
    }

    @Test func `jobs from many threads are all run`() async {
        let counter = Lock(0)
        await withTaskGroup { group in
            for _ in 0..<200 {
                group.addTask {
                    for _ in 0..<50 {
                        await Task(executorPreference: Reactor.shared) { counter.withLock { $0 += 1 } }.value
                    }
                }
            }
        }
        #expect(counter.withLock { $0 } == 10_000)
    }

    @Test func `a stale watch does not end the watch of the descriptor's next owner`() throws {
        var first: [Int32] = [0, 0]
        try #require(pipe(&first) == 0)
        var second: [Int32] = [0, 0]
        try #require(pipe(&second) == 0)
        defer { (first + second).forEach { close($0) } }
        let stale = try Reactor.shared.watch(first[0], for: .readable) { _ in }
        // Closes what was there, without a moment in which another test may take the number.
        try #require(dup2(second[0], first[0]) == first[0])
        let fresh = try Reactor.shared.watch(first[0], for: .readable) { _ in }
        Reactor.shared.cancel(stale)
        #expect(!Reactor.shared.update(stale, to: .writable))
        #expect(Reactor.shared.update(fresh, to: []))
        Reactor.shared.cancel(fresh)
    }

    @Test func `a descriptor that cannot be watched is refused`() {
        #expect(throws: ReactorError.self) { _ = try Reactor.shared.watch(-1, for: .readable) { _ in } }
    }

    @Test func `blocking calls do not wait for each other`() async {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return }
        let (reading, writing) = (ends[0], ends[1])
        await withTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    await runBlocking {
                        var byte: UInt8 = 0
                        _ = read(reading, &byte, 1)
                    }
                }
            }
            // Written by the last one to come: with fewer than 51 threads nobody would.
            group.addTask { await runBlocking { _ = write(writing, [UInt8](repeating: 0, count: 50), 50) } }
        }
        close(reading)
        close(writing)
    }
}
