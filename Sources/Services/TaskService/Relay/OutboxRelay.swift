internal import Concurrency
internal import Logging
internal import Metrics
internal import ServiceHTTP
internal import ServiceLifecycle
internal import TodoStore

/// Publishes what the outbox holds: in batches, in order, as soon as this process commits something and within 50 ms
/// of what another one does; reminders of a rush a moment later (`Outbox.drain`). Of several processes one relays at a
/// time; another takes over when it goes.
struct OutboxRelay: Service {
    private static let batch = 1000

    let outbox: Outbox
    let publisher: any EventPublisher
    let commits: Signal
    let readiness: Readiness
    let logger: Logger
    private let published: Counter
    private let failures: Counter
    private let held: Meter

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
        held = Meter(label: "todo_outbox_held", factory: factory)
    }

    /// Until it is cancelled, or told to stop, which it is after the last request.
    func run() async throws {
        await cancelWhenGracefulShutdown { await relay() }
    }

    private func relay() async {
        await readiness.awaitStart()
        var pace = RelayPace()
        while !Task.isCancelled {
            let seen = commits.count
            do {
                let outcome = try await outbox.drain(limit: Self.batch, publish)
                if case .published(let count, let held) = outcome {
                    published.increment(by: count)
                    if held > 0 { failures.increment() }
                }
                held.set(outcome.held)
                await wait(pace.pause(after: outcome), since: seen)
            } catch is CancellationError {
                return
            } catch {
                failures.increment()
                logger.warning("events could not be published", metadata: ["error": "\(error)"])
                await wait(pace.pauseAfterFailure(), since: seen)
            }
        }
    }

    private func wait(_ pause: RelayPace.Pause, since seen: Int) async {
        switch pause {
        case .none: break
        case .untilCommit(let limit): await commits.wait(since: seen, atMost: limit)
        case .time(let duration): try? await Task.sleep(for: duration)
        }
    }

    /// What became of the entries of one topic.
    private struct Call: Sendable {
        let topic: String
        let entries: [Outbox.Entry]
        /// Why, by id.
        var refused: [Int64: String] = [:]
        /// Why nobody can say what was taken.
        var failure: (any Error)?
    }

    /// Returns the ids of what went out. Throws when nothing did.
    @Sendable private func publish(_ entries: [Outbox.Entry]) async throws -> Set<Int64> {
        let calls = await withTaskGroup(of: Call.self) { group in
            for (topic, entries) in Outbox.Entry.calls(for: entries) {
                group.addTask { await publish(Call(topic: topic, entries: entries)) }
            }
            return await group.reduce(into: [Call]()) { $0.append($1) }
        }
        var done: Set<Int64> = []
        for call in calls where call.failure == nil {
            done.formUnion(call.entries.lazy.map(\.id).filter { call.refused[$0] == nil })
            report(call.entries, call.refused)
        }
        guard let failed = calls.first(where: { $0.failure != nil }), let failure = failed.failure else { return done }
        if done.isEmpty { throw failure }
        // What went out must leave the outbox; the rest is tried again.
        logger.warning(
            "events could not be published", metadata: ["error": "\(failure)", "topic": "\(failed.topic)"])
        return done
    }

    private func publish(_ call: Call) async -> Call {
        var call = call
        do {
            call.refused = try await publisher.publish(call.entries, to: call.topic)
        } catch {
            call.failure = error
        }
        return call
    }

    /// Names the first one that was refused: the others may only wait for it.
    private func report(_ entries: [Outbox.Entry], _ refused: [Int64: String]) {
        guard let first = entries.first(where: { refused[$0.id] != nil }) else { return }
        logger.warning(
            "events were refused, and go out again with all that come after them",
            metadata: [
                "event": "\(first.event)", "topic": "\(first.topic)", "bytes": "\(first.body.count)",
                "error": "\(refused[first.id] ?? "")", "refused": "\(refused.count)",
            ])
    }
}

extension Outbox.Outcome {
    fileprivate var held: Int { if case .published(_, let held) = self { held } else { 0 } }
}
