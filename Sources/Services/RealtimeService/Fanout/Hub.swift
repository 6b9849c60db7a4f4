internal import Concurrency
internal import FoundationEssentials
internal import Metrics
internal import NIOCore
internal import TodoModel

/// All connections of the process, and the way from an event to those of its members.
///
/// An event is encoded once, by whoever brings it. Every event loop has its own list of connections, so that none waits for
/// another and no connection is locked.
final class Hub: Sendable {
    struct Limits: Sendable {
        var connections: Int
        var perUser: Int
    }

    private struct Census {
        var connections = 0
        var byUser: [UUID: Int] = [:]
        var isDraining = false
        var log = StreamLog()
        var reminders = RecentIDs()
    }

    enum Refusal: Error { case full, draining }

    let metrics: RealtimeMetrics
    let limits: Limits
    private let census = Lock(Census())
    private let loops: [ObjectIdentifier: NIOLoopBoundBox<LoopConnections>]
    private let tickers: [RepeatedTask]

    init(group: any EventLoopGroup, limits: Limits, metrics: RealtimeMetrics) {
        self.limits = limits
        self.metrics = metrics
        var loops: [ObjectIdentifier: NIOLoopBoundBox<LoopConnections>] = [:]
        for loop in group.makeIterator() {
            loops[ObjectIdentifier(loop)] = .makeBoxSendingValue(LoopConnections(), eventLoop: loop)
        }
        self.loops = loops
        tickers = loops.values.map { box in
            box.eventLoop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
                box.value.tick(at: .now())
            }
        }
    }

    private static let tick = TimeAmount.milliseconds(250)

    /// The connections of the event loop that this is called on.
    func connections(on loop: any EventLoop) -> LoopConnections? { loops[ObjectIdentifier(loop)]?.value }

    var count: Int { census.withLock { $0.connections } }
    var isDraining: Bool { census.withLock { $0.isDraining } }
}

// MARK: Who may come in

extension Hub {
    /// Why nobody more may come in just now.
    var refusal: Refusal? {
        census.withLock { $0.isDraining ? .draining : $0.connections >= limits.connections ? .full : nil }
    }

    /// One more connection; `leave` when it is gone.
    func enter() {
        let count = census.withLock { census in
            census.connections += 1
            return census.connections
        }
        metrics.connections.set(count)
    }

    /// Whether `user` may have one more connection. If so, `leave` needs its name.
    func admit(_ user: UUID) -> Bool {
        census.withLock { census in
            guard census.byUser[user, default: 0] < limits.perUser else { return false }
            census.byUser[user, default: 0] += 1
            return true
        }
    }

    func leave(_ user: UUID?) {
        let count = census.withLock { census in
            census.connections -= 1
            if let user {
                let left = census.byUser[user, default: 1] - 1
                census.byUser[user] = left > 0 ? left : nil
            }
            return census.connections
        }
        metrics.connections.set(count)
    }
}

// MARK: Events

extension Hub {
    /// Sends events to whom they are for. Returns when that is arranged, in the order of the calls.
    func publish(_ events: [TodoEvent]) {
        let arrived = NIODeadline.now()
        // Who comes in after this has the events from the API.
        let isWanted = census.withLock { census in
            events.map { event in event.members.contains { census.byUser[$0] != nil } }
        }
        let frames = zip(events, isWanted).map { event, isWanted in isWanted ? ServerFrame.event(event) : nil }
        // The loops are told under the lock, so that each gets the events in the order in which the log saw them.
        census.withLock { census in
            var batch: [Addressed] = []
            for (event, frame) in zip(events, frames) {
                guard let from = census.log.note(event.user, event.seq) else {
                    metrics.eventsRepeated.increment()
                    continue
                }
                metrics.eventsDelivered.increment()
                if let frame { batch.append(Addressed(event, frame: frame, unbrokenFrom: from)) }
            }
            guard !batch.isEmpty else { return }
            for box in loops.values {
                box.eventLoop.execute { [batch, metrics] in
                    let written = box.value.deliver(batch, at: .now())
                    metrics.record(batch, since: arrived, written: written)
                }
            }
        }
    }

    /// Sends reminders to the person's own connections. They are in no stream: who is not connected reads them from the API.
    func publish(_ reminders: [ReminderNote]) {
        let isWanted = census.withLock { census in
            reminders.map { census.byUser[$0.user] != nil && census.reminders.insert($0.id) }
        }
        let batch = zip(reminders, isWanted).filter(\.1).map { (user: $0.0.user, frame: ServerFrame.event($0.0.json)) }
        guard !batch.isEmpty else { return }
        for box in loops.values {
            box.eventLoop.execute { [metrics] in
                metrics.framesSent.increment(by: box.value.tell(batch))
            }
        }
    }

    /// Has people's connections ask the API at once whether their tokens are still good.
    func doubt(_ people: Set<UUID>) {
        let present = census.withLock { census in people.filter { census.byUser[$0] != nil } }
        guard !present.isEmpty else { return }
        for box in loops.values {
            box.eventLoop.execute { box.value.doubt(present) }
        }
    }

    /// Tells everybody to reconnect, each at another moment within `window`, and sends them away then. From now on nobody
    /// may come in. Returns when all are gone, at the latest `closeTime` after the window.
    func drain(within window: Duration, closeTime: TimeAmount) async {
        census.withLock { $0.isDraining = true }
        for box in loops.values {
            box.eventLoop.execute { box.value.drain(within: TimeAmount(window)) }
        }
        let deadline = NIODeadline.now() + TimeAmount(window) + closeTime
        // Clients go at moments of their own; nothing is gained by knowing to the millisecond when the last has gone.
        while count > 0, NIODeadline.now() < deadline { try? await Task.sleep(for: .milliseconds(50)) }
    }

    /// Ends the work on the event loops.
    func close() { for ticker in tickers { ticker.cancel() } }
}

/// An event and whom it is for.
struct Addressed: Sendable {
    let event: LiveEvent
    let members: [UUID]
    let happened: Instant

    init(_ event: TodoEvent, frame: ByteBuffer, unbrokenFrom: Int) {
        self.event = LiveEvent(event, frame: frame, unbrokenFrom: unbrokenFrom)
        members = Array(Set(event.members))
        happened = event.time
    }
}

extension RealtimeMetrics {
    fileprivate func record(_ batch: [Addressed], since arrived: NIODeadline, written: Int) {
        guard written > 0 else { return }
        framesSent.increment(by: written)
        fanOut.recordNanoseconds((NIODeadline.now() - arrived).nanoseconds)
        let now = Instant.now()
        for event in batch {
            let microseconds = now.microsecondsSince1970 - event.happened.microsecondsSince1970
            age.recordMicroseconds(max(0, microseconds))
        }
    }
}
