internal import Concurrency
internal import FoundationEssentials
internal import Logging
internal import TodoModel
internal import TodoStore

/// Sends what is to be sent: claims deliveries that are due, makes an attempt at each, writes down what became of it. Any
/// number of replicas may do so at once; what one held when it died comes back when its lease ends, with the same id.
final class DeliveryEngine: Sendable {
    /// How soon others take over what a process held that died. While it lives it renews what it holds.
    static let lease: Duration = .seconds(15)
    private static let renewal = lease / 3
    /// Other replicas may leave something to do without a word.
    private static let longestIdle: Duration = .seconds(5)
    private static let troublePause: Duration = .seconds(1)

    private struct State {
        var slots = DeliverySlots()
        var mail = Circuit()
        var isStopping = false
    }

    /// What becomes of a channel's circuit.
    private typealias Update = @Sendable (NotificationChannel) -> NotificationChannel

    let store: NotificationStore
    let senders: [NotificationChannel.Kind: any ChannelSender]
    let now: @Sendable () -> Instant
    private let rules = DeliveryRules()
    private let metrics: NotificationMetrics
    private let logger: Logger
    private let state = Lock(State())
    private let wake = Signal()

    init(
        store: NotificationStore, senders: [NotificationChannel.Kind: any ChannelSender],
        metrics: NotificationMetrics, logger: Logger, now: @escaping @Sendable () -> Instant = { .now() }
    ) {
        self.store = store
        self.senders = senders
        self.metrics = metrics
        self.logger = logger
        self.now = now
    }

    /// What it sends by.
    var kinds: Set<NotificationChannel.Kind> { Set(senders.keys) }

    /// There is something new to do.
    func nudge() { wake.signal() }

    /// `run` claims nothing more, and returns when what is under way has ended.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { [self] in await renew() }
            await work()
            group.cancelAll()
        }
    }

    private func work() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled, !state.withLock({ $0.isStopping }) {
                let seen = wake.count
                var pause = Self.troublePause
                do {
                    if try await claim(in: &group) > 0 { continue }
                    pause = try await idleTime()
                } catch {
                    if Task.isCancelled { break }
                    logger.warning("deliveries cannot be claimed; will try again", metadata: ["error": "\(error)"])
                }
                await wake.wait(since: seen, atMost: pause)
            }
        }
    }

    /// Sends all that is due by now, and returns when there is nothing more. For tests, whose clock stands still.
    func deliverDue() async throws -> Int {
        var count = 0
        while true {
            let claimed: Result<Int, any Error> = await withDiscardingTaskGroup { group in
                do { return .success(try await claim(in: &group)) } catch { return .failure(error) }
            }
            guard try claimed.get() > 0 else { return count }
            count += try claimed.get()
        }
    }

    private func begin(_ claimed: ClaimedDelivery, in group: inout DiscardingTaskGroup) {
        state.withLock { $0.slots.begin(claimed) }
        group.addTask { [self] in
            await attempt(claimed)
            if state.withLock({ $0.slots.end(claimed) }) { wake.signal() }
        }
    }

    /// Keeps what is under way, until it is cancelled: also what is claimed while `stop` is called has to be kept.
    private func renew() async {
        while true {
            do { try await Task.sleep(for: Self.renewal) } catch { return }  // how often a lease is renewed
            let held = state.withLock { Array($0.slots.running.values) }
            do { try await store.renew(held, lease: Self.lease, at: now()) } catch {
                if Task.isCancelled { return }
                logger.warning("leases cannot be renewed; others may repeat attempts", metadata: ["error": "\(error)"])
            }
        }
    }

    // MARK: Claiming

    /// Where there is room. While the mail server is not to be had, mails stay where they are.
    private func quotas() -> [(kind: NotificationChannel.Kind, quota: ClaimQuota)] {
        let now = now()
        return state.withLock { state in
            senders.keys.filter { $0 != .email || !state.mail.isOpen(at: now) }
                .compactMap { kind in state.slots.quota(for: kind).map { (kind, $0) } }
        }
    }

    /// Begins what it claims, of each kind at once: the lease runs, and to claim the next may take longer than that.
    private func claim(in group: inout DiscardingTaskGroup) async throws -> Int {
        var count = 0
        for (kind, quota) in quotas() {
            do {
                let claimed = try await store.claim(kind, quota, lease: Self.lease, at: now())
                for delivery in claimed { begin(delivery, in: &group) }
                count += claimed.count
            } catch {
                // The trouble is met again by the next claim.
                if count == 0 { throw error }
            }
        }
        return count
    }

    private func idleTime() async throws -> Duration {
        var pause = Self.longestIdle
        for (kind, quota) in quotas() {
            guard let due = try await store.nextDue(kind, quota) else { continue }
            pause = min(pause, max(due - now(), .milliseconds(1)))
        }
        return pause
    }

    // MARK: One attempt

    private func attempt(_ claimed: ClaimedDelivery) async {
        if let reason = claimed.reasonToSkip { return await settle(claimed, .skipped(error: reason)) }
        guard let channel = claimed.channel, let sender = senders[channel.kind] else { return }
        let start = ContinuousClock.now
        do {
            try await sender.send(claimed)
            metrics.attempted(channel.kind, "delivered", taking: start.duration(to: .now))
            if channel.kind == .email { state.withLock { $0.mail.succeeded() } }
            let mend: Update = { $0.succeeded }
            await settle(claimed, .delivered, channel.failures > 0 ? mend : nil)
        } catch {
            // The lease gives it back: to whom or when is not for a process to say that is about to end.
            guard !error.isCancelled else { return }
            metrics.attempted(channel.kind, error.isPermanent ? "refused" : "failed", taking: start.duration(to: .now))
            await failed(claimed, error)
        }
    }

    private func failed(_ claimed: ClaimedDelivery, _ failure: AttemptFailure) async {
        let now = now()
        if failure.fault == .server {
            let isOpen = state.withLock { state in
                state.mail.failed(at: now)
                return state.mail.isOpen(at: now)
            }
            if isOpen { logger.warning("the mail server fails: pausing", metadata: ["error": "\(failure.message)"]) }
        }
        let verdict = rules.verdict(
            on: failure, attempts: claimed.delivery.attempts, giveUp: claimed.giveUp, now: now,
            jitter: .random(in: 0...1))
        if case .dead = verdict { metrics.died() }
        let count: Update = { $0.failed(failure, at: now) }
        await settle(claimed, verdict, failure.fault == .channel ? count : nil)
    }

    /// Writes it down, trying again for a while: should that fail, the attempt is repeated later, with the same id.
    private func settle(
        _ claimed: ClaimedDelivery, _ verdict: DeliveryVerdict,
        _ circuit: Update? = nil
    ) async {
        let deadline = ContinuousClock.now + Self.lease * 2
        while true {
            do {
                // In a task that nobody cancels: what was sent before this process was to end is not to be sent again.
                let isOurs = try await Task { try await store.settle(claimed, verdict, at: now(), circuit: circuit) }
                    .value
                if !isOurs { logger.notice("an attempt took longer than its lease", metadata: claimed.metadata) }
                return
            } catch {
                guard ContinuousClock.now < deadline, !Task.isCancelled else {
                    return logger.error(
                        "an attempt was not written down; it will be repeated",
                        metadata: claimed.metadata.merging(["error": "\(error)"]) { $1 })
                }
            }
            try? await Task.sleep(for: Self.troublePause)  // the database is away: nobody tells when it is back
        }
    }
}

extension ClaimedDelivery {
    /// Why there is nothing to send any more.
    fileprivate var reasonToSkip: String? {
        guard let channel else { return "the channel was removed" }
        if channel.paused != nil, delivery.purpose == .reminder { return "the channel is paused" }
        if channel.verified == nil, delivery.purpose != .verification { return "the address is not verified" }
        return nil
    }

    fileprivate var metadata: Logger.Metadata { ["delivery": "\(delivery.id.text)", "user": "\(delivery.user.text)"] }
}

extension NotificationChannel {
    fileprivate var succeeded: NotificationChannel {
        var channel = self
        (channel.failures, channel.blockedUntil) = (0, nil)
        return channel
    }

    fileprivate func failed(_ failure: AttemptFailure, at now: Instant) -> NotificationChannel {
        var channel = self
        var circuit = Circuit(failures: failures, blockedUntil: blockedUntil)
        circuit.failed(at: now)
        (channel.failures, channel.blockedUntil) = (circuit.failures, circuit.blockedUntil)
        if let reason = failure.pausesChannel, paused == nil { (channel.paused, channel.pausedBecause) = (now, reason) }
        return channel
    }
}
