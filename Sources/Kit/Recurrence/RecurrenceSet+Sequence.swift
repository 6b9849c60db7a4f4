/// Instances in order of time.
public struct Occurrences: Sequence, Sendable {
    private let set: RecurrenceSet
    private let start: Int?

    init(_ set: RecurrenceSet, after start: Int?) { (self.set, self.start) = (set, start) }

    public func makeIterator() -> Iterator { Iterator(set, after: start) }

    public struct Iterator: IteratorProtocol, Sendable {
        private let set: RecurrenceSet
        private let isPlain: Bool
        private var cursor: TimelineCursor
        /// The next of the rule, when it was made and not yet given out.
        private var waiting: Occurrence?
        private var nextAdded: Int

        init(_ set: RecurrenceSet, after start: Int?) {
            self.set = set
            isPlain = set.excluded.isEmpty && set.added.isEmpty
            cursor = start.map { TimelineCursor(set.timeline, after: $0) } ?? TimelineCursor(set.timeline)
            nextAdded = start.map { set.added.partition(before: $0 == .max ? $0 : $0 + 1) } ?? 0
            if !isPlain { advance() }
        }

        @inline(__always) public mutating func next() -> Occurrence? {
            isPlain ? cursor.next() : merged()
        }

        private mutating func advance() {
            repeat { waiting = cursor.next() } while waiting.map(set.excludes) == true
        }

        private mutating func merged() -> Occurrence? {
            guard nextAdded < set.added.count else {
                defer { if waiting != nil { advance() } }
                return waiting
            }
            let extra = set.added[nextAdded]
            guard let waiting, waiting.instant <= extra.instant else {
                nextAdded += 1
                return extra
            }
            if waiting.instant == extra.instant { nextAdded += 1 }
            advance()
            return waiting
        }
    }
}

/// Instances against the order of time.
public struct ReversedOccurrences: Sequence, IteratorProtocol, Sendable {
    private let set: RecurrenceSet
    private var instant: Int

    init(_ set: RecurrenceSet, before instant: Int) { (self.set, self.instant) = (set, instant) }

    public mutating func next() -> Occurrence? {
        let found = set.previous(before: instant)
        instant = found?.instant ?? ZoneInterval.distantPast
        return found
    }
}

extension [Occurrence] {
    /// How many are before an instant; they ascend.
    func partition(before instant: Int) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].instant < instant { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
