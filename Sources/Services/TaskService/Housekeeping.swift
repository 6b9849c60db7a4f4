internal import Logging
internal import ServiceHTTP
internal import ServiceLifecycle
internal import TodoStore

/// Throws away what is past its time, every now and then.
struct Housekeeping: Service {
    private static let interval: Duration = .seconds(600)

    let maintenance: Maintenance
    let readiness: Readiness
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await readiness.awaitStart()
            while !Task.isCancelled {
                do {
                    let count = try await maintenance.run()
                    if count > 0 { logger.info("removed what was past its time", metadata: ["rows": "\(count)"]) }
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("what is past its time could not be removed", metadata: ["error": "\(error)"])
                }
                // Spread, so that replicas that started together do not work together.
                try? await Task.sleep(for: Self.interval * Double.random(in: 0.8...1.2))
            }
        }
    }
}
