/// Which connections a pool has and who waits for one. Pure: it decides, `PostgresPool` acts.
///
/// A connection is opening, idle or leased. Waiters are served in the order in which they came; idle connections are
/// leased latest first, so that those which are not needed grow old and can be closed.
struct PoolState {
    typealias ConnectionID = Int
    typealias WaiterID = Int

    private enum Phase: Equatable { case opening, idle(since: Duration), leased }
    private struct Member {
        var phase: Phase
        var expiry: Duration
    }

    let limits: PostgresPool.Limits
    private var members: [ConnectionID: Member] = [:]
    private var idle: [ConnectionID] = []
    private var waiting: [WaiterID] = []
    private var nextConnection = 0
    /// The last attempt to connect failed: attempts are made one at a time until one succeeds.
    private(set) var isFailing = false
    private(set) var isClosed = false

    init(limits: PostgresPool.Limits) { self.limits = limits }

    var statistics: PostgresPool.Statistics {
        let leased = members.values.count { $0.phase == .leased }
        return .init(
            open: members.values.count { $0.phase != .opening }, leased: leased, waiting: waiting.count)
    }

    var isEmpty: Bool { members.isEmpty }
    var hasIdle: Bool { !idle.isEmpty }

    enum Acquired: Equatable {
        /// `idleFor` tells whether to ask the server first if it is still there.
        case lease(ConnectionID, idleFor: Duration)
        case wait(open: [ConnectionID])
        case closed
    }

    mutating func acquire(_ waiter: WaiterID, now: Duration) -> Acquired {
        if isClosed { return .closed }
        if let id = idle.popLast(), case .idle(let since) = members[id]?.phase {
            members[id]?.phase = .leased
            return .lease(id, idleFor: now - since)
        }
        waiting.append(waiter)
        return .wait(open: openAsNeeded())
    }

    /// Connections to be opened for those who wait: their number, less what is on its way, within the size.
    private mutating func openAsNeeded() -> [ConnectionID] {
        let opening = members.values.count { $0.phase == .opening }
        let wanted = isFailing ? min(1, waiting.count) : waiting.count
        let count = isClosed ? 0 : min(wanted - opening, limits.size - members.count)
        return (0..<max(0, count)).map { _ in
            nextConnection += 1
            members[nextConnection] = Member(phase: .opening, expiry: .zero)
            return nextConnection
        }
    }

    enum Offered: Equatable {
        case hand(to: WaiterID)
        case park
        case close
    }

    /// A connection has been made; it may live until `expiry`. Gives also the connections to open now that it works.
    mutating func opened(_ id: ConnectionID, expiry: Duration, now: Duration) -> (Offered, open: [ConnectionID]) {
        isFailing = false
        guard !isClosed, members[id] != nil else {
            members[id] = nil
            return (.close, [])
        }
        members[id]?.expiry = expiry
        return (offer(id, now: now), openAsNeeded())
    }

    enum Failed: Equatable {
        /// Try once more after a while.
        case retry
        /// Nothing will come of it: tell these.
        case fail([WaiterID])
    }

    mutating func openFailed(_ id: ConnectionID, isPermanent: Bool) -> Failed {
        isFailing = true
        guard isPermanent || isClosed || waiting.isEmpty else { return .retry }
        members[id] = nil
        defer { waiting = [] }
        return .fail(waiting)
    }

    /// Whether an attempt that has waited for its turn is still wanted.
    mutating func shouldRetry(_ id: ConnectionID) -> Bool {
        if !isClosed, !waiting.isEmpty { return true }
        members[id] = nil
        return false
    }

    /// A leased connection comes back. `.close` also means that the connections given are opened in its place.
    mutating func release(_ id: ConnectionID, isUsable: Bool, now: Duration) -> (Offered, open: [ConnectionID]) {
        guard let member = members[id], member.phase == .leased else { return (.close, openAsNeeded()) }
        guard isUsable, !isClosed, now < member.expiry else {
            members[id] = nil
            return (.close, openAsNeeded())
        }
        return (offer(id, now: now), [])
    }

    private mutating func offer(_ id: ConnectionID, now: Duration) -> Offered {
        if let waiter = waiting.first {
            waiting.removeFirst()
            members[id]?.phase = .leased
            return .hand(to: waiter)
        }
        members[id]?.phase = .idle(since: now)
        idle.append(id)
        return .park
    }

    /// A connection has ended by itself. Those to open in its place.
    mutating func lost(_ id: ConnectionID) -> [ConnectionID] {
        idle.removeAll { $0 == id }
        members[id] = nil
        return openAsNeeded()
    }

    /// A waiter gives up. False when it has been served.
    mutating func forget(_ waiter: WaiterID) -> Bool {
        guard let index = waiting.firstIndex(of: waiter) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Takes out the idle connections that nobody needed for `idleTimeout`, or that are too old.
    mutating func expire(now: Duration) -> [ConnectionID] {
        let expired = idle.filter { id in
            guard let member = members[id], case .idle(let since) = member.phase else { return true }
            return now >= member.expiry || now - since >= limits.idleTimeout
        }
        idle.removeAll { expired.contains($0) }
        for id in expired { members[id] = nil }
        return expired
    }

    /// Takes out the connection that has been idle for longest.
    mutating func surrender() -> ConnectionID? {
        guard let id = idle.first else { return nil }
        idle.removeFirst()
        members[id] = nil
        return id
    }

    /// Ends the pool: gives the idle connections, to be closed, and the waiters, to be refused.
    mutating func close() -> (connections: [ConnectionID], waiters: [WaiterID]) {
        isClosed = true
        defer {
            for id in idle { members[id] = nil }
            idle = []
            waiting = []
        }
        return (idle, waiting)
    }
}
