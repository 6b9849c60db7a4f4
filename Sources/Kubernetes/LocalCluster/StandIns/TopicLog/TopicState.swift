internal import DequeModule

/// What is known of all topics and groups: where messages lie, and how far groups are.
struct TopicState {
    struct Partition {
        /// The offset of the first message that is kept.
        var start = 0
        var places: Deque<SegmentedLog.Place> = []
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]

        var next: Int { start + places.count }

        func place(_ offset: Int) -> SegmentedLog.Place? {
            places.indices.contains(offset - start) ? places[offset - start] : nil
        }
    }

    struct Topic {
        let id: UInt32
        let name: String
        var partitions: [Partition]
        /// Where the next message without a key goes.
        var turn = 0
    }

    struct GroupPlace: Hashable {
        let group: String
        let topic: Int
        let partition: Int
    }

    struct Commit {
        var offset: Int
        var milliseconds: Int64
    }

    /// A segment after the first.
    struct Segment {
        let base: Int
        /// Milliseconds since 1970.
        let begun: Int64
        /// Where its checkpoint ends: when that is on the disk, it can do without the segments before it.
        let headEnd: Int
    }

    private(set) var topics: [Topic] = []
    var segments: [Segment] = []
    private var numbers: [String: Int] = [:]
    var commits: [GroupPlace: Commit] = [:]

    /// A topic's number is its place in `topics`, for good.
    func number(of name: String) -> Int? { numbers[name] }

    subscript(number: Int) -> Topic {
        get { topics[number] }
        _modify { yield &topics[number] }
    }

    mutating func add(_ name: String, partitions: Int) -> Int {
        let number = topics.count
        topics.append(
            Topic(id: UInt32(number), name: name, partitions: .init(repeating: Partition(), count: partitions)))
        numbers[name] = number
        return number
    }

    // MARK: - Recovery

    /// Takes in what the log holds, in its order. False when it does not fit to what came before.
    mutating func replay(_ record: LogRecord, at place: SegmentedLog.Place) -> Bool {
        switch record {
        case .topic(let id, let name, let partitions):
            if Int(id) < topics.count { return topics[Int(id)].name == name }
            guard Int(id) == topics.count else { return false }
            _ = add(name, partitions: Int(partitions))
        case .segment(let base, let milliseconds):
            segments.append(
                Segment(base: Int(base), begun: milliseconds, headEnd: place.position + place.length))
        case .floor(let topic, let partition, let next):
            guard has(topic, partition) else { return false }
            let isEmpty = topics[Int(topic)].partitions[Int(partition)].places.isEmpty
            if isEmpty { topics[Int(topic)].partitions[Int(partition)].start = Int(next) }
        case .commit(let group, let topic, let partition, let offset, let milliseconds):
            guard has(topic, partition) else { return false }
            let key = GroupPlace(group: group, topic: Int(topic), partition: Int(partition))
            commits[key] = Commit(offset: Int(offset), milliseconds: milliseconds)
        case .message(let head):
            guard has(head.topic, head.partition) else { return false }
            let next = topics[Int(head.topic)].partitions[Int(head.partition)].next
            guard next == Int(head.offset) else { return false }
            topics[Int(head.topic)].partitions[Int(head.partition)].places.append(place)
        }
        return true
    }

    private func has(_ topic: UInt32, _ partition: UInt32) -> Bool {
        topics.indices.contains(Int(topic)) && topics[Int(topic)].partitions.indices.contains(Int(partition))
    }

    // MARK: - Segments

    /// Everything but messages, for the head of a new segment: those before it may be removed then.
    /// Groups that have not been heard of since `deadline` are left out.
    mutating func checkpoint(forgettingGroupsBefore deadline: Int64) -> [LogRecord] {
        commits = commits.filter { $0.value.milliseconds >= deadline }
        var records: [LogRecord] = []
        for topic in topics {
            records.append(.topic(id: topic.id, name: topic.name, partitions: UInt32(topic.partitions.count)))
            for (index, partition) in topic.partitions.enumerated() where partition.next > 0 {
                records.append(.floor(topic: topic.id, partition: UInt32(index), next: UInt64(partition.next)))
            }
        }
        for (place, commit) in commits {
            records.append(
                .commit(
                    group: place.group, topic: UInt32(place.topic), partition: UInt32(place.partition),
                    offset: UInt64(commit.offset), milliseconds: commit.milliseconds))
        }
        return records
    }

    /// Forgets segments and messages that lie before `position`.
    mutating func forget(before position: Int) {
        segments.removeAll { $0.base < position }
        for topic in topics.indices {
            for partition in topics[topic].partitions.indices {
                let places = topics[topic].partitions[partition].places
                let gone = places.firstIndex { $0.position >= position } ?? places.count
                guard gone > 0 else { continue }
                topics[topic].partitions[partition].places.removeFirst(gone)
                topics[topic].partitions[partition].start += gone
            }
        }
    }

    // MARK: - Waiting

    /// Who waits for messages of these partitions; the caller resumes them.
    mutating func takeWaiters(
        of topic: Int, _ partitions: some Sequence<Int>
    ) -> [CheckedContinuation<Void, Never>] {
        var taken: [CheckedContinuation<Void, Never>] = []
        for partition in partitions {
            taken += topics[topic].partitions[partition].waiters.values
            topics[topic].partitions[partition].waiters = [:]
        }
        return taken
    }

    mutating func takeAllWaiters() -> [CheckedContinuation<Void, Never>] {
        var taken: [CheckedContinuation<Void, Never>] = []
        for topic in topics.indices { taken += takeWaiters(of: topic, topics[topic].partitions.indices) }
        return taken
    }

    // MARK: - Partitions

    /// The partition for a message: its own, its key's, or the next one in turn.
    mutating func partition(of message: TopicMessage, topic: Int) -> Int {
        let count = topics[topic].partitions.count
        if let partition = message.partition, (0..<count).contains(partition) { return partition }
        guard let key = message.key else {
            topics[topic].turn = (topics[topic].turn + 1) % count
            return topics[topic].turn
        }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        // Its low bits hardly depend on the last bytes' high ones: mixed once more (murmur3's finalizer).
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        return Int((hash ^ hash >> 33) % UInt64(count))
    }
}
