public import Concurrency
public import Logging
internal import Synchronization

/// Connections for many tasks. Opens them as they are needed, checks those that have been idle, replaces those that
/// broke, and closes those that nobody needs.
///
/// A caller that runs many short statements spares itself two thread hops for each by running on the pool's reactor:
/// `withTaskExecutorPreference(pool.reactor) { … }`.
public final class PostgresPool: Sendable {
    public struct Limits: Sendable {
        /// The most connections there are at a time.
        public var size = 16
        /// The longest that a task waits for one.
        public var waitDeadline: Duration = .seconds(5)
        /// The age at which a connection is replaced, less up to a tenth at random.
        public var lifetime: Duration = .seconds(3600)
        /// How long one stays open unused.
        public var idleTimeout: Duration = .seconds(300)
        /// One that was idle for longer is asked whether it is alive before it is lent.
        public var checkAfterIdle: Duration = .seconds(30)
        /// The longest that this question may take.
        public var checkDeadline: Duration = .seconds(3)
        /// Shared with other pools; nil: `size` is all that bounds this one.
        public var budget: ConnectionBudget?

        public init(size: Int = 16) { self.size = max(1, size) }
    }

    public struct Statistics: Sendable, Hashable {
        public let open: Int
        public let leased: Int
        public let waiting: Int
    }

    public let reactor: Reactor
    let configuration: PostgresConfiguration
    let limits: Limits
    let clock: any Clock<Duration>
    let now: @Sendable () -> Duration
    let logger: Logger
    let shared: Lock<Shared>
    private let nextWaiter = Atomic<Int>(0)

    struct Waiter {
        let continuation: CheckedContinuation<Lease, any Error>
        /// Since the pool began.
        var deadline: Duration = .zero

        func serve(_ lease: Lease) { continuation.resume(returning: lease) }
        func fail(_ error: any Error) { continuation.resume(throwing: error) }
    }

    struct Shared {
        var state: PoolState
        var connections: [Int: PostgresConnection] = [:]
        var waiters: [Int: Waiter] = [:]
        var lastFailure: String?
        var isReaping = false
        var isWatchingWaiters = false
        var drained: [CheckedContinuation<Void, Never>] = []
        var owed: [Owed] = []
    }

    /// Whom to resume.
    enum Owed {
        case lease(Waiter, Lease)
        case drained(CheckedContinuation<Void, Never>)
    }

    struct Lease {
        let id: Int
        let connection: PostgresConnection
        var idleFor: Duration = .zero
    }

    /// A pool does not connect before it is asked to.
    public init(
        _ configuration: PostgresConfiguration, limits: Limits = Limits(), reactor: Reactor = .shared,
        clock: some Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "postgres", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.configuration = configuration
        self.limits = limits
        self.reactor = reactor
        self.clock = clock
        let start = clock.now
        now = { start.duration(to: clock.now) }
        self.logger = logger
        shared = Lock(Shared(state: PoolState(limits: limits)))
        limits.budget?.join(self)
    }

    public var statistics: Statistics { shared.withLock { $0.state.statistics } }

    /// Lends a connection to `body`. One that comes back in the midst of a transaction is closed, so that the next
    /// borrower does not inherit it.
    ///
    /// Throws `PostgresError.poolExhausted` when there is none within `waitDeadline`, `.connectionFailed` at once when
    /// connecting cannot succeed, `.closed` after `close`.
    public func withConnection<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let lease = try await acquire()
        defer { release(lease) }
        return try await body(lease.connection)
    }

    /// Runs one statement on any connection.
    @discardableResult
    public func query(_ query: PostgresQuery) async throws -> PostgresRows {
        let lease = try await acquire()
        defer { release(lease) }
        return try await lease.connection.query(query)
    }

    /// Runs queries in one round trip, as one transaction; see `PostgresConnection.batch`.
    @discardableResult
    public func batch(_ queries: [PostgresQuery]) async throws -> [PostgresRows] {
        let lease = try await acquire()
        defer { release(lease) }
        return try await lease.connection.batch(queries)
    }

    /// Runs `body` in a transaction; see `PostgresConnection.withTransaction`. After a serialization failure or a
    /// deadlock it is run again from the start, up to `attempts` times in all, so it must not have effects elsewhere.
    public func withTransaction<Value>(
        _ level: PostgresIsolation = .readCommitted, readOnly: Bool = false, attempts: Int = 1,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await withConnection {
                    try await $0.withTransaction(level, readOnly: readOnly, body)
                }
            } catch let error as PostgresError where error.isTransactionRetryable && attempt < attempts {
                try await clock.sleep(for: Backoff(initial: .milliseconds(5), cap: .seconds(1)).delay(attempt: attempt))
                attempt += 1
            }
        }
    }

    /// Refuses new borrowers, closes idle connections and waits until those in use have come back.
    public func close() async {
        let (connections, waiters) = shared.withLock { shared in
            let (ids, waiters) = shared.state.close()
            return (
                ids.compactMap { shared.connections.removeValue(forKey: $0) },
                waiters.compactMap { shared.waiters.removeValue(forKey: $0) }
            )
        }
        for waiter in waiters { waiter.fail(PostgresError.closed) }
        for connection in connections { await connection.close() }
        await withCheckedContinuation { continuation in
            let isDrained = shared.withLock { shared in
                if !shared.state.isEmpty { shared.drained.append(continuation) }
                return shared.state.isEmpty
            }
            if isDrained { continuation.resume() }
        }
    }
}

extension PostgresPool {
    private func acquire() async throws -> Lease {
        while true {
            let lease = try await nextLease()
            if lease.idleFor < limits.checkAfterIdle { return lease }
            if await isAlive(lease.connection) { return lease }
            await lease.connection.close()
            release(lease)
        }
    }

    private func isAlive(_ connection: PostgresConnection) async -> Bool {
        let deadline = Task {
            try await clock.sleep(for: limits.checkDeadline)
            await connection.close()
        }
        defer { deadline.cancel() }
        return (try? await connection.ping()) != nil
    }

    private func nextLease() async throws -> Lease {
        try Task.checkCancellation()
        let id = nextWaiter.wrappingAdd(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                request(Waiter(continuation: continuation), id)
                if Task.isCancelled { giveUp(id, CancellationError()) }
            }
        } onCancel: {
            giveUp(id, CancellationError())
        }
    }

    private func request(_ waiter: Waiter, _ id: Int) {
        let answer = withShared { shared -> (Result<Lease, any Error>?, open: [Int]) in
            switch shared.state.acquire(id, now: now()) {
            case .closed: return (.failure(PostgresError.closed), [])
            case .lease(let connection, let idleFor):
                guard let lent = shared.connections[connection] else { return (.failure(PostgresError.closed), []) }
                return (.success(Lease(id: connection, connection: lent, idleFor: idleFor)), [])
            case .wait(let open):
                var waiter = waiter
                waiter.deadline = now() + limits.waitDeadline
                shared.waiters[id] = waiter
                watchWaiters(&shared)
                return (nil, open)
            }
        }
        if let result = answer.0 { waiter.continuation.resume(with: result) }
        open(answer.open)
    }

    /// What is owed is resumed when the lock is free again: that takes a lock of the task, which is held by whoever cancels
    /// it and is about to take ours.
    func withShared<Value>(_ body: (inout Shared) -> Value) -> Value {
        let (value, owed) = shared.withLock { shared in
            let value = body(&shared)
            defer { shared.owed = [] }
            return (value, shared.owed)
        }
        for owed in owed {
            switch owed {
            case .lease(let waiter, let lease): waiter.serve(lease)
            case .drained(let continuation): continuation.resume()
            }
        }
        return value
    }

    /// Ends the wait of those who have waited for too long. One sleep for all of them: where many wait for few connections,
    /// a timer of each one's own cost more than all else that the pool does.
    private func watchWaiters(_ shared: inout Shared) {
        guard !shared.isWatchingWaiters else { return }
        shared.isWatchingWaiters = true
        Task { [weak self, limits, clock] in
            var pause = limits.waitDeadline
            while true {
                try? await clock.sleep(for: pause)  // nobody cancels this task
                guard let next = self?.timeOutWaiters() else { return }
                pause = next
            }
        }
    }

    /// Returns how long it is until the next of those who wait has waited for too long; nil when nobody waits.
    private func timeOutWaiters() -> Duration? {
        let now = now()
        let (late, next, cause) = shared.withLock { shared in
            let late = shared.waiters.filter { $0.value.deadline <= now }.map(\.key)
            let next = shared.waiters.values.lazy.map(\.deadline).filter { $0 > now }.min()
            shared.isWatchingWaiters = next != nil
            return (late, next, shared.state.isFailing ? shared.lastFailure : nil)
        }
        for id in late { giveUp(id, PostgresError.poolExhausted(waited: limits.waitDeadline, cause: cause)) }
        return next.map { $0 - now }
    }

    private func giveUp(_ id: Int, _ error: any Error) {
        let waiter = shared.withLock { $0.state.forget(id) ? $0.waiters.removeValue(forKey: id) : nil }
        waiter?.fail(error)
    }

    private func release(_ lease: Lease) {
        let isUsable = lease.connection.phase.load(ordering: .acquiring) == .idle
        let open = withShared { shared -> [Int] in
            let (offered, open) = shared.state.release(lease.id, isUsable: isUsable, now: now())
            settle(offered, lease, &shared)
            return open
        }
        self.open(open)
        if limits.budget?.isWanted == true { surrenderIdle() }
    }

    /// Closes the connection that has been idle for longest, for another pool. False when there is none.
    @discardableResult
    func surrenderIdle() -> Bool {
        let connection = shared.withLock { shared in
            shared.state.surrender().flatMap { shared.connections.removeValue(forKey: $0) }
        }
        guard let connection else { return false }
        Task { await connection.close() }
        return true
    }

    /// Carries out what the state decided about a connection that is free.
    func settle(_ offered: PoolState.Offered, _ lease: Lease, _ shared: inout Shared) {
        switch offered {
        case .hand(let id):
            if let waiter = shared.waiters.removeValue(forKey: id) { shared.owed.append(.lease(waiter, lease)) }
        case .park:
            reapLater(&shared)
        case .close:
            shared.connections[lease.id] = nil
            if lease.connection.isOpen { Task { await lease.connection.close() } }
            resumeDrained(&shared)
        }
    }

    func resumeDrained(_ shared: inout Shared) {
        guard shared.state.isClosed, shared.state.isEmpty else { return }
        shared.owed += shared.drained.map(Owed.drained)
        shared.drained = []
    }
}
