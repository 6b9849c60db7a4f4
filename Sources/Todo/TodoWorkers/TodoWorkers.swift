internal import Concurrency
public import Logging
public import Metrics
public import ServiceLifecycle
public import TodoStore

/// What happens by itself: reminders are planned and fired, and series go on. Any number of processes may run it on one database: none of
/// what they do is lost or done twice when one of them is killed, stopped, or cut off at any point.
public struct TodoWorkers: Service {
    private let database: TodoDatabase
    private let bell: WorkerBell?
    private let stillness: Stillness
    private let leaseCheck: @Sendable () async throws -> Void
    private let clock: any WorkerClock
    private let logger: Logger
    private let metrics: WorkerMetrics

    /// - Parameters:
    ///   - bell: of this database: by it they sleep while there is nothing to do. Somebody runs it. Without one they look
    ///     every second.
    ///   - leaseCheck: asked before each statement that changes something; throws when this process may not work any more.
    ///     What it permits takes effect within five seconds or not at all, so it must be true for that long.
    ///   - labels: of every metric, where several run in one process.
    public init(
        database: TodoDatabase, bell: WorkerBell? = nil, leaseCheck: @escaping @Sendable () async throws -> Void = {},
        clock: any WorkerClock = SystemClock(), logger: Logger, metrics: any MetricsFactory,
        labels: [(String, String)] = []
    ) {
        self.init(
            database: database, bell: bell, stillness: .init(), leaseCheck: leaseCheck, clock: clock, logger: logger,
            metrics: metrics, labels: labels)
    }

    init(
        database: TodoDatabase, bell: WorkerBell?, stillness: Stillness.Pace,
        leaseCheck: @escaping @Sendable () async throws -> Void, clock: any WorkerClock, logger: Logger,
        metrics: any MetricsFactory, labels: [(String, String)]
    ) {
        self.database = database
        self.bell = bell
        self.stillness = Stillness(clock: clock, pace: stillness)
        self.leaseCheck = leaseCheck
        self.clock = clock
        self.logger = logger
        self.metrics = WorkerMetrics(factory: metrics, labels: labels)
    }

    /// Works until the task is cancelled or a graceful shutdown; a database that is away is waited for. The schema must be
    /// this release's. Throws `LeaseLost` when `leaseCheck` throws.
    public func run() async throws {
        try await cancelWhenGracefulShutdown { try await work() }
    }

    /// `run` for whoever knows of no graceful shutdown: until the task is cancelled. Asleep they take a few KB.
    public func work() async throws {
        let permit = WorkPermit(firing: database.firing, leaseCheck: leaseCheck)
        while !Task.isCancelled {
            try await inChildTask {
                try await workUntilStill(permit)
                // What it was when they last looked would be shown while they sleep.
                if let due = try? await database.firing.backlog(clock.now) { metrics.due.record(due) }
            }
            await bell?.wait()
        }
    }

    /// For good without a bell.
    private func workUntilStill(_ permit: WorkPermit) async throws {
        let alarm = Alarm(clock: clock)
        let planner = ReminderPlanner(
            database: database, clock: clock, permit: permit, alarm: alarm, stillness: stillness, metrics: metrics,
            logger: logger)
        let firer = ReminderFirer(
            database: database, clock: clock, permit: permit, alarm: alarm, stillness: stillness, pace: .init(),
            metrics: metrics, logger: logger
        ) { planner.wantsDigests.withLock { $0 = true } }
        let recurrence = RecurrenceWorker(
            database: database, clock: clock, permit: permit, stillness: stillness, metrics: metrics, logger: logger)
        stillness.disturb()
        try await prepare(planner)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await planner.run() }
            group.addTask { try await firer.run() }
            group.addTask { try await recurrence.run() }
            if let bell { group.addTask { await still(bell) } }
            // The workers end only when they may not go on.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// Returns when nothing is to be done, and the bell would ring if that changed.
    private func still(_ bell: WorkerBell) async {
        repeat {
            await stillness.wait()
            if bell.isHeard { return }
            stillness.disturb()
        } while !Task.isCancelled
    }

    /// What was written while nothing ran is planned before anything fires: it may be what puts off or calls off what is
    /// due.
    private func prepare(_ planner: ReminderPlanner) async throws {
        while !Task.isCancelled {
            do {
                return try await planner.settle()
            } catch let error as LeaseLost {
                throw error
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("waiting for the database", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(1))  // between attempts to reach the database
            }
        }
    }
}
