internal import Concurrency
internal import Logging
internal import Synchronization

/// How connections come and go.
extension PostgresPool {
    func open(_ ids: [Int]) {
        for id in ids { Task { await open(id) } }
    }

    private func open(_ id: Int) async {
        var attempt = 0
        while true {
            await limits.budget?.take()
            do {
                let connection = try await PostgresConnection.connect(configuration, reactor: reactor, logger: logger)
                return adopt(connection, id)
            } catch {
                limits.budget?.give()
                attempt += 1
                guard await mayRetry(id, error, attempt: attempt) else { return }
            }
        }
    }

    private func adopt(_ connection: PostgresConnection, _ id: Int) {
        connection.onClose.withLock {
            $0 = { [weak self, limits] in
                limits.budget?.give()
                self?.lost(id)
            }
        }
        let expiry = now() + limits.lifetime * Double.random(in: 0.9...1)
        let open = withShared { shared -> [Int] in
            let (offered, open) = shared.state.opened(id, expiry: expiry, now: now())
            shared.connections[id] = connection
            settle(offered, Lease(id: id, connection: connection), &shared)
            return open
        }
        self.open(open)
        if !connection.isOpen { connection.runCloseHandler() }
        // Who waited for it may have given up.
        if limits.budget?.isWanted == true { surrenderIdle() }
    }

    private func mayRetry(_ id: Int, _ error: any Error, attempt: Int) async -> Bool {
        let isPermanent = (error as? PostgresError)?.isPermanent ?? false
        let failed = withShared { shared -> [Waiter]? in
            shared.lastFailure = "\(error)"
            guard case .fail(let ids) = shared.state.openFailed(id, isPermanent: isPermanent) else { return nil }
            resumeDrained(&shared)
            return ids.compactMap { shared.waiters.removeValue(forKey: $0) }
        }
        logger.warning("cannot connect to PostgreSQL", metadata: ["error": "\(error)", "attempt": "\(attempt)"])
        if let failed {
            for waiter in failed { waiter.fail(error) }
            return false
        }
        try? await clock.sleep(for: Backoff().delay(attempt: attempt))  // nobody cancels this task
        return withShared { shared in
            defer { resumeDrained(&shared) }
            return shared.state.shouldRetry(id)
        }
    }

    private func lost(_ id: Int) {
        let open = withShared { shared -> [Int] in
            shared.connections[id] = nil
            defer { resumeDrained(&shared) }
            return shared.state.lost(id)
        }
        self.open(open)
    }

    /// Closes what nobody needs, as long as anything is idle.
    func reapLater(_ shared: inout Shared) {
        guard !shared.isReaping else { return }
        shared.isReaping = true
        Task { [weak self, limits, clock] in
            while true {
                try? await clock.sleep(for: limits.idleTimeout)
                guard let self, await self.reap() else { return }
            }
        }
    }

    private func reap() async -> Bool {
        let (expired, goesOn) = shared.withLock { shared in
            let expired = shared.state.expire(now: now()).compactMap { shared.connections.removeValue(forKey: $0) }
            shared.isReaping = shared.state.hasIdle
            return (expired, shared.isReaping)
        }
        for connection in expired { await connection.close() }
        return goesOn
    }
}
