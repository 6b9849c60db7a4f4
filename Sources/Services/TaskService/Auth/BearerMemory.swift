internal import Concurrency
internal import FoundationEssentials
internal import TodoModel

/// Who bears what, as the database said a few seconds ago, so that most requests cost no look-up.
final class BearerMemory<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var entries: [Key: (bearer: Bearer, expiry: ContinuousClock.Instant)] = [:]
        /// How often somebody was forgotten.
        var changes = 0
    }

    private static var lifetime: Duration { .seconds(5) }
    private static var capacity: Int { 10_000 }

    private let state = Lock(State())

    /// The bearer of `key`, as `lookUp` says unless it is known.
    /// - Parameter asksAnew: what is known of it is forgotten first.
    func bearer(
        _ key: Key, asksAnew: Bool = false, lookUp: () async throws -> Bearer
    ) async throws -> Bearer {
        let now = ContinuousClock.now
        let (entry, changes) = state.withLock { state in
            if asksAnew { state.entries[key] = nil }
            return (state.entries[key], state.changes)
        }
        if let entry, entry.expiry > now { return entry.bearer }
        let bearer = try await lookUp()
        state.withLock { state in
            // What was looked up before somebody was forgotten may be what had to be forgotten.
            guard state.changes == changes else { return }
            if state.entries.count >= Self.capacity { state.entries.removeAll(keepingCapacity: true) }
            state.entries[key] = (bearer, now + Self.lifetime)
        }
        return bearer
    }

    /// Also what a look-up that is under way is going to say.
    func forget(_ user: UUID) {
        state.withLock { state in
            state.changes += 1
            state.entries = state.entries.filter { $0.value.bearer.user != user }
        }
    }
}
