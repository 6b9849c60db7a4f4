public import Concurrency
internal import Logging

/// Notifications of some channels, for as long as they are iterated, across lost connections.
///
/// It holds a connection of its own, which must be direct: a pooler in transaction mode drops `LISTEN`. Events that
/// have not been taken are kept in memory. PostgreSQL does not keep what is sent while nobody listens; so after each
/// `.listening` look once for what may have been missed.
public struct PostgresListener: AsyncSequence, Sendable {
    public enum Event: Sendable {
        /// Notifications sent from now on arrive; those before may not have. Statements may run on the connection, too.
        case listening(on: PostgresConnection)
        case notification(PostgresNotification)
        /// Nothing arrives until it is `.listening` again.
        case lost
    }

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let reactor: Reactor
    private let clock: any Clock<Duration>

    public init(
        _ configuration: PostgresConfiguration, channels: [String], reactor: Reactor = .shared,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.configuration = configuration
        self.channels = channels
        self.reactor = reactor
        self.clock = clock
    }

    public struct Iterator: AsyncIteratorProtocol {
        var events: AsyncThrowingStream<Event, any Error>.Iterator

        /// Waits for the next event. Throws what makes listening hopeless (a wrong password, an unknown database); a
        /// connection that is lost or refused is made again with back-off. Nil when the task is cancelled.
        public mutating func next() async throws -> Event? { try await events.next() }
    }

    public func makeAsyncIterator() -> Iterator {
        let (stream, continuation) = AsyncThrowingStream<Event, any Error>.makeStream()
        let task = Task {
            do {
                try await listen { continuation.yield($0) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error is CancellationError ? nil : error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return Iterator(events: stream.makeAsyncIterator())
    }

    private func listen(_ yield: @escaping @Sendable (Event) -> Void) async throws {
        var failures = 0
        while true {
            do {
                let connection = try await PostgresConnection.connect(configuration, reactor: reactor)
                try await connection.listen(channels) { yield(.notification($0)) }
                failures = 0
                yield(.listening(on: connection))
                await connection.waitUntilClosed()
                yield(.lost)
            } catch let error as PostgresError where error.isConnectionFailure && !error.isPermanent {
                failures += 1
            }
            try await clock.sleep(for: Backoff().delay(attempt: Swift.max(1, failures)))
        }
    }
}

extension PostgresConnection {
    fileprivate func listen(
        _ channels: [String], handler: @escaping @Sendable (PostgresNotification) -> Void
    ) async throws {
        onNotification = handler
        let sql = channels.map { "LISTEN \(PostgresQuery.quoted(identifier: $0));" }.joined()
        try await execute(script: sql, name: "LISTEN")
    }

    /// Returns when the connection has ended; cancelling the task ends it.
    fileprivate nonisolated func waitUntilClosed() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                onClose.withLock { $0 = { continuation.resume() } }
                if !isOpen { runCloseHandler() }
            }
        } onCancel: {
            Task { await close() }
        }
    }
}
