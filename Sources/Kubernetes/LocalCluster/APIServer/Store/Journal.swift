internal import Concurrency
internal import Dispatch
internal import Logging

/// The store's log on disk. Writes that come while one is being synced share the next sync.
///
/// When the disk takes no more, as when it is full, those who wait are told so and no further write is taken; what was
/// not written is tried again every second, and once it is there all goes on.
final class Journal: Sendable {
    private struct Pending {
        var buffer: [UInt8] = []
        /// Counts records; a write is durable when `durable` has reached its ticket.
        var appended: UInt64 = 0
        var durable: UInt64 = 0
        var waiters: [(ticket: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var isFlushing = false
        var failure: String?
        var isClosed = false
    }

    /// Touched by the journal's queue only, but for opening.
    private struct Segment {
        var file: OpenFile
        var number: Int
        var size: Int
        var limit: Int
        var isCompacting = false
        /// The file may hold part of a batch behind `size`.
        var isTorn = false
    }

    /// Lets the file, which cannot be copied, live in a lock.
    private final class OpenFile {
        let file: File
        init(_ file: consuming File) { self.file = file }
    }

    private let folder: JournalFolder
    private let logger: Logger
    private let minimumSegment: Int
    private let lockFile: Lock<OpenFile>
    private let pending = Lock(Pending())
    private let segment: Lock<Segment>
    private let source = Lock<@Sendable () -> RecoveredState>({ RecoveredState() })
    private let queue = DispatchQueue(label: "journal")
    private let snapshotQueue = DispatchQueue(label: "journal.snapshot")

    /// How far revisions move on at each start: past any that a crash may have lost after a watcher saw it.
    static let revisionGap: UInt64 = 100_000

    private static let retryInterval: DispatchTimeInterval = .seconds(1)

    /// Opens the folder, which no other process may have open, and reads what it holds.
    ///
    /// - Parameter minimumSegment: the size in bytes from which a log segment is replaced by a snapshot.
    static func open(
        _ path: String, logger: Logger, minimumSegment: Int = 16 << 20
    ) throws(StorageError) -> (journal: Journal, state: RecoveredState) {
        try Folder.make(path)
        let lockFile = try File("\(path)/lock", .append)
        guard lockFile.lock() else { throw .inUse(folder: path) }
        let folder = JournalFolder(path: path)
        var (state, number) = try folder.recover()
        state.revision += state.revision == 0 ? 1 : revisionGap
        let journal = try Journal(
            folder: folder, lockFile: lockFile, number: number, liveBytes: state.byteCount,
            minimumSegment: minimumSegment, logger: logger)
        return (journal, state)
    }

    private init(
        folder: JournalFolder, lockFile: consuming File, number: Int, liveBytes: Int, minimumSegment: Int,
        logger: Logger
    ) throws(StorageError) {
        self.folder = folder
        self.logger = logger
        self.minimumSegment = minimumSegment
        self.lockFile = Lock(OpenFile(lockFile))
        let file = try File(folder.logPath(number), .append)
        let size = try file.readAll().count
        try Folder.synchronize(folder.path)
        segment = Lock(
            Segment(file: OpenFile(file), number: number, size: size, limit: max(minimumSegment, 2 * liveBytes)))
    }

    /// Why nothing can be written any more; nil while all is well.
    var failure: String? { pending.withLock { $0.failure } }

    /// What a snapshot is made of, asked for when one is due.
    func setSource(_ capture: @escaping @Sendable () -> RecoveredState) { source.withLock { $0 = capture } }

    /// Takes the event into the next batch. Called in the order of revisions.
    /// - Returns: the ticket to wait for.
    func append(_ event: StoreEvent, table: TableID) -> UInt64 {
        let record: JournalRecord =
            if let object = event.object {
                .put(table, object)
            } else {
                .delete(table, key: event.key, revision: event.revision)
            }
        return pending.withLock { pending in
            record.write(into: &pending.buffer)
            pending.appended += 1
            if !pending.isFlushing {
                pending.isFlushing = true
                queue.async { self.flush() }
            }
            return pending.appended
        }
    }

    /// Returns when the write is on the disk.
    func waitUntilDurable(_ ticket: UInt64) async throws(StoreError) {
        await withCheckedContinuation { continuation in
            let isDone = pending.withLock { pending in
                if pending.durable >= ticket || pending.failure != nil { return true }
                pending.waiters.append((ticket, continuation))
                return false
            }
            if isDone { continuation.resume() }
        }
        let failure = pending.withLock { $0.durable >= ticket ? nil : $0.failure }
        if let failure { throw .log(failure) }
    }

    /// Returns when everything appended so far is on the disk.
    func close() async throws(StoreError) {
        try await waitUntilDurable(pending.withLock { $0.appended })
    }

    /// Refuses writes from now on and lets another server open the folder.
    func release() {
        pending.withLock {
            $0.isClosed = true
            $0.failure = $0.failure ?? "it is closed: the server has stopped"
        }
        lockFile.withLock { $0.file.unlock() }
    }

    private func flush() {
        while true {
            let batch = pending.withLock { pending -> (bytes: [UInt8], ticket: UInt64)? in
                guard !pending.buffer.isEmpty, !pending.isClosed else {
                    pending.isFlushing = false
                    return nil
                }
                defer { pending.buffer = [] }
                return (pending.buffer, pending.appended)
            }
            guard let batch else { return }
            do throws(StorageError) {
                try write(batch.bytes)
                complete(upTo: batch.ticket)
            } catch {
                fail(error, toWrite: batch.bytes)
                return queue.asyncAfter(deadline: .now() + Self.retryInterval) { self.flush() }
            }
        }
    }

    private func write(_ bytes: [UInt8]) throws(StorageError) {
        let due = try segment.withLock { segment throws(StorageError) -> Int? in
            // All of the batch again, also what a sync failed on: the kernel may have dropped it.
            if segment.isTorn { try segment.file.file.truncate(to: segment.size) }
            segment.isTorn = true
            try segment.file.file.write(bytes)
            try segment.file.file.synchronize()
            segment.isTorn = false
            segment.size += bytes.count
            guard segment.size > segment.limit, !segment.isCompacting else { return nil }
            return beginNext(&segment)
        }
        if let due { snapshotQueue.async { self.compact(before: due) } }
    }

    /// The number of the new segment. What was written is safe without one: the present segment goes on, and the next try
    /// comes when it has doubled.
    private func beginNext(_ segment: inout Segment) -> Int? {
        do throws(StorageError) {
            let file = try File(folder.logPath(segment.number + 1), .append)
            try Folder.synchronize(folder.path)
            segment.file = OpenFile(file)
        } catch {
            logger.error("cannot begin a new segment; the log keeps growing", metadata: ["error": "\(error)"])
            segment.limit = 2 * segment.size
            return nil
        }
        segment.number += 1
        segment.size = 0
        segment.isCompacting = true
        return segment.number
    }

    /// What the source gives now includes all records of the segments before `number`: it is asked after the switch.
    private func compact(before number: Int) {
        var size = 0
        do throws(StorageError) {
            size = try folder.writeSnapshot(source.withLock { $0 }(), before: number)
        } catch {
            logger.error("cannot write a snapshot; the log keeps growing", metadata: ["error": "\(error)"])
        }
        segment.withLock {
            $0.isCompacting = false
            $0.limit = max(minimumSegment, 2 * size)
        }
    }

    private func complete(upTo ticket: UInt64) {
        let (ready, hadFailed) = pending.withLock { pending in
            pending.durable = ticket
            let ready = pending.waiters.filter { $0.ticket <= ticket }
            pending.waiters.removeAll { $0.ticket <= ticket }
            let hadFailed = pending.failure != nil && !pending.isClosed
            if hadFailed { pending.failure = nil }
            return (ready.map(\.continuation), hadFailed)
        }
        if hadFailed { logger.notice("the log can be written again") }
        for continuation in ready { continuation.resume() }
    }

    private func fail(_ error: StorageError, toWrite bytes: [UInt8]) {
        let (waiting, isNew) = pending.withLock { pending in
            let isNew = pending.failure == nil
            pending.buffer = bytes + pending.buffer
            pending.failure = "\(error)"
            defer { pending.waiters = [] }
            return (pending.waiters.map(\.continuation), isNew)
        }
        if isNew {
            logger.critical(
                "the log cannot be written; until it can no write is taken", metadata: ["error": "\(error)"])
        }
        for continuation in waiting { continuation.resume() }
    }
}
