internal import Concurrency

/// Which keys of a table a watch is about.
enum WatchScope: Sendable {
    case all
    case namespace(String)
    case object(key: String)

    func contains(_ key: String) -> Bool {
        switch self {
        case .all: true
        case .object(let wanted): key == wanted
        case .namespace(let namespace):
            key.utf8.count > namespace.utf8.count && key.hasPrefix(namespace)
                && key.utf8[key.utf8.index(key.utf8.startIndex, offsetBy: namespace.utf8.count)] == UInt8(ascii: "/")
        }
    }
}

/// The mailbox between the store and one watch: bounded, so that a reader that lags is ended instead of piling up
/// memory. It may watch again from the last revision that it saw.
final class Watcher: Sendable {
    enum Item: Sendable {
        case event(StoreEvent)
        /// Everything up to this revision has been delivered.
        case bookmark(UInt64)
    }
    enum End: Sendable, Equatable {
        case lagged
        case stopped
    }

    let scope: WatchScope
    private let capacity: Int
    private let mailbox: Lock<Mailbox>

    private struct Mailbox {
        var items: [Item] = []
        var end: End?
        var reader: CheckedContinuation<Void, Never>?
    }

    init(scope: WatchScope, capacity: Int, backlog: [Item]) {
        self.scope = scope
        self.capacity = max(capacity, backlog.count)
        mailbox = Lock(Mailbox(items: backlog))
    }

    func deliver(_ item: Item) {
        let reader = mailbox.withLock { box -> CheckedContinuation<Void, Never>? in
            guard box.end == nil else { return nil }
            if box.items.count >= capacity {
                box.end = .lagged
                box.items = []
            } else {
                box.items.append(item)
            }
            return box.reader.take()
        }
        reader?.resume()
    }

    /// Ends the watch: what is already in the mailbox is still read.
    func stop() {
        let reader = mailbox.withLock { box -> CheckedContinuation<Void, Never>? in
            if box.end == nil { box.end = .stopped }
            return box.reader.take()
        }
        reader?.resume()
    }

    /// The next items, at least one; nil when the watch has ended or the task is cancelled. One reader at a time.
    func next() async -> [Item]? {
        while true {
            let (items, ended) = mailbox.withLock { box -> ([Item], Bool) in
                let items = box.items
                box.items = []
                return (items, box.end != nil)
            }
            if !items.isEmpty { return items }
            if ended || Task.isCancelled { return nil }
            await waitForItems()
        }
    }

    private func waitForItems() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = mailbox.withLock { box -> Bool in
                    if !box.items.isEmpty || box.end != nil { return true }
                    box.reader = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            stop()
        }
    }
}
