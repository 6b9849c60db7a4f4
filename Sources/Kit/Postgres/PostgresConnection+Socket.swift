internal import CPostgres
internal import Concurrency
internal import Synchronization

/// Between the reactor's events and the calls that wait for them.
extension PostgresConnection {
    /// Suspends until `goal` is reached or, when `isCancellable`, the task is cancelled. Throws when the
    /// connection ends first.
    func suspend(until goal: Waiter.Goal, on link: Link, isCancellable: Bool = false) async throws {
        let hasUnsent = PQflush(link.pointer) == 1
        let interest: Reactor.Interest =
            switch goal {
            case .pollWrite: .writable
            case .drained: [.readable, .writable]
            case .result where hasUnsent: [.readable, .writable]
            case .pollRead, .result, .input: .readable
            }
        // A continuation resumes on the task's executor before it returns to its actor; without a preference for the
        // reactor that would be a detour by way of another thread.
        if withUnsafeCurrentTask(body: { $0?.unownedTaskExecutor == reactor.asUnownedTaskExecutor() }) {
            try await wait(for: goal, interest, on: link, isCancellable: isCancellable)
        } else {
            try await withTaskExecutorPreference(reactor) {
                try await wait(for: goal, interest, on: link, isCancellable: isCancellable)
            }
        }
    }

    private func wait(
        for goal: Waiter.Goal, _ interest: Reactor.Interest, on link: Link, isCancellable: Bool
    ) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            // The connection may have been ended, or the task cancelled, on the way here.
            guard self.link === link else {
                return continuation.resume(throwing: failure ?? PostgresError.closed)
            }
            // Without a socket libpq has hung up; its next call says why.
            if PQsocket(link.pointer) < 0 || isCancellable && Task.isCancelled { return continuation.resume() }
            waiter = Waiter(goal: goal, isCancellable: isCancellable, continuation: continuation)
            watch(link, for: interest)
        }
    }

    /// With no statement under way: notices that the server hangs up, and takes notifications. Those that came together
    /// with the end of a statement are libpq's already: no event of the socket tells of them.
    func listenToSocket(_ link: Link) {
        deliverNotifications(link)
        watch(link, for: .readable)
    }

    /// A descriptor that cannot be watched ends the connection, and with it the call that waits.
    private func watch(_ link: Link, for interest: Reactor.Interest) {
        guard interest != link.interest else { return }
        do {
            try link.watch(for: interest) { [weak self] ready in
                // The reactor calls on its own thread, which is the actor's executor.
                self?.assumeIsolated { $0.socketIsReady(ready) }
            }
        } catch {
            end(.connectionLost("\(error)", statement: "(waiting)"))
        }
    }

    private func socketIsReady(_ ready: Reactor.Interest) {
        guard let link else { return }
        switch waiter?.goal {
        case .pollRead, .pollWrite: wake()
        case .result, .input, .drained: advance(link, ready)
        case nil where isBusy || phase.load(ordering: .relaxed) == .connecting:
            link.unwatch()  // somebody works on what has come; no more until they ask
        case nil: advanceIdle(link)
        }
    }

    private func wake() {
        let waiting = waiter
        waiter = nil
        waiting?.continuation.resume()
    }

    /// Lets a call that waits look at its task again.
    func wakeForCancellation() {
        if waiter?.isCancellable == true { wake() }
    }

    private func advance(_ link: Link, _ ready: Reactor.Interest) {
        if ready.contains(.readable) {
            guard PQconsumeInput(link.pointer) == 1 else {
                link.unwatch()
                return wake()  // the next libpq call reports what happened
            }
            deliverNotifications(link)
        }
        let unsent = PQflush(link.pointer)
        if link.isBroken || unsent < 0 {
            link.unwatch()
            return wake()
        }
        switch waiter?.goal {
        case .result where PQisBusy(link.pointer) == 0: wake()
        case .input where ready.contains(.readable): wake()
        case .drained where unsent == 0: wake()
        default:
            if unsent == 0 { listenToSocket(link) }
        }
    }

    private func advanceIdle(_ link: Link) {
        let isAlive = PQconsumeInput(link.pointer) == 1
        // Parses what has come, so that a farewell of the server ends up in the message.
        _ = PQisBusy(link.pointer)
        deliverNotifications(link)
        if !isAlive || link.isBroken {
            link.unwatch()
            end(.connectionLost(link.message, statement: "(idle)"))
        }
    }

    private func deliverNotifications(_ link: Link) {
        while let notification = PQnotifies(link.pointer) {
            defer { PQfreemem(notification) }
            onNotification?(
                PostgresNotification(
                    channel: String(cString: notification.pointee.relname),
                    payload: String(cString: notification.pointee.extra),
                    backendProcess: notification.pointee.be_pid))
        }
    }
}

/// A message that a `NOTIFY` sent.
public struct PostgresNotification: Sendable, Hashable {
    public let channel: String
    public let payload: String
    /// The server process of the sender.
    public let backendProcess: Int32

    public init(channel: String, payload: String, backendProcess: Int32) {
        self.channel = channel
        self.payload = payload
        self.backendProcess = backendProcess
    }
}
