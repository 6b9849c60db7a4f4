internal import CPostgres
public import Concurrency
internal import Logging
internal import Synchronization

/// One connection to the server. libpq runs on the reactor's thread, which is the actor's executor.
///
/// Statements of several tasks are run one after the other, in the order in which they were called. Cancelling a task
/// cancels its statement on the server.
public actor PostgresConnection {
    public nonisolated let reactor: Reactor
    public nonisolated let configuration: PostgresConfiguration
    nonisolated let logger: Logger
    public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

    /// What the connection is up to, readable from any thread.
    enum Phase: UInt8, AtomicRepresentable { case connecting, idle, inTransaction, closed }
    nonisolated let phase = Atomic<Phase>(.connecting)

    /// A suspended call and what it waits for.
    struct Waiter {
        enum Goal { case result, input, drained, pollRead, pollWrite }
        let goal: Goal
        let isCancellable: Bool
        let continuation: CheckedContinuation<Void, any Error>
    }

    var link: Link?
    var waiter: Waiter?
    var statements: StatementCache
    /// A transaction found that a statement's plan is stale, and could not prepare it afresh.
    var hasStaleStatements = false
    var cancellation: Cancellation?
    var operation = 0
    var isBusy = false
    var turns: [CheckedContinuation<Void, Never>] = []
    /// Why the connection can no longer be used.
    var failure: PostgresError?
    var onNotification: (@Sendable (PostgresNotification) -> Void)?
    nonisolated let onClose = Lock<(@Sendable () -> Void)?>(nil)

    init(configuration: PostgresConfiguration, reactor: Reactor, logger: Logger) {
        self.configuration = configuration
        self.reactor = reactor
        self.logger = logger
        statements = StatementCache(capacity: configuration.preparedStatementLimit)
    }

    /// Whether statements can still be sent.
    public nonisolated var isOpen: Bool { phase.load(ordering: .acquiring) != .closed }

    /// Ends the connection. Statements under way fail with `PostgresError.closed`.
    public func close() { end(.closed) }

    /// The server process that serves this connection; what `pg_stat_activity` calls `pid`.
    public var backendProcess: Int32 { link.map { PQbackendPID($0.pointer) } ?? 0 }

    /// The server's version: 150018 is 15.18.
    public var serverVersion: Int32 { link.map { PQserverVersion($0.pointer) } ?? 0 }

    /// Whether the connection is encrypted.
    public var usesTLS: Bool { link.map { PQsslInUse($0.pointer) == 1 } ?? false }
}

extension PostgresConnection {
    /// Closes libpq's side and fails whoever waits. The first reason stands.
    func end(_ error: PostgresError) {
        guard failure == nil else { return }
        failure = error
        phase.store(.closed, ordering: .releasing)
        link = nil
        cancellation?.request.cancel()
        cancellation?.deadline.cancel()
        cancellation = nil
        let waiting = waiter
        waiter = nil
        waiting?.continuation.resume(throwing: error)
        runCloseHandler()
    }

    /// Calls `onClose`, once.
    nonisolated func runCloseHandler() {
        let handler = onClose.withLock { handler in
            defer { handler = nil }
            return handler
        }
        handler?()
    }

    func liveLink() throws -> Link {
        guard let link else { throw failure ?? .closed }
        return link
    }

    /// Waits until no other task's statement is under way.
    func takeTurn() async {
        guard isBusy else {
            isBusy = true
            return
        }
        // On the way to the continuation the task may be enqueued once more, and the turn be given back meanwhile.
        await withCheckedContinuation { turn in
            if isBusy {
                turns.append(turn)
            } else {
                isBusy = true
                turn.resume()
            }
        }
    }

    func giveTurn() {
        if turns.isEmpty { isBusy = false } else { turns.removeFirst().resume() }
    }
}

/// Owns the `PGconn` and its place in the reactor.
final class Link: @unchecked Sendable {  // used by its connection's actor only, until the last reference drops it
    let pointer: OpaquePointer
    let reactor: Reactor
    var cancelKey: CancelKey?
    private var watch: Reactor.Watch?
    private(set) var interest: Reactor.Interest = []

    init(pointer: OpaquePointer, reactor: Reactor) {
        self.pointer = pointer
        self.reactor = reactor
    }

    deinit {
        unwatch()
        PQfinish(pointer)
    }

    var isBroken: Bool { PQstatus(pointer) == CONNECTION_BAD }
    var message: String { String(cString: PQerrorMessage(pointer)).onOneLine() }

    /// Waits for `interest` from here on; `handler` counts at the first call only.
    func watch(for interest: Reactor.Interest, handler: @escaping Reactor.Handler) throws(ReactorError) {
        if let watch {
            reactor.update(watch, to: interest)
        } else {
            watch = try reactor.watch(PQsocket(pointer), for: interest, handler: handler)
        }
        self.interest = interest
    }

    /// libpq may close its socket at any call that finds the peer gone; the number must leave the reactor at once.
    func unwatch() {
        if let watch { reactor.cancel(watch) }
        watch = nil
        interest = []
    }
}

/// Owns a `PGcancel`: what it takes to ask the server to stop a connection's statement.
final class CancelKey: @unchecked Sendable {  // PQcancel is thread-safe and does not change the key
    private let pointer: OpaquePointer

    init?(of connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    deinit { PQfreeCancel(pointer) }

    /// Asks the server; returns why that failed. Blocks.
    func cancel() -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard PQcancel(pointer, &buffer, Int32(buffer.count)) == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).onOneLine()
    }
}
