internal import CMalloc
internal import Concurrency
internal import KubernetesClient
internal import Logging
internal import ServiceLifecycle

extension Manager {
    private static let housekeepingInterval: Duration = .seconds(5)

    /// Runs until cancelled, stopped by `stop` or a graceful shutdown. Throws `LeaderElector.LeadershipLost`.
    public func run() async throws {
        let parts = parts.withLock { $0 }
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for informer in parts.informers { group.addTask { await informer.run() } }
                group.addTask { await self.events.run() }
                group.addTask { await self.keepHouse(parts.controllers) }
                defer {
                    group.cancelAll()
                    for controller in parts.controllers { controller.follower.stop() }
                }
                try await lead(parts.controllers)
            }
        } onGracefulShutdown: {
            self.stop()
        }
    }

    /// Runs the controllers while leading, until stopped.
    private func lead(_ controllers: [Controller]) async throws {
        let work = Task {
            try await elector?.whenLeading()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for controller in controllers { group.addTask { try await self.run(controller) } }
                try await group.waitForAll()
            }
        }
        defer { work.cancel() }
        guard let elector else {
            try? await stopping.wait()
            return await drain(controllers, work)
        }
        let outcome = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                do { try await elector.run() } catch {
                    if let loss = error as? LeaderElector.LeadershipLost { self.options.onLeadershipLost(loss) }
                    return error
                }
                return nil
            }
            group.addTask {
                guard (try? await self.stopping.wait()) != nil else { return nil }
                // Still renewing: the last passes are to end as leader.
                await self.drain(controllers, work)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        // Passes under way are cancelled and not waited for: the fence keeps them from writing.
        if let outcome { throw outcome }
        await elector.release()
    }

    /// Has the controller work once its caches are filled, unless this is to stop before.
    private func run(_ controller: Controller) async throws {
        let isReady = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await controller.whenReady()
                return true
            }
            group.addTask {
                try await self.stopping.wait()
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        if isReady { await controller.run() }
    }

    /// Lets the passes under way end, within the limit.
    private func drain(_ controllers: [Controller], _ work: Task<Void, any Error>) async {
        for controller in controllers { controller.queue.shutDown() }
        if !isLeading || Task.isCancelled { work.cancel() }
        let deadline = time.now.advanced(by: options.drainLimit)
        let limit = Task {
            try await time.sleep(until: deadline)
            logger.warning("passes under way did not end in time; cancelled")
            work.cancel()
        }
        _ = await work.result
        limit.cancel()
    }

    private func keepHouse(_ controllers: [Controller]) async {
        var wasBusy = false
        while (try? await time.sleep(until: time.now.advanced(by: Self.housekeepingInterval))) != nil {
            for controller in controllers {
                controller.queue.refreshMetrics()
                controller.writer.prune()
            }
            let isBusy = !controllers.allSatisfy(\.isIdle)
            // What a rush of passes took goes back to the system; the allocator would keep it for the next one.
            if wasBusy, !isBusy { malloc_trim(0) }
            wasBusy = isBusy
        }
    }
}

/// Why a manager is not live or not ready.
public struct UnhealthyError: Error, Sendable, CustomStringConvertible {
    public let description: String
}

// MARK: - Health

extension Manager {
    /// For `/livez`: throws when a watch has been mute for 410 s although the server answers. A restart cures that;
    /// a server that is away it would not.
    public func checkLiveness() async throws {
        let parts = parts.withLock { $0 }
        let informers = parts.informers.filter(\.isMute) + parts.controllers.flatMap(\.follower.mute)
        guard let mute = informers.first else { return }
        let client = unfenced
        guard (try? await time.run(until: time.now.advanced(by: .seconds(5)), { try await client.ping() })) != nil
        else { return }
        throw UnhealthyError(
            description: "the watch of \(mute.type.plural) is mute although the API server answers")
    }

    /// For `/readyz`: throws until every type that must be there has been listed.
    public func checkReadiness() throws {
        for informer in parts.withLock({ $0.informers }) where !informer.options.isOptional {
            guard informer.store.resourceVersion.isEmpty else { continue }
            throw UnhealthyError(description: "\(informer.type.plural): \(informer.status)")
        }
    }

    /// What is known of each informer's API, sorted by kind: for conditions and for people.
    public var informerStatus: [(kind: String, status: InformerStatus)] {
        parts.withLock { $0.informers }.map { ($0.type.kind, $0.status) }.sorted { $0.kind < $1.kind }
    }
}
