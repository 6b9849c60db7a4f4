internal import Concurrency
internal import FoundationEssentials
internal import HTTPTypes
internal import ServiceHTTP
internal import ServiceLifecycle
internal import TodoStore

/// Wakes up those who wait for a change to what they see.
///
/// One look at the streams of all who wait serves everybody: soon after a commit of this process, and each second for what
/// others write. Who is not concerned asks nothing, so that what waiting costs does not grow with what others write.
final class ChangeWatch: Service {
    /// Commits within this time are looked at together.
    private static let shortestInterval: Duration = .milliseconds(250)
    private static let longestInterval: Duration = .seconds(1)

    private struct Waiter {
        let user: UUID
        let cursor: ChangeCursor
        let change: Signal
    }

    private let feed: ChangeFeed
    private let commits: Signal
    private let readiness: Readiness
    private let waiting = Lock<[ObjectIdentifier: Waiter]>([:])

    init(feed: ChangeFeed, commits: Signal, readiness: Readiness) {
        self.feed = feed
        self.commits = commits
        self.readiness = readiness
    }

    /// Returns when a stream that the person sees is beyond the cursor, at the latest after `limit`, or when the task is
    /// cancelled.
    func wait(for user: UUID, beyond cursor: ChangeCursor, atMost limit: Duration) async {
        let change = Signal()
        let id = ObjectIdentifier(change)
        waiting.withLock { $0[id] = Waiter(user: user, cursor: cursor, change: change) }
        defer { waiting.withLock { $0[id] = nil } }
        await change.wait(since: 0, atMost: limit)
    }

    /// Until it is cancelled, or told to stop, which it is after the last request.
    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await readiness.awaitStart()
            while !Task.isCancelled {
                let seen = commits.count
                // With the database away nobody is woken up; whose time is over asks it, and is told.
                try? await look()
                // Not for anything to happen, but to gather what does.
                try? await Task.sleep(for: Self.shortestInterval)
                await commits.wait(since: seen, atMost: Self.longestInterval - Self.shortestInterval)
            }
        }
    }

    private func look() async throws {
        let waiting = Array(waiting.withLock { $0 }.values)
        guard !waiting.isEmpty else { return }
        let present = try await feed.present(for: Set(waiting.map(\.user)))
        for waiter in waiting where present[waiter.user].map(waiter.cursor.isBehind) ?? true { waiter.change.signal() }
    }
}

/// Lets only so many requests of one token wait at the same time.
final class WaitingRoom: Sendable {
    private let seats: Int
    private let taken = Lock<[String: Int]>([:])

    init(seats: Int) { self.seats = seats }

    /// Throws 429 when all seats are taken.
    func wait<Value>(_ key: String, _ body: () async throws -> Value) async throws -> Value {
        let isFree = taken.withLock { taken in
            guard taken[key, default: 0] < seats else { return false }
            taken[key, default: 0] += 1
            return true
        }
        guard isFree else {
            throw Problem(
                .tooManyRequests, "\(seats) requests with this token wait for changes already: end one of them first",
                headers: [.retryAfter: "1"])
        }
        defer {
            taken.withLock { taken in
                taken[key, default: 1] -= 1
                if taken[key] == 0 { taken[key] = nil }
            }
        }
        return try await body()
    }
}
