internal import Concurrency

/// One client's watch: the state it starts with, then what the mailbox brings. Ends when it is dropped.
final class WatchSession: Sendable {
    /// The state to open with; empty when the watch starts from a revision.
    struct Initial: Sendable {
        var objects: SortedObjects
        var scope: WatchScope
        var revision: UInt64
        var endsWithBookmark: Bool
    }

    private struct State {
        var encoder: WatchEncoder
        var initial: SortedObjects.Iterator?
        var timer: Task<Void, Never>?
    }

    private static let chunkSize = 1 << 16

    private let watcher: Watcher
    private let table: TableID
    private let store: ObjectStore
    private let start: Initial
    private let state: Lock<State>

    init(watcher: Watcher, table: TableID, store: ObjectStore, encoder: WatchEncoder, initial: Initial) {
        self.watcher = watcher
        self.table = table
        self.store = store
        start = initial
        state = Lock(State(encoder: encoder, initial: initial.objects.makeIterator()))
    }

    deinit {
        state.withLock { $0.timer?.cancel() }
        store.remove(watcher, from: table)
    }

    /// Sends bookmarks, and ends the watch after `timeout`; what was delivered before is still read.
    func startTimer(bookmarks interval: Duration?, timeout: Duration) {
        let timer = Task { [watcher, table, store] in
            // A client may ask for more seconds than a deadline can be away.
            let end = ContinuousClock.now + min(timeout, .seconds(365 * 86_400))
            while !Task.isCancelled {
                let now = ContinuousClock.now
                guard now < end else { break }
                let wake = interval.map { min(now + $0, end) } ?? end
                // Until the next bookmark or the end; events go out on their own.
                guard (try? await Task.sleep(until: wake, clock: .continuous)) != nil else { return }
                if interval != nil { store.bookmark(watcher) }
            }
            store.remove(watcher, from: table)
        }
        state.withLock { $0.timer = timer }
    }

    /// The next lines; nil at the end.
    func nextChunk() async -> [UInt8]? {
        while true {
            if let bytes = nextInitialChunk() {
                if !bytes.isEmpty { return bytes }
                continue
            }
            guard let items = await watcher.next() else { return nil }
            let bytes = state.withLock { state in
                var bytes: [UInt8] = []
                for item in items {
                    switch item {
                    case .event(let event): state.encoder.write(event, into: &bytes)
                    case .bookmark(let revision): state.encoder.writeBookmark(revision, into: &bytes)
                    }
                }
                return bytes
            }
            if !bytes.isEmpty { return bytes }
        }
    }

    /// Nil when the initial state has been sent; empty when nothing in it is selected.
    private func nextInitialChunk() -> [UInt8]? {
        state.withLock { state in
            guard var iterator = state.initial else { return nil }
            var bytes: [UInt8] = []
            while bytes.count < Self.chunkSize {
                guard let object = iterator.next() else {
                    state.initial = nil
                    if start.endsWithBookmark {
                        state.encoder.writeBookmark(start.revision, endsInitialEvents: true, into: &bytes)
                    }
                    return bytes
                }
                if start.scope.contains(object.key) { state.encoder.writeAdded(object, into: &bytes) }
            }
            state.initial = iterator
            return bytes
        }
    }
}
