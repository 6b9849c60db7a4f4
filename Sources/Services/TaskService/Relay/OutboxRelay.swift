internal import Concurrency
internal import Logging
internal import Metrics
internal import ServiceHTTP
internal import ServiceLifecycle
internal import TodoStore

/// Publishes what the outbox holds: in batches, in order, as soon as this process commits something and within 50 ms
/// of what another one does. Of several processes one relays at a time; another takes over when it goes.
struct OutboxRelay: Service {
    private static let batch = 500
    private static let pollInterval: Duration = .milliseconds(50)
    /// How soon to look again while another process relays.
    private static let standbyInterval: Duration = .milliseconds(250)
    private static let longestPause: Duration = .seconds(5)

    let outbox: Outbox
    let publisher: any EventPublisher
    let commits: Signal
    let readiness: Readiness
    let logger: Logger
    private let published: Counter
    private let failures: Counter

    init(
        outbox: Outbox, publisher: any EventPublisher, commits: Signal, readiness: Readiness,
        factory: any MetricsFactory, logger: Logger
    ) {
        self.outbox = outbox
        self.publisher = publisher
        self.commits = commits
        self.readiness = readiness
        self.logger = logger
        published = Counter(label: "todo_outbox_published_total", factory: factory)
        failures = Counter(label: "todo_outbox_failures_total", factory: factory)
    }

    /// Until it is cancelled, or told to stop, which it is after the last request.
    func run() async throws {
        await cancelWhenGracefulShutdown { await relay() }
    }

    private func relay() async {
        await readiness.awaitStart()
        var pause = Self.pollInterval
        while !Task.isCancelled {
            let seen = commits.count
            do {
                let outcome = try await outbox.drain(limit: Self.batch, publish)
                pause = Self.pollInterval
                switch outcome {
                case .published(let count):
                    published.increment(by: count)
                    if count > 0 { continue }
                    failures.increment()
                    await commits.wait(atMost: Self.pollInterval)
                case .empty: await commits.wait(since: seen, atMost: Self.pollInterval)
                case .busy: await commits.wait(atMost: Self.standbyInterval)
                }
            } catch is CancellationError {
                return
            } catch {
                failures.increment()
                logger.warning("events could not be published", metadata: ["error": "\(error)"])
                pause = min(pause * 2, Self.longestPause)
                // Not woken by commits: what is down does not come back by more of them.
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Throws when nothing went out.
    @Sendable private func publish(_ entries: [Outbox.Entry]) async throws -> Set<Int64> {
        try await withThrowingTaskGroup(of: (topic: String, done: Result<Set<Int64>, any Error>).self) { group in
            for (topic, entries) in Outbox.Entry.calls(for: entries) {
                group.addTask {
                    do {
                        let failed = try await publisher.publish(entries, to: topic)
                        return (topic, .success(Set(entries.lazy.map(\.id).filter { !failed.contains($0) })))
                    } catch {
                        return (topic, .failure(error))
                    }
                }
            }
            var done: Set<Int64> = []
            var failure: (topic: String, error: any Error)?
            for try await call in group {
                switch call.done {
                case .success(let ids): done.formUnion(ids)
                case .failure(let error): failure = (call.topic, error)
                }
            }
            if let failure {
                if done.isEmpty { throw failure.error }
                // What went out must leave the outbox; the rest is tried again.
                logger.warning(
                    "events could not be published",
                    metadata: ["error": "\(failure.error)", "topic": "\(failure.topic)"])
            }
            return done
        }
    }
}
