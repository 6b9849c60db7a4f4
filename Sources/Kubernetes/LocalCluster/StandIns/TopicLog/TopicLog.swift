internal import Concurrency
internal import Glibc
public import Logging

/// Topics of one machine: durable, in partitions, read by groups. What a broker is to a cluster.
///
/// - `publish` returns when the messages are on the disk; they are read only then.
/// - The messages of a partition keep their order; those with one key are in one partition.
/// - One folder holds all topics in one sequence of segments, so that one sync serves all that wait for it. What groups
///   have done is kept in the same sequence, some milliseconds late: after a crash a group may get again what it had.
/// - Whole segments are removed when they are past `retention` or the log is past `retentionBytes`, read or not.
public final class TopicLog: Sendable {
    public struct Configuration: Sendable {
        public var folder: String
        /// Of topics that are made from now on.
        public var partitions = 8
        /// From this size on a segment is ended.
        public var segmentBytes = 16 << 20
        public var retentionBytes = 512 << 20
        /// Counted from when a segment was ended. Groups that did nothing for as long are forgotten.
        public var retention: Duration = .seconds(7 * 86_400)
        /// Milliseconds since 1970.
        public var now: @Sendable () -> Int64 = TopicLog.wallClock

        public init(folder: String) { self.folder = folder }
    }

    private let configuration: Configuration
    let log: SegmentedLog
    let state: Lock<TopicState>
    private let waiterCount = Lock<UInt64>(0)

    /// Reads the folder, which no other process may have open.
    public init(_ configuration: Configuration, logger: Logger = Logger(label: "topics")) throws(TopicLogError) {
        self.configuration = configuration
        let state = Lock(TopicState())
        self.state = state
        // What its publisher was told is not kept can be read now all the same.
        let onRecovery: @Sendable () -> Void = {
            for waiter in state.withLock({ $0.takeAllWaiters() }) { waiter.resume() }
        }
        log = try SegmentedLog(configuration.folder, logger: logger, onRecovery: onRecovery) { payload, place in
            LogRecord(payload).map { record in state.withLock { $0.replay(record, at: place) } } ?? false
        }
        enforceRetention()
    }

    public static let wallClock: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Returns when all is on the disk; publishing and committing fail from then on.
    public func close() async throws(TopicLogError) { try await log.close() }

    // MARK: - Topics

    /// How many partitions the topic has; it is made when it is not there.
    public func partitionCount(of topic: String) -> Int {
        state.withLock { state in state[takeNumber(of: topic, &state)].partitions.count }
    }

    /// Every topic that was published to or read.
    public var topics: [String] { state.withLock { $0.topics.map(\.name) } }

    /// The offsets of the messages that are kept, those included that are not on the disk yet.
    public func offsets(of topic: String, partition: Int) -> Range<Int> {
        state.withLock { state in
            let number = takeNumber(of: topic, &state)
            let partition = state[number].partitions[partition]
            return partition.start..<partition.next
        }
    }

    private func takeNumber(of topic: String, _ state: inout TopicState) -> Int {
        if let number = state.number(of: topic) { return number }
        let number = state.add(topic, partitions: configuration.partitions)
        let record = LogRecord.topic(id: UInt32(number), name: topic, partitions: UInt32(configuration.partitions))
        _ = log.append(isUrgent: false) { record.write(into: &$0) }
        return number
    }

    // MARK: - Publishing

    /// Appends the messages in their order, and returns when they are on the disk.
    /// - Throws: when the log cannot be written; some of the messages may be there then.
    public func publish(_ messages: [TopicMessage], to topic: String) async throws(TopicLogError) {
        guard !messages.isEmpty else { return }
        if let failure = log.failure { throw failure }
        let (end, number, touched) = state.withLock { state -> (Int, Int, Set<Int>) in
            let number = takeNumber(of: topic, &state)
            let now = configuration.now()
            var end = 0
            var touched: Set<Int> = []
            for message in messages {
                beginSegmentIfFull(&state)
                let partition = state.partition(of: message, topic: number)
                let head = LogRecord.MessageHead(
                    topic: UInt32(number), partition: UInt32(partition),
                    offset: UInt64(state[number].partitions[partition].next), milliseconds: now)
                let place = log.append { LogRecord.write(message, head, into: &$0) }
                state[number].partitions[partition].places.append(place)
                touched.insert(partition)
                end = place.position + place.length
            }
            return (end, number, touched)
        }
        try await log.waitUntilDurable(end)
        wake(number, touched)
    }

    private func beginSegmentIfFull(_ state: inout TopicState) {
        guard log.segmentSize >= configuration.segmentBytes else { return }
        let now = configuration.now()
        log.beginSegment()
        let base = log.end
        let deadline = now - configuration.retention.milliseconds
        let head = state.checkpoint(forgettingGroupsBefore: deadline)
        for record in head + [.segment(base: UInt64(base), milliseconds: now)] {
            _ = log.append { record.write(into: &$0) }
        }
        state.segments.append(TopicState.Segment(base: base, begun: now, headEnd: log.end))
        removeOldSegments(&state, now)
    }

    private func wake(_ number: Int, _ partitions: Set<Int>) {
        for waiter in state.withLock({ $0.takeWaiters(of: number, partitions) }) { waiter.resume() }
    }

    // MARK: - Retention

    /// Removes what is past retention. It is also done whenever a segment ends.
    public func enforceRetention() {
        state.withLock { state in removeOldSegments(&state, configuration.now()) }
    }

    private func removeOldSegments(_ state: inout TopicState, _ now: Int64) {
        let (durable, end) = (log.durable, log.end)
        let deadline = now - configuration.retention.milliseconds
        // What comes before a segment goes when that one is old enough, or what begins with it large enough.
        let first = state.segments.last { segment in
            segment.headEnd <= durable
                && (segment.begun < deadline || end - segment.base >= configuration.retentionBytes)
        }
        guard let first else { return }
        state.forget(before: first.base)
        // What could not be removed is tried again when the next segment ends; nobody reads it any more.
        try? log.removeSegments(before: first.base)
    }

    // MARK: - Reading

    /// Messages of a partition from `offset` on, oldest first: at most `limit` and, beyond the first, `maxBytes`.
    /// Empty when there is none yet. What retention removed is passed over.
    public func read(
        _ topic: String, partition: Int, from offset: Int, limit: Int, maxBytes: Int = 1 << 20
    ) throws(TopicLogError) -> [StoredMessage] {
        let durable = log.durable
        let places = state.withLock { state -> [SegmentedLog.Place] in
            let number = takeNumber(of: topic, &state)
            let partition = state[number].partitions[partition]
            var places: [SegmentedLog.Place] = []
            var bytes = 0
            var offset = max(offset, partition.start)
            while places.count < limit, let place = partition.place(offset) {
                bytes += place.length
                guard place.position + place.length <= durable, places.isEmpty || bytes <= maxBytes else { break }
                places.append(place)
                offset += 1
            }
            return places
        }
        var messages: [StoredMessage] = []
        messages.reserveCapacity(places.count)
        try log.read(places) { payload in
            if let message = LogRecord.message(payload) { messages.append(message) }
        }
        return messages
    }

    /// Returns when `read` from `offset` would give something, or the task is cancelled.
    public func waitForMessages(_ topic: String, partition: Int, from offset: Int) async {
        let id = waiterCount.withLock { count in
            count += 1
            return count
        }
        let number = state.withLock { takeNumber(of: topic, &$0) }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    // Asked in here: what gets durable later wakes who waits by then.
                    let durable = log.durable
                    let place = state[number].partitions[partition].place(
                        max(offset, state[number].partitions[partition].start))
                    if Task.isCancelled || place.map({ $0.position + $0.length <= durable }) ?? false { return true }
                    state[number].partitions[partition].waiters[id] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state[number].partitions[partition].waiters.removeValue(forKey: id)
            }
            waiter?.resume()
        }
    }

    // MARK: - Groups

    /// The offset of the next message for the group; nil when it never committed one.
    public func committed(_ group: String, _ topic: String, partition: Int) -> Int? {
        state.withLock { state in
            let number = takeNumber(of: topic, &state)
            return state.commits[.init(group: group, topic: number, partition: partition)]?.offset
        }
    }

    /// Notes that the group is done with all before `offset`. On the disk some milliseconds later.
    public func commit(_ group: String, _ topic: String, partition: Int, offset: Int) {
        state.withLock { state in
            let number = takeNumber(of: topic, &state)
            let now = configuration.now()
            let place = TopicState.GroupPlace(group: group, topic: number, partition: partition)
            state.commits[place] = .init(offset: offset, milliseconds: now)
            let record = LogRecord.commit(
                group: group, topic: UInt32(number), partition: UInt32(partition), offset: UInt64(offset),
                milliseconds: now)
            _ = log.append(isUrgent: false) { record.write(into: &$0) }
        }
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
