internal import Concurrency
public import KubernetesClient
public import Logging
internal import Metrics
internal import StructuredData

/// Writes Events, as well as it can: `record` never waits and never fails; what cannot be sent is counted in
/// `event_recorder_dropped_total`.
public final class EventRecorder: Sendable {
    private static let type = ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")
    private static let backlog = 512
    private static let flushInterval: Duration = .seconds(10)

    private let client: any ObjectClient
    private let time: any TimeSource
    private let logger: Logger
    private let aggregator: Lock<EventAggregator>
    private let requests: AsyncStream<EventAggregator.Request>
    private let queue: AsyncStream<EventAggregator.Request>.Continuation
    private let dropped: Counter

    /// `controller` and `instance` become `reportingController` (`todo-operator.dev/todo-operator`) and
    /// `reportingInstance` (the pod).
    public init(
        client: any ObjectClient, controller: String, instance: String, time: any TimeSource = SystemTime(),
        logger: Logger
    ) {
        self.client = client
        self.time = time
        self.logger = logger
        aggregator = Lock(EventAggregator(controller: controller, instance: instance))
        (requests, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.backlog))
        dropped = Counter(label: "event_recorder_dropped_total", dimensions: [("controller", controller)])
    }

    public func record(_ note: EventNote, about object: KubernetesObject) {
        let (now, wallClock) = (time.now, time.wallClock)
        let request = aggregator.withLock { $0.add(note, about: object, now: now, wallClock: wallClock) }
        if let request { enqueue(request) }
    }

    /// Sends until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await request in self.requests { await self.send(request) } }
            group.addTask {
                while (try? await self.time.sleep(until: self.time.now.advanced(by: Self.flushInterval))) != nil {
                    let now = self.time.now
                    for request in self.aggregator.withLock({ $0.flush(now: now) }) { self.enqueue(request) }
                }
            }
        }
    }

    private func enqueue(_ request: EventAggregator.Request) {
        if case .enqueued = queue.yield(request) { return }
        drop(request)
    }

    /// The next note of its kind is a new Event.
    private func drop(_ request: EventAggregator.Request) {
        dropped.increment()
        aggregator.withLock { $0.forget(request) }
    }

    private func send(_ request: EventAggregator.Request) async {
        do {
            try await time.run(until: time.now.advanced(by: .seconds(10))) { try await self.write(request) }
        } catch {
            guard !Task.isCancelled else { return }
            drop(request)
            logger.debug("event not written: \(error)")
        }
    }

    private func write(_ request: EventAggregator.Request) async throws {
        let key = request.event
        switch request.action {
        case .create(let event):
            _ = try await client.create(event, Self.type, namespace: key.namespace, options: WriteOptions())
        case .update(let count, let lastObserved):
            let patch: JSON = ["series": ["count": JSON(count), "lastObservedTime": JSON(lastObserved.microText)]]
            _ = try await client.patch(
                Self.type, namespace: key.namespace, name: key.name, .merge(patch), subresource: nil,
                options: WriteOptions())
        }
    }
}
