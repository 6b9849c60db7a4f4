internal import KubernetesClient
public import Logging
internal import Concurrency
internal import Metrics

/// Takes part in an election by Lease and keeps `fence` open while leading; see `LeaderElection`.
public final class LeaderElector: Sendable {
    public struct Options: Sendable {
        public var namespace: String
        public var name: String
        /// Unlike that of any other process, earlier ones of the same pod included.
        public var identity: String
        public var election = LeaderElection.Configuration()

        public init(namespace: String, name: String, identity: String) {
            self.namespace = namespace
            self.name = name
            self.identity = identity
        }
    }

    /// This process has led and does so no longer. It must end without writing anything more.
    public struct LeadershipLost: Error, Sendable, CustomStringConvertible {
        public let reason: String
        public var description: String { "leadership lost: \(reason)" }
    }

    private static let lease = ResourceType(
        group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases")

    public let options: Options
    public let fence: LeaseFence
    private let client: any ObjectClient
    private let time: any TimeSource
    private let logger: Logger
    private let status: Gauge
    private let election: Lock<LeaderElection>
    private let leading = Latch()

    /// `client` must not be behind `fence`: the lease itself is written through it.
    public init(
        client: any ObjectClient, options: Options, time: any TimeSource = SystemTime(), logger: Logger
    ) {
        self.client = client
        self.options = options
        self.time = time
        self.logger = logger
        fence = LeaseFence(time: time)
        status = Gauge(label: "leader_election_master_status", dimensions: [("name", options.name)])
        election = Lock(LeaderElection(identity: options.identity, configuration: options.election))
        status.record(0)
    }

    public var isLeading: Bool { fence.isOpen }

    /// Returns once this process leads.
    public func whenLeading() async throws { try await leading.wait() }

    /// Stands for election, then renews. Returns when cancelled, with the lease still held: call `release` then.
    /// Throws `LeadershipLost` at the moment the lease stops being valid, even while a request hangs.
    public func run() async throws {
        // Not a task group: the loss must be told at once, also when a request does not heed its cancellation.
        let (losses, loss) = AsyncThrowingStream<Void, any Error>.makeStream()
        let loop = Task { await self.loop(loss) }
        let watchdog = Task { await self.watch(loss) }
        defer {
            loop.cancel()
            watchdog.cancel()
        }
        for try await _ in losses {}
    }

    /// Gives the lease back so that another candidate need not wait for it to run out. Nothing can be written after.
    public func release() async {
        fence.revoke()
        var command = handle(.release, nil)
        while let current = command { command = await execute(current, nil) }
        status.record(0)
    }
}

extension LeaderElector {
    private typealias Loss = AsyncThrowingStream<Void, any Error>.Continuation

    private func loop(_ loss: Loss) async {
        var command = handle(.start, loss)
        while let current = command, !Task.isCancelled { command = await execute(current, loss) }
    }

    /// Reports the loss when the validity ends without a renewal.
    private func watch(_ loss: Loss) async {
        guard (try? await leading.wait()) != nil else { return }
        while let until = election.withLock({ $0.validUntil }) {
            guard (try? await time.sleep(until: until)) != nil else { return }
            if !fence.isOpen { return lose("the lease was not renewed in time", loss) }
        }
    }

    private func lose(_ reason: String, _ loss: Loss?) {
        fence.revoke()
        status.record(0)
        logger.error("leadership lost; this process ends", metadata: ["reason": "\(reason)"])
        loss?.finish(throwing: LeadershipLost(reason: reason))
    }

    private func handle(_ input: LeaderElection.Input, _ loss: Loss?) -> LeaderElection.Command? {
        let (now, wallClock) = (time.now, time.wallClock)
        let output = election.withLock {
            $0.handle(input, now: now, wallClock: wallClock, random: .random(in: 0..<1))
        }
        for effect in output.effects {
            switch effect {
            case .acquired(let until):
                fence.extend(until: until)
                status.record(1)
                logger.info("leading", metadata: ["lease": "\(options.namespace)/\(options.name)"])
                leading.open()
            case .renewed(let until): fence.extend(until: until)
            case .lost(let reason): lose(reason, loss)
            case .leaderSeen(let holder): logger.info("another process leads", metadata: ["holder": "\(holder)"])
            }
        }
        return output.command == .stop ? nil : output.command
    }

    private func execute(_ command: LeaderElection.Command, _ loss: Loss?) async -> LeaderElection.Command? {
        switch command {
        case .stop: return nil
        case .sleep(let until):
            guard (try? await time.sleep(until: until)) != nil else { return nil }
            return handle(.woke, loss)
        case .read(let deadline):
            return await attempt(loss) { [self] in
                .read(
                    try await time.run(until: deadline) { [self] in
                        try await client.find(Self.lease, ObjectKey(namespace: options.namespace, name: options.name))
                    }.map(LeaseRecord.init))
            }
        case .write(let record, let deadline):
            return await attempt(loss) { [self] in
                .written(LeaseRecord(try await time.run(until: deadline) { [self] in try await write(record) }))
            }
        }
    }

    private func write(_ record: LeaseRecord) async throws -> KubernetesObject {
        let lease = record.lease(namespace: options.namespace, name: options.name)
        return record.resourceVersion.isEmpty
            ? try await client.create(lease, Self.lease, namespace: options.namespace, options: WriteOptions())
            : try await client.replace(lease, Self.lease, subresource: nil, options: WriteOptions())
    }

    private func attempt(
        _ loss: Loss?, _ request: () async throws -> LeaderElection.Input
    ) async -> LeaderElection.Command? {
        do { return handle(try await request(), loss) } catch {
            if Task.isCancelled { return nil }
            let conflict = (error as? APIError).map { $0.isConflict || $0.isAlreadyExists || $0.isNotFound } ?? false
            logger.log(level: conflict ? .debug : .warning, "lease: \(error)")
            return handle(.failed(conflict: conflict, reason: "\(error)"), loss)
        }
    }
}
