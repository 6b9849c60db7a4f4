internal import Crypto
internal import FoundationEssentials
public import Logging
public import Metrics
public import Postgres

/// The log in its database: appends, keys, checkpoints, queries, exports.
public final class AuditLog: Sendable {
    /// An event of this type drops its user's key.
    public static let erasure = "dev.todo-operator.account.erased"

    let pool: PostgresPool
    let secrets: AuditSecrets
    let keys: KeyRing
    let logger: Logger
    let metrics: AuditMetrics
    private let writers: [ShardWriter]

    public init(pool: PostgresPool, secrets: AuditSecrets, metrics: any MetricsFactory, logger: Logger) {
        self.pool = pool
        self.secrets = secrets
        self.logger = logger
        let metrics = AuditMetrics(factory: metrics)
        self.metrics = metrics
        keys = KeyRing(pool: pool, secrets: secrets)
        writers = (0..<AuditShard.count).map { ShardWriter(shard: $0, pool: pool, appended: metrics.appended) }
    }

    /// Writes events down, each once however often it comes. Returns for each whether it is in the log now; one that is
    /// not should be tried again.
    public func record(_ events: [AuditEvent]) async -> [Bool] {
        let start = ContinuousClock.now
        let sealed: [SealedEvent]
        do {
            sealed = try await seal(events)
        } catch {
            logger.error("events not sealed; they will come again", metadata: ["error": "\(error)"])
            return events.map { _ in false }
        }
        let shards = events.map { AuditShard.of($0.user) }
        let places = Dictionary(grouping: events.indices) { shards[$0] }
        var failed = await append(sealed, places)
        failed.formUnion(await eraseUsers(of: events, except: failed))
        metrics.recording.recordNanoseconds(Int64(start.duration(to: .now) / .nanoseconds(1)))
        return events.indices.map { !failed.contains($0) }
    }

    private func seal(_ events: [AuditEvent]) async throws -> [SealedEvent] {
        let keys = try await keys.sealingKeys(of: Set(events.map(\.user)))
        return try events.map { event in
            let content = try keys[event.user].map { try AuditSecrets.seal(event.content, with: $0, for: event.id) }
            return SealedEvent(event: event, content: content)
        }
    }

    /// Appends to all chains at the same time. Returns the places of the events that did not get in.
    private func append(_ events: [SealedEvent], _ places: [Int: [Int]]) async -> Set<Int> {
        await withTaskGroup(of: [Int].self) { group in
            for (shard, places) in places {
                group.addTask { [self] in
                    do {
                        try await writers[shard].append(places.map { events[$0] })
                        return []
                    } catch {
                        logger.error(
                            "entries not appended; they will come again",
                            metadata: ["shard": "\(shard)", "error": "\(error)"])
                        return places
                    }
                }
            }
            return await group.reduce(into: Set()) { $0.formUnion($1) }
        }
    }

    /// An erasure counts as recorded only when the key is gone, too. Returns the places of those where it is not.
    private func eraseUsers(of events: [AuditEvent], except failed: Set<Int>) async -> Set<Int> {
        var pending: Set<Int> = []
        for (place, event) in events.enumerated() where event.type == Self.erasure && !failed.contains(place) {
            do {
                try await keys.erase(event.user)
                metrics.erased.increment()
            } catch {
                logger.error("key not dropped; the erasure will come again", metadata: ["error": "\(error)"])
                pending.insert(place)
            }
        }
        return pending
    }
}

/// What the log counts.
struct AuditMetrics: Sendable {
    let appended: Counter
    let malformed: Counter
    let dropped: Counter
    let erased: Counter
    let checkpoints: Counter
    /// When the newest checkpoint was made; it ages when none can be.
    let newestCheckpoint: Gauge
    let recording: Timer

    init(factory: any MetricsFactory) {
        appended = Counter(label: "audit_entries_appended_total", factory: factory)
        dropped = Counter(label: "audit_entries_dropped_total", factory: factory)
        malformed = Counter(label: "audit_events_malformed_total", factory: factory)
        erased = Counter(label: "audit_users_erased_total", factory: factory)
        checkpoints = Counter(label: "audit_checkpoints_total", factory: factory)
        newestCheckpoint = Gauge(label: "audit_newest_checkpoint_timestamp_seconds", factory: factory)
        recording = Timer(label: "audit_recording_duration_seconds", factory: factory)
    }
}
