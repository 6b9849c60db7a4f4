internal import Concurrency
internal import FoundationEssentials
internal import Logging
internal import Metrics
internal import TodoModel
internal import TodoStore

/// Plans reminders when tasks, people, policies or zones have changed.
struct ReminderPlanner: Sendable {
    struct Pace: Sendable {
        /// How often to look for what others have written: while they write, and the longest that it grows to when they
        /// do not. Operators look after a thousand databases.
        var poll: Duration = .milliseconds(200)
        var longestPoll: Duration = .seconds(1)
        var retry: Duration = .seconds(1)
        /// How often to look for people who have no next digest: new ones.
        var digests: Duration = .seconds(60)
        /// How often to count the backlog, sum up tallies, and see whether the zones were checked today.
        var chores: Duration = .seconds(10)
    }

    let database: TodoDatabase
    let clock: any WorkerClock
    let permit: WorkPermit
    let alarm: Alarm
    let stillness: Stillness
    var pace = Pace()
    let metrics: WorkerMetrics
    let logger: Logger
    /// Whether digests are to be planned now.
    let wantsDigests = Lock(true)
    /// The policies of which the log has been told that they cannot be read.
    private let unreadable = Lock(Set<UUID>())

    /// Until the task is cancelled. Throws `LeaseLost`.
    func run() async throws {
        var nextDigests = ContinuousClock.now
        var nextChores = ContinuousClock.now
        var poll = pace.poll
        while !Task.isCancelled {
            var wait = poll
            do {
                if nextChores <= .now {
                    try await chores()
                    nextChores = .now + pace.chores
                }
                let isBusy = try await step()
                let isWanted = wantsDigests.withLock { wants in
                    defer { wants = false }
                    return wants
                }
                if isWanted { nextDigests = .now }
                if nextDigests <= .now {
                    try await planDigests()
                    nextDigests = .now + pace.digests
                }
                if isBusy {
                    stillness.disturb()
                    poll = pace.poll
                    continue
                }
                poll = min(poll * 1.25, pace.longestPoll)
            } catch let error as LeaseLost {
                throw error
            } catch {
                guard !Task.isCancelled else { return }
                stillness.disturb()
                metrics.failures.increment()
                logger.warning("reminders could not be planned; will try again", metadata: ["error": "\(error)"])
                wait = pace.retry
            }
            // Other processes write what is to be planned, and nobody tells.
            try? await Task.sleep(for: wait)
        }
    }

    /// Plans what is noted now; what is fired is planned by then as it is to be. Gives up when another process is at it, or
    /// has not come to an end in `limit`: what is due waits no longer, and is looked at once more when it is fired.
    func settle(within limit: Duration = .seconds(2)) async throws {
        _ = try await database.plan.checkZones()
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await !step() { return }
        }
    }

    /// Plans one portion. False when there was none.
    private func step() async throws -> Bool {
        let outcome = try await database.plan.step(now: clock.now, until: try await permit.deadline())
        switch outcome {
        case .planned(let step):
            metrics.planned.increment(by: step.planned)
            if let earliest = step.earliest { alarm.ring(for: earliest) }
            if step.scopes > 0 { wantsDigests.withLock { $0 = true } }
            tell(of: step.unreadable)
            return true
        case .tooLate:
            permit.see(try await database.firing.time())
            return true
        case .idle, .busy: return false
        }
    }

    /// Once of each policy, though every portion meets it.
    private func tell(of policies: Set<UUID>) {
        let news = unreadable.withLock { known in
            defer { known = policies }
            return policies.subtracting(known)
        }
        for id in news {
            metrics.failures.increment()
            logger.error("no reminder is planned: the selector cannot be read", metadata: ["policy": "\(id)"])
        }
    }

    private func chores() async throws {
        let zones = try await database.plan.checkZones()
        if zones > 0 {
            logger.notice("the rules of time zones have changed: planning anew", metadata: ["zones": "\(zones)"])
        }
        try await database.policies.sumUp()
        metrics.due.record(try await database.firing.backlog(clock.now))
    }

    /// Plans the next digest of everybody who has none, and what they missed.
    func planDigests() async throws {
        for policy in try await database.policies.active() {
            guard case .digest(let text, _) = policy.schedule else { continue }
            let walls: [LocalDateTime]
            do {
                walls = try DigestSchedule(text).times(around: clock.now, and: policy.catchUp.digestWindow)
            } catch {
                logger.error(
                    "no digest is planned: \(error)", metadata: ["policy": "\(policy.namespace)/\(policy.name)"])
                continue
            }
            try await planDigests(of: policy, walls)
        }
    }

    /// A portion of the people at a time. What somebody writes meanwhile does not wait for the last of them.
    private func planDigests(of policy: ReminderPolicy, _ walls: [LocalDateTime]) async throws {
        var first: UUID?
        repeat {
            let deadline = try await permit.deadline()
            let outcome = try await database.plan.digest(
                policy, walls: walls, from: first, now: clock.now, until: deadline)
            first = nil
            switch outcome {
            case .planned(let step):
                if let earliest = step.earliest { alarm.ring(for: earliest) }
                first = step.rest
            case .busy, .tooLate:
                stillness.disturb()
                wantsDigests.withLock { $0 = true }
            case .idle: break
            }
            if first != nil { _ = try await step() }
        } while first != nil
    }
}
