internal import Concurrency
internal import FoundationEssentials
public import Logging
public import Postgres
internal import TodoModel
public import TodoStore

/// Wakes up the workers of a database when there is something for them to do, so that they need not look while nothing
/// happens. It holds one connection, on which it is notified of the writes that concern them, and looks by itself once a
/// minute.
///
/// Whether notifications arrive is tried before anybody relies on them: a pooler in transaction mode takes `LISTEN` and
/// lets nothing through.
public final class WorkerBell: Sendable {
    struct Pace: Sendable {
        /// How often it looks all the same.
        var look: Duration = .seconds(60)
        /// So long before something is due the workers are woken up.
        var lead: Duration = .seconds(2)
        /// Within that a notification arrives, or none will.
        var trial: Duration = .seconds(5)
        /// Until it is tried again whether they arrive.
        var retry: Duration = .seconds(600)
    }

    private struct State {
        var isHeard = false
        /// What the trial under way waits for.
        var trial: String?
        var sleepers: [UUID: CheckedContinuation<Void, Never>] = [:]

        mutating func wakeAll() -> [CheckedContinuation<Void, Never>] {
            defer { sleepers = [:] }
            return Array(sleepers.values)
        }
    }

    private let address: PostgresConfiguration
    private let database: TodoDatabase
    private let clock: any WorkerClock
    private let pace: Pace
    private let logger: Logger
    private let id = UUID()
    private let alarm: Alarm
    private let state = Lock(State())

    /// - Parameters:
    ///   - address: of the same database as `database`, without a pooler in between.
    ///   - database: over connections as those have that write.
    public convenience init(address: PostgresConfiguration, database: TodoDatabase, logger: Logger) {
        self.init(address: address, database: database, clock: SystemClock(), pace: Pace(), logger: logger)
    }

    init(
        address: PostgresConfiguration, database: TodoDatabase, clock: any WorkerClock, pace: Pace, logger: Logger
    ) {
        self.address = address
        self.database = database
        self.clock = clock
        self.pace = pace
        self.logger = logger
        alarm = Alarm(clock: clock)
    }

    /// Whether `wait` would wait.
    var isHeard: Bool { state.withLock(\.isHeard) }

    /// How many wait.
    var sleeping: Int { state.withLock(\.sleepers.count) }

    /// Returns when there may be something to do, or the task is cancelled; at once while nothing would be heard.
    func wait() async {
        let sleeper = UUID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let sleeps = state.withLock { state in
                    guard state.isHeard, !Task.isCancelled else { return false }
                    state.sleepers[sleeper] = continuation
                    return true
                }
                // What was written before is told to nobody: it looks once more.
                if sleeps { alarm.ring(for: clock.now) } else { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: sleeper) }?.resume()
        }
    }

    /// Listens until the task is cancelled.
    public func run() async {
        while !Task.isCancelled {
            do {
                try await listen()
            } catch {
                logger.debug("nothing can be heard of the database", metadata: ["error": "\(error)"])
            }
            try? await clock.sleep(until: clock.now.advanced(by: pace.look))  // it may be mended
        }
    }

    private func listen() async throws {
        var keeper: Task<Void, Never>?
        func end() async {
            keeper?.cancel()
            await keeper?.value
            keeper = nil
        }
        do {
            for try await event in PostgresListener(address, channels: [SleepStore.channel]) {
                switch event {
                case .listening(let connection): keeper = Task { await keep(SleepStore(on: connection)) }
                case .notification(let notification): hear(notification.payload)
                case .lost: await end()
                }
            }
        } catch {
            await end()
            throw error
        }
        await end()
    }

    private func hear(_ payload: String) {
        let sleepers = state.withLock { state in
            if payload.isEmpty { return state.wakeAll() }
            if payload == state.trial { state.isHeard = true }
            return []
        }
        for sleeper in sleepers { sleeper.resume() }
        alarm.ring(for: clock.now)
    }

    /// Sees to the sleepers for as long as the connection lasts.
    private func keep(_ store: SleepStore) async {
        while !Task.isCancelled {
            do {
                try await inChildTask { try await self.tryOut() }
                if isHeard { try await watch(store) } else { tellThatNothingIsHeard() }
            } catch {
                logger.debug("the sleep of the workers was disturbed", metadata: ["error": "\(error)"])
            }
            fallSilent()
            await pause(pace.retry)
        }
    }

    /// Has a notification sent by the way that writes take.
    private func tryOut() async throws {
        let trial = UUID().uuidString
        state.withLock { $0.trial = trial }
        try await database.sleeping.call(trial)
        let end = clock.now.advanced(by: pace.trial)
        while !isHeard, !Task.isCancelled, clock.now < end { _ = await alarm.wait(until: end) }
    }

    private func tellThatNothingIsHeard() {
        guard !Task.isCancelled else { return }
        logger.notice(
            "the database's notifications do not arrive, so the workers look every second; name a URI without a pooler")
    }

    /// Until the task is cancelled.
    private func watch(_ store: SleepStore) async throws {
        // It goes on while the process is stopped, and when the clock on the wall is set.
        var nextMark: ContinuousClock.Instant?
        var wakeUp: Instant?
        while !Task.isCancelled {
            guard state.withLock({ !$0.sleepers.isEmpty }) else {
                if nextMark != nil { try await store.wake(id) }
                (nextMark, wakeUp) = (nil, nil)
                await pause(pace.retry)
                continue
            }
            // What is known needs no answer from a connection that may have died without a word.
            guard wakeUp.map({ $0 > clock.now }) ?? true else {
                wakeUp = nil
                ring()
                continue
            }
            if nextMark.map({ $0 <= .now }) ?? true {
                nextMark = .now + pace.look
                guard try await inChildTask({ try await self.areAllTold(store) }) else {
                    ring()
                    continue
                }
            }
            let outlook = try await inChildTask { try await store.outlook() }
            wakeUp = outlook.next?.advanced(by: .zero - pace.lead)
            if outlook.hasWork || wakeUp.map({ $0 <= clock.now }) ?? false {
                ring()
            } else {
                let look = clock.now.advanced(by: nextMark.map { max(.zero, $0 - .now) } ?? .zero)
                _ = await alarm.wait(until: min(wakeUp ?? look, look))
            }
        }
    }

    /// Has writes notify. False when some last long that began before: the workers had better look themselves.
    private func areAllTold(_ store: SleepStore) async throws -> Bool {
        let unknowing = try await store.sleep(id, for: pace.look * 3)
        let end = clock.now.advanced(by: pace.lead)
        while try await !store.haveEnded(unknowing) {
            guard clock.now < end else { return false }
            try await clock.sleep(until: clock.now.advanced(by: .milliseconds(50)))  // they end by themselves
        }
        return true
    }

    private func pause(_ time: Duration) async { _ = await alarm.wait(until: clock.now.advanced(by: time)) }

    private func ring() {
        for sleeper in state.withLock({ $0.wakeAll() }) { sleeper.resume() }
    }

    private func fallSilent() {
        let sleepers = state.withLock { state in
            state.isHeard = false
            state.trial = nil
            return state.wakeAll()
        }
        for sleeper in sleepers { sleeper.resume() }
    }
}
