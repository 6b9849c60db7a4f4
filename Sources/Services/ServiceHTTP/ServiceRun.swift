public import Logging
public import Postgres
public import ServiceLifecycle
internal import ServiceRunning

/// Runs the parts of a service until the graceful shutdown: then `/readyz` says no for `drainDelay` while requests are
/// answered, and only then the parts are told to stop. At the end, however it comes, the pool is closed.
public func serve(
    _ parts: ServiceGroupConfiguration, on pool: PostgresPool, _ readiness: Readiness, drainDelay: Duration,
    logger: Logger
) async throws {
    let outcome: Result<Void, any Error>
    do {
        outcome = .success(
            try await run(ServiceGroup(configuration: parts)) {
                logger.info("stopping")
                readiness.stop()
                try? await Task.sleep(for: drainDelay)  // who routes here has to notice first
            })
    } catch {
        outcome = .failure(error)
    }
    await pool.close()
    try outcome.get()
}
