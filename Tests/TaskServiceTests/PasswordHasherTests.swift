import Concurrency
import Dispatch
import FoundationEssentials
import Glibc
import ServiceHTTP
import Testing

@testable import TaskService

@Suite(.timeLimit(.minutes(10))) struct PasswordHasherTests {
    @Test func `an unknown address has the same work done as a known one`() async throws {
        let work = Lock<[[Int]]>([])
        let hasher = PasswordHasher(cost: 16) { password, salt, cost, blockSize, parallelism in
            work.withLock { $0.append([salt.count, cost, blockSize, parallelism]) }
            return Data(password.utf8)
        }
        let stored = try await hasher.hash("correct horse")
        #expect(try await hasher.verify("correct horse", against: stored))
        #expect(try await !hasher.verify("a wrong guess", against: stored))
        for unknown in [nil, "", "scrypt$16$8$1$AAAA"] {
            #expect(try await !hasher.verify("correct horse", against: unknown))
        }
        #expect(work.withLock { $0 } == Array(repeating: [16, 16, 8, 1], count: 6))
    }

    @Test func `strangers do not wait for each other, by which they could be told from members`() async throws {
        let (count, answered, slow) = (Lock(0), Lock(0), DispatchSemaphore(value: 0))
        let hasher = PasswordHasher(cost: 16) { password, _, _, _, _ in
            count.withLock { $0 += 1 }
            if password == "slow" { slow.wait() }
            return Data(password.utf8)
        }
        let stored = try await hasher.hash("correct horse")
        let first = Task { try await hasher.verify("slow", against: nil) }
        while count.withLock({ $0 }) < 2 { await Task.yield() }
        let others = Task { () async throws in
            for _ in 0..<3 {
                #expect(try await !hasher.verify("another", against: nil))
                answered.withLock { $0 += 1 }
            }
        }
        for _ in 0..<1000 where answered.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(answered.withLock { $0 } == 3)
        #expect(count.withLock { $0 } == 2, "what comes of it is known without a hash")
        #expect(try await hasher.verify("correct horse", against: stored))
        slow.signal()
        #expect(try await !first.value)
        try await others.value
    }

    @Test func `where too many members wait a stranger is sent away as well`() async throws {
        let (refused, slow) = (Lock(0), DispatchSemaphore(value: 0))
        let hasher = PasswordHasher(cost: 16) { password, _, _, _, _ in
            if password == "slow" { slow.wait() }
            return Data(password.utf8)
        }
        let stored = try await hasher.hash("correct horse")
        // One more than two at work and 32 that wait.
        let members = (0..<35).map { _ in
            Task { () async -> Void in
                do {
                    _ = try await hasher.verify("slow", against: stored)
                } catch {
                    refused.withLock { $0 += 1 }
                }
            }
        }
        while refused.withLock({ $0 }) == 0 { await Task.yield() }
        await #expect(throws: Problem.self) { try await hasher.verify("another", against: nil) }
        for _ in 0..<34 { slow.signal() }
        for member in members { await member.value }
        #expect(refused.withLock { $0 } == 1)
    }

    @Test func `a stranger for whom there is no place waits as long as a member would`() async throws {
        let (atWork, slow) = (Lock(0), DispatchSemaphore(value: 0))
        let hasher = PasswordHasher(cost: 16) { password, _, _, _, _ in
            if password == "slow" {
                atWork.withLock { $0 += 1 }
                slow.wait()
            } else {
                usleep(200_000)
            }
            return Data(password.utf8)
        }
        // The work takes 200 ms now, and there are two at it: a third would end after twice that.
        let stored = try await hasher.hash("correct horse")
        let members = (0..<2).map { _ in Task { try await hasher.verify("slow", against: stored) } }
        while atWork.withLock({ $0 }) < 2 { await Task.yield() }
        let start = ContinuousClock.now
        #expect(try await !hasher.verify("another", against: nil))
        let waited = start.duration(to: .now)
        #expect(waited >= .milliseconds(400), "\(waited)")
        for _ in members { slow.signal() }
        for member in members { #expect(try await !member.value) }
    }
}
