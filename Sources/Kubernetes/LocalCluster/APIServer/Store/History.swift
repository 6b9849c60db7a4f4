internal import DequeModule

/// What one write did to one object. Made once, shared by every watcher and by lists of the past.
final class StoreEvent: Sendable {
    /// The state after the write; nil when it removed the object.
    let object: StoredObject?
    /// The state before the write; nil when it made the object.
    let previous: StoredObject?
    let revision: UInt64

    init(object: StoredObject?, previous: StoredObject?, revision: UInt64) {
        self.object = object
        self.previous = previous
        self.revision = revision
    }

    var key: String { object?.key ?? previous?.key ?? "" }
}

/// The last writes of one table: what a watch starts from and what a list of an earlier revision is made of.
/// Bounded by count and by the bytes of versions that only it keeps alive.
struct History {
    struct Limits: Sendable {
        var events = 8_192
        var supersededBytes = 8 << 20
    }

    private var events: Deque<StoreEvent> = []
    private var supersededBytes = 0
    /// Everything after this revision is here; a watch from an earlier one is refused.
    private(set) var compactedRevision: UInt64

    init(startingAfter revision: UInt64) { compactedRevision = revision }

    mutating func append(_ event: StoreEvent, limits: Limits) {
        events.append(event)
        supersededBytes += event.previous?.bytes.count ?? 0
        while events.count > limits.events || supersededBytes > limits.supersededBytes, let first = events.popFirst() {
            supersededBytes -= first.previous?.bytes.count ?? 0
            compactedRevision = first.revision
        }
    }

    /// Forgets everything up to `revision`.
    mutating func compact(upTo revision: UInt64) {
        while let first = events.first, first.revision <= revision {
            supersededBytes -= first.previous?.bytes.count ?? 0
            events.removeFirst()
        }
        compactedRevision = max(compactedRevision, revision)
    }

    /// The events after `revision` in order; nil when some of them are forgotten.
    func events(after revision: UInt64) -> ArraySlice<StoreEvent>? {
        guard revision >= compactedRevision else { return nil }
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return Array(events[low...])[...]
    }

    /// `objects`, the present state, taken back to what it was at `revision`; nil when that is forgotten.
    func rewound(_ objects: SortedObjects, to revision: UInt64) -> SortedObjects? {
        guard let undone = events(after: revision) else { return nil }
        var result = objects
        for event in undone.reversed() {
            if let previous = event.previous { result.insert(previous) } else { result.remove(event.key) }
        }
        return result
    }
}
