internal import Concurrency
public import ControllerRuntime
public import Logging
public import Metrics
public import ServiceLifecycle
internal import TodoStore
internal import TodoWorkers

/// The workers of every app that has none of its own, in this process. What they do stops with the lease of the operator.
public final class EmbeddedWorkers: WorkerSupervising, Service {
    private struct Entry {
        let database: AppDatabase
        var state = WorkerState.starting
        var task: Task<Void, Never>?
    }

    private struct State {
        var entries: [ObjectKey: Entry] = [:]
        var isStopped = false
        var leaseCheck: @Sendable () throws -> Void = {}
        var onChange: @Sendable (ObjectKey) -> Void = { _ in }
    }

    private static let longestPause: Duration = .seconds(60)

    private let databases: AppDatabases
    private let metrics: any MetricsFactory
    private let logger: Logger
    private let state = Lock(State())

    public init(databases: AppDatabases, metrics: any MetricsFactory, logger: Logger) {
        self.databases = databases
        self.metrics = metrics
        self.logger = logger
    }

    public func prepare(
        leaseCheck: @escaping @Sendable () throws -> Void, onChange: @escaping @Sendable (ObjectKey) -> Void
    ) {
        state.withLock { ($0.leaseCheck, $0.onChange) = (leaseCheck, onChange) }
    }

    public func run(_ app: ObjectKey, on database: AppDatabase) -> WorkerState {
        state.withLock { state in
            let present = state.entries[app]
            if let present, present.database == database { return present.state }
            guard !state.isStopped else { return .starting }
            state.entries[app] = Entry(database: database, task: start(app, on: database, after: present))
            return .starting
        }
    }

    public func stop(_ app: ObjectKey) {
        guard let entry = state.withLock({ $0.entries.removeValue(forKey: app) }) else { return }
        entry.task?.cancel()
        Task {
            await entry.task?.value
            await forgetUnused(entry.database)
        }
    }

    /// Until a graceful shutdown or the task is cancelled; then all of them end.
    public func run() async throws {
        try? await gracefulShutdown()
        let entries = state.withLock { state in
            defer { state.entries = [:] }
            state.isStopped = true
            return state.entries.values
        }
        for entry in entries { entry.task?.cancel() }
        for entry in entries { await entry.task?.value }
    }

    private func start(_ app: ObjectKey, on database: AppDatabase, after former: Entry?) -> Task<Void, Never> {
        former?.task?.cancel()
        return Task {
            if let former {
                await former.task?.value
                await forgetUnused(former.database)
            }
            await supervise(app, on: database)
        }
    }

    /// Runs the workers, and runs them again when they end.
    private func supervise(_ app: ObjectKey, on database: AppDatabase) async {
        var logger = logger
        logger[metadataKey: "app"] = "\(app)"
        let leaseCheck = state.withLock { $0.leaseCheck }
        var pause: Duration = .seconds(1)
        while !Task.isCancelled {
            do {
                let workers = TodoWorkers(
                    database: try databases.database(database), bell: try databases.bell(database),
                    leaseCheck: leaseCheck, logger: logger, metrics: metrics,
                    labels: [("namespace", app.namespace ?? ""), ("app", app.name)])
                try await inChildTask { [databases] in try await databases.check(database) }
                note(.running, of: app, on: database)
                pause = .seconds(1)
                try await workers.work()
                return
            } catch {
                guard !Task.isCancelled else { return }
                let failure = DatabaseError(error, doing: "be worked on")
                logger.error("the workers ended", metadata: ["error": "\(failure)", "retryAfter": "\(pause)"])
                note(.failed(failure.message), of: app, on: database)
            }
            try? await Task.sleep(for: pause)  // one that ends at once must not keep a processor busy
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func note(_ new: WorkerState, of app: ObjectKey, on database: AppDatabase) {
        let tell = state.withLock { state -> (@Sendable (ObjectKey) -> Void)? in
            guard let entry = state.entries[app], entry.database == database, entry.state != new else { return nil }
            state.entries[app]?.state = new
            return state.onChange
        }
        tell?(app)
    }

    private func forgetUnused(_ database: AppDatabase) async {
        // Under the lock, so that nobody begins with connections that are about to be closed.
        let close = state.withLock { state in
            state.entries.values.contains { $0.database == database } ? nil : databases.forget(database)
        }
        await close?()
    }
}
