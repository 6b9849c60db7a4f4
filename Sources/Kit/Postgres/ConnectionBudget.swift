internal import Concurrency

/// How many connections several pools may have open together.
///
/// A pool that needs one more than that waits its turn, up to the wait deadline of those who wait for it; meanwhile the
/// others close what they have idle, the longest idle of a pool first.
public final class ConnectionBudget: Sendable {
    private struct Member {
        weak var pool: PostgresPool?
    }

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
        var members: [Member] = []
    }

    private let state: Lock<State>

    /// - Parameter connections: at least 1.
    public init(_ connections: Int) { state = Lock(State(free: max(1, connections))) }

    func join(_ pool: PostgresPool) {
        state.withLock { state in
            state.members.removeAll { $0.pool == nil }
            state.members.append(Member(pool: pool))
        }
    }

    /// Returns when a connection may be opened.
    func take() async {
        await withCheckedContinuation { continuation in
            let members = state.withLock { state -> [Member]? in
                guard state.free == 0 else {
                    state.free -= 1
                    return nil
                }
                state.waiting.append(continuation)
                // Not always of the same one.
                if !state.members.isEmpty { state.members.append(state.members.removeFirst()) }
                return state.members
            }
            guard let members else { return continuation.resume() }
            for member in members where member.pool?.surrenderIdle() == true { return }
        }
    }

    /// A connection was closed, or did not come about.
    func give() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }

    /// Somebody waits for a connection to be closed.
    var isWanted: Bool { state.withLock { !$0.waiting.isEmpty } }
}
