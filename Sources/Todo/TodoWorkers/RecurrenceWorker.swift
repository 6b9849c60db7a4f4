internal import Logging
internal import Metrics
internal import TodoModel
internal import TodoStore

/// Makes the next instances of recurring tasks that were closed by something that does not make them itself, as by an
/// import. What people close has its next instance with it; so there is seldom anything to do.
struct RecurrenceWorker: Sendable {
    /// How often to look: a person who sees the task missing should not have time to wonder.
    private static let interval: Duration = .seconds(5)
    private static let batch = 100

    let database: TodoDatabase
    let clock: any WorkerClock
    let permit: WorkPermit
    let stillness: Stillness
    let metrics: WorkerMetrics
    let logger: Logger

    /// Until the task is cancelled. Throws `LeaseLost`. An instance has an id that its series and occurrence give, so what
    /// a process makes that was stopped meanwhile is there already.
    func run() async throws {
        while !Task.isCancelled {
            do {
                let repairs = try await database.series.repair(batch: Self.batch) { _ = try await permit.deadline() }
                if repairs.count > 0 || !repairs.failures.isEmpty { stillness.disturb() }
                metrics.repaired.increment(by: repairs.count)
                if let first = repairs.failures.first {
                    metrics.failures.increment(by: repairs.failures.count)
                    logger.warning(
                        "next instances could not be made; will try again",
                        metadata: [
                            "count": "\(repairs.failures.count)", "task": "\(first.task)", "error": "\(first.error)",
                        ])
                }
            } catch let error as LeaseLost {
                throw error
            } catch {
                guard !Task.isCancelled else { return }
                stillness.disturb()
                metrics.failures.increment()
                logger.warning("next instances could not be made; will try again", metadata: ["error": "\(error)"])
            }
            // Nobody tells what others have written.
            try? await clock.sleep(until: clock.now.advanced(by: Self.interval))
        }
    }
}
