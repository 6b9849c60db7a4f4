internal import FoundationEssentials
internal import Logging
internal import Metrics
internal import TodoModel
internal import TodoStore

/// Fires reminders when they are due.
struct ReminderFirer: Sendable {
    let database: TodoDatabase
    let clock: any WorkerClock
    let permit: WorkPermit
    let alarm: Alarm
    let stillness: Stillness
    let pace: FiringSchedule.Pace
    let metrics: WorkerMetrics
    let logger: Logger
    /// Called when digests have fired, whose next ones have yet to be planned.
    let didFireDigests: @Sendable () -> Void

    /// Until the task is cancelled. Throws `LeaseLost`.
    func run() async throws {
        var schedule = FiringSchedule(now: clock.now, pace: pace)
        while !Task.isCancelled {
            let action = schedule.action(at: clock.now)
            if case .sleep(let until) = action {
                if let rung = await alarm.wait(until: until) { schedule.ring(rung) }
            } else {
                try await perform(action, &schedule)
            }
        }
    }

    /// Does what is to be done now; returns when there is nothing more, and until when.
    func settle(_ schedule: inout FiringSchedule) async throws -> Instant {
        while true {
            let action = schedule.action(at: clock.now)
            if case .sleep(let until) = action { return until }
            try await perform(action, &schedule)
        }
    }

    private func perform(_ action: FiringSchedule.Action, _ schedule: inout FiringSchedule) async throws {
        do {
            switch action {
            case .fire(let after, let lanes):
                let claims = try await fire(after: after, lanes: lanes)
                let (next, nextDigest) = (claims.compactMap(\.next).min(), claims.compactMap(\.nextDigest).min())
                stillness.expect([next, nextDigest].compactMap { $0 }.min())
                schedule.fired(
                    after: after, isFull: claims.contains(where: \.isFull), next: next, nextDigest: nextDigest,
                    at: clock.now)
            case .catchUp(let through):
                let claim = try await claim(after: nil, through: through)
                schedule.caughtUp(isFull: claim.isFull, at: clock.now)
            case .fireDigests:
                let (isComplete, isFull) = try await fireDigests()
                schedule.firedDigests(isComplete: isComplete, isFull: isFull, at: clock.now)
            case .sleep: break
            }
        } catch let error as LeaseLost {
            throw error
        } catch {
            guard !Task.isCancelled else { return }
            stillness.disturb()
            metrics.failures.increment()
            logger.warning("due reminders could not be fired; will try again", metadata: ["error": "\(error)"])
            schedule.failed(at: clock.now)
        }
    }

    /// What shows whether it is a rush, before long: the processors have something to do for one claim only meanwhile.
    private static let firstBatch = 250

    /// One claim; or when that was not enough, several lanes of them, each until nothing is left, so that none waits for
    /// another. Returns the last claim of each.
    private func fire(after: Instant, lanes: Int) async throws -> [Claimed] {
        guard lanes > 1 else { return [try await claim(after: after, through: clock.now, limit: Self.firstBatch)] }
        let end = clock.now.advanced(by: pace.catchUp)
        return try await withThrowingTaskGroup(of: Claimed.self) { group in
            for _ in 0..<lanes {
                group.addTask {
                    while true {
                        let claim = try await claim(after: after, through: clock.now, isRush: true)
                        if !claim.isFull || clock.now >= end { return claim }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func claim(
        after: Instant?, through: Instant, limit: Int = FireStore.batch, isRush: Bool = false
    ) async throws -> Claimed {
        var order = try await order(after: after, through: through, limit: limit)
        order.isRush = isRush
        return record(try await database.firing.claim(order), of: limit)
    }

    private func order(
        after: Instant?, through: Instant, limit: Int
    ) async throws -> FireStore.Order {
        let deadline = try await permit.deadline()
        let now = clock.now
        return FireStore.Order(
            after: after, through: through, now: now, missedBefore: now.advanced(by: .zero - pace.patience),
            deadline: deadline, limit: limit)
    }

    private struct Claimed {
        /// There may be more.
        let isFull: Bool
        let next: Instant?
        let nextDigest: Instant?
    }

    private func record(_ claim: FireStore.Claim, of limit: Int) -> Claimed {
        permit.see(claim.databaseTime)
        if claim.count > 0 { stillness.disturb() }
        metrics.record(claim, at: clock.now)
        return Claimed(
            isFull: claim.count == limit || !claim.isInTime, next: claim.next, nextDigest: claim.nextDigest)
    }

    /// So many of a policy at a time: each costs a look at many tasks, and reminders that fall due wait meanwhile.
    private static let digestBatch = 100

    /// A portion of each policy that has digests due. `isComplete` is false when those of one could not be fired, which
    /// keeps back no other; `isFull` when there may be more of one.
    private func fireDigests() async throws -> (isComplete: Bool, isFull: Bool) {
        var (isComplete, isFull) = (true, false)
        for id in try await database.firing.dueDigests(clock.now) {
            do {
                if try await fireDigests(of: id) { isFull = true }
            } catch let error as LeaseLost {
                throw error
            } catch {
                guard !Task.isCancelled else { throw error }
                isComplete = false
                metrics.failures.increment()
                logger.error(
                    "due digests could not be fired; will try again",
                    metadata: ["policy": "\(id)", "error": "\(error)"])
            }
        }
        didFireDigests()
        return (isComplete, isFull)
    }

    /// What is due now goes before what was missed. True when there may be more.
    private func fireDigests(of id: UUID) async throws -> Bool {
        // One that is gone or suspended has its digests cancelled by the planner, and here.
        let policy =
            try await database.policies.policy(id)
            ?? ReminderPolicy(id: id, namespace: "", name: "", schedule: .digest("", zone: nil))
        for after in [clock.now.advanced(by: .zero - pace.patience), nil] {
            let order = try await order(after: after, through: clock.now, limit: Self.digestBatch)
            let claim = record(try await database.firing.claimDigests(of: policy, order), of: Self.digestBatch)
            if claim.isFull { return true }
        }
        return false
    }
}
