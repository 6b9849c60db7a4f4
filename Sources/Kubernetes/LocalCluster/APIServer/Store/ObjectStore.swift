internal import Concurrency

/// Why the store did not do what was asked.
enum StoreError: Error {
    /// A create met an object.
    case alreadyExists
    /// An update or delete met another version than the one it was based on, or a create another one of what it relies
    /// on; nil when the object is gone.
    case changed(current: StoredObject?)
    /// The history does not reach back to the revision.
    case compacted(requested: UInt64, oldest: UInt64)
    /// The revision has not been made yet.
    case future(requested: UInt64, current: UInt64)
    /// The log can not be written; nothing is acknowledged any more.
    case log(String)
}

/// One write to one object, based on what the writer saw.
enum StoreWrite: Sendable {
    case create(EncodedObject)
    case update(EncodedObject, replacing: StoredObject)
    case delete(StoredObject)
}

/// An object that a create relies on: its namespace, say.
struct StorePremise: Sendable {
    let table: TableID
    let object: StoredObject
}

/// Every object of the server under one global revision, with history for watches and for lists of the recent past.
///
/// Reads never wait for the disk. A write returns when it is as durable as the journal makes it.
final class ObjectStore: Sendable {
    struct Limits: Sendable {
        var history = History.Limits()
        var watcherItems = 4_096
    }

    private struct Table {
        var objects = SortedObjects()
        var history: History
        var watchers: [ObjectIdentifier: Watcher] = [:]
    }

    private struct State {
        var revision: UInt64
        var tables: [TableID: Table]
        /// Tables that appear later start their history here.
        let firstRevision: UInt64
    }

    private let limits: Limits
    private let state: Lock<State>
    private let journal: Journal?

    /// - Parameter initial: what the journal gave back, or nothing.
    init(limits: Limits = Limits(), initial: RecoveredState = RecoveredState(), journal: Journal? = nil) {
        self.limits = limits
        self.journal = journal
        let tables = initial.tables.mapValues { Table(objects: $0, history: History(startingAfter: initial.revision)) }
        state = Lock(State(revision: initial.revision, tables: tables, firstRevision: initial.revision))
        journal?.setSource { [weak self] in self?.capture() ?? RecoveredState() }
    }

    var revision: UInt64 { state.withLock { $0.revision } }

    func object(_ key: String, in table: TableID) -> StoredObject? {
        state.withLock { $0.tables[table]?.objects[key] }
    }

    /// The objects of a table and the revision at which they are so.
    func objects(in table: TableID) -> (objects: SortedObjects, revision: UInt64) {
        state.withLock { ($0.tables[table]?.objects ?? SortedObjects(), $0.revision) }
    }

    /// The objects of a table as they were at `revision`.
    func objects(in id: TableID, at revision: UInt64) throws(StoreError) -> SortedObjects {
        try state.withLock { state throws(StoreError) -> SortedObjects in
            guard revision <= state.revision else {
                throw .future(requested: revision, current: state.revision)
            }
            let oldest = state.tables[id]?.history.compactedRevision ?? state.firstRevision
            guard revision >= oldest else { throw .compacted(requested: revision, oldest: oldest) }
            guard let table = state.tables[id] else { return SortedObjects() }
            return table.history.rewound(table.objects, to: revision) ?? SortedObjects()
        }
    }

    /// Makes the write, or throws what stands against it. Returns the object as it is now, or, of a delete, as it
    /// was, at the revision of the write.
    ///
    /// - Parameters:
    ///   - premises: what has to be as the writer saw it.
    ///   - effect: called once the write is made. Its writer may be told all the same that it is not kept.
    @discardableResult
    func commit(
        _ write: StoreWrite, to id: TableID, given premises: [StorePremise] = [], then effect: () -> Void = {}
    ) async throws(StoreError) -> (object: StoredObject, revision: UInt64) {
        let (event, ticket) = try state.withLock { state throws(StoreError) -> (StoreEvent, UInt64?) in
            for premise in premises {
                let current = state.tables[premise.table]?.objects[premise.object.key]
                guard current === premise.object else { throw .changed(current: current) }
            }
            return try apply(write, to: id, in: &state)
        }
        effect()
        if let journal, let ticket { try await journal.waitUntilDurable(ticket) }
        guard let object = event.object ?? event.previous else { throw .changed(current: nil) }
        return (object, event.revision)
    }

    private func apply(
        _ write: StoreWrite, to id: TableID, in state: inout State
    ) throws(StoreError) -> (StoreEvent, UInt64?) {
        let key: String
        let expected: StoredObject?
        let encoded: EncodedObject?
        switch write {
        case .create(let object): (key, expected, encoded) = (object.key, nil, object)
        case .update(let object, let old): (key, expected, encoded) = (object.key, old, object)
        case .delete(let old): (key, expected, encoded) = (old.key, old, nil)
        }
        let current = state.tables[id]?.objects[key]
        guard current === expected else {
            if expected == nil { throw .alreadyExists }
            throw .changed(current: current)
        }
        if let failure = journal?.failure { throw .log(failure) }

        state.revision += 1
        let event = StoreEvent(
            object: encoded?.stored(at: state.revision), previous: current, revision: state.revision)
        let ticket = journal?.append(event, table: id)
        record(event, in: &state.tables[id, default: Table(history: History(startingAfter: state.firstRevision))])
        return (event, ticket)
    }

    private func record(_ event: StoreEvent, in table: inout Table) {
        if let object = event.object { table.objects.insert(object) } else { table.objects.remove(event.key) }
        table.history.append(event, limits: limits.history)
        for watcher in table.watchers.values where watcher.scope.contains(event.key) {
            watcher.deliver(.event(event))
        }
    }

    private func capture() -> RecoveredState {
        state.withLock { RecoveredState(revision: $0.revision, tables: $0.tables.mapValues(\.objects)) }
    }
}

// MARK: - Watches

extension ObjectStore {
    enum WatchStart: Sendable {
        /// The present state first, then every change.
        case currentState
        /// Every change after the revision.
        case after(UInt64)
    }

    /// A watcher that misses nothing between the returned objects (none unless asked for) and its first event.
    func watch(
        _ id: TableID, scope: WatchScope, from start: WatchStart
    ) throws(StoreError) -> (watcher: Watcher, objects: SortedObjects, revision: UInt64) {
        try state.withLock { state throws(StoreError) -> (Watcher, SortedObjects, UInt64) in
            var table = state.tables[id] ?? Table(history: History(startingAfter: state.firstRevision))
            var backlog: [Watcher.Item] = []
            if case .after(let revision) = start {
                guard revision <= state.revision else {
                    throw .future(requested: revision, current: state.revision)
                }
                guard let missed = table.history.events(after: revision) else {
                    throw .compacted(requested: revision, oldest: table.history.compactedRevision)
                }
                backlog = missed.filter { scope.contains($0.key) }.map { .event($0) }
            }
            let watcher = Watcher(scope: scope, capacity: limits.watcherItems, backlog: backlog)
            let objects = if case .currentState = start { table.objects } else { SortedObjects() }
            table.watchers[ObjectIdentifier(watcher)] = watcher
            state.tables[id] = table
            return (watcher, objects, state.revision)
        }
    }

    func remove(_ watcher: Watcher, from id: TableID) {
        state.withLock { _ = $0.tables[id]?.watchers.removeValue(forKey: ObjectIdentifier(watcher)) }
        watcher.stop()
    }

    /// Puts a bookmark of the present revision into the watcher's mailbox, behind everything it stands for.
    func bookmark(_ watcher: Watcher) {
        state.withLock { watcher.deliver(.bookmark($0.revision)) }
    }

    /// Ends every watch, of one table or of all.
    func stopWatches(of only: TableID? = nil) {
        let watchers = state.withLock { state in
            state.tables.filter { only == nil || $0.key == only }.flatMap { $0.value.watchers.values }
        }
        for watcher in watchers { watcher.stop() }
    }

    /// Forgets the history of every table up to now: watches and lists of earlier revisions get 410.
    func compact() {
        state.withLock { state in
            for id in state.tables.keys { state.tables[id]?.history.compact(upTo: state.revision) }
        }
    }
}
