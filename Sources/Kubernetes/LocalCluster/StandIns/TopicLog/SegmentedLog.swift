internal import Concurrency
internal import Dispatch
internal import Logging

/// Records in files that are only appended to. Appends that come while one is being synced share the next sync.
///
/// When the disk takes no more, as when it is full, those who wait are told so; what was not written is tried again every
/// second, and once it is there all goes on.
///
/// A position is a byte's place in the whole log; a segment is named after the position of its first byte.
final class SegmentedLog: Sendable {
    /// Where a record is.
    struct Place: Sendable {
        let position: Int
        let length: Int
    }

    /// Nil in place of an error: it is on the disk.
    private typealias Waiter = CheckedContinuation<TopicLogError?, Never>

    private struct Chunk {
        /// Of the segment that it is for.
        let base: Int
        var bytes: [UInt8] = []
    }

    private struct Pending {
        /// What is to be written; the last one is appended to.
        var chunks: [Chunk] = []
        /// The position after all that was appended.
        var end: Int
        var base: Int
        /// The position up to which the log is on the disk.
        var durable: Int
        var isFlushing = false
        var isFlushDue = false
        var waiters: [(end: Int, continuation: Waiter)] = []
        var failure: TopicLogError?
    }

    /// How long a record that nobody waits for may stay in memory.
    private static let patience = DispatchTimeInterval.milliseconds(50)
    private static let retryInterval = DispatchTimeInterval.seconds(1)

    private let folder: LogFolder
    private let logger: Logger
    private let onRecovery: @Sendable () -> Void
    private let pending: Lock<Pending>
    private let files: Lock<[SegmentFile]>
    private let queue: DispatchQueue

    /// Opens the folder and hands every record to `replay`, which returns false for one that it cannot read.
    ///
    /// A record that was being written when the process ended is cut off: nobody was told that it is kept.
    ///
    /// - Parameter onRecovery: called when what could not be written is on the disk after all.
    init(
        _ path: String, logger: Logger, onRecovery: @escaping @Sendable () -> Void = {},
        replay: (UnsafeRawBufferPointer, Place) -> Bool
    ) throws(TopicLogError) {
        folder = try LogFolder(path)
        self.logger = logger
        self.onRecovery = onRecovery
        queue = DispatchQueue(label: "log \(path)")
        var files: [SegmentFile] = []
        var end = 0
        let bases = try folder.segments()
        for base in bases {
            let file = try SegmentFile(folder: path, base: base)
            // A gap would mean that a segment is gone.
            if !files.isEmpty, base != end { throw .corrupt(path: file.path, offset: 0) }
            end = base + (try Self.recover(file, isLast: base == bases.last, replay))
            files.append(file)
        }
        if files.isEmpty {
            files = [try SegmentFile(folder: path, base: 0)]
            try folder.synchronize()
        }
        pending = Lock(Pending(end: end, base: files.last?.base ?? 0, durable: end))
        self.files = Lock(files)
    }

    /// - Returns: the size of what is sound.
    private static func recover(
        _ file: SegmentFile, isLast: Bool, _ replay: (UnsafeRawBufferPointer, Place) -> Bool
    ) throws(TopicLogError) -> Int {
        let bytes = try file.read(try file.size(), at: 0)
        var offset = 0
        let isReadable = bytes.withUnsafeBytes { raw in
            while let payload = Frame.payload(raw, at: offset) {
                let length = Frame.headSize + payload.count
                guard replay(payload, Place(position: file.base + offset, length: length)) else { return false }
                offset += length
            }
            return true
        }
        guard offset < bytes.count else { return offset }
        guard isLast, isReadable else { throw .corrupt(path: file.path, offset: offset) }
        try file.truncate(to: offset)
        try file.synchronize()
        return offset
    }

    /// What is before it is on the disk.
    var durable: Int { pending.withLock { $0.durable } }
    /// Why nothing can be written; nil while all is well.
    var failure: TopicLogError? { pending.withLock { $0.failure } }
    /// Bytes of the newest segment.
    var segmentSize: Int { pending.withLock { $0.end - $0.base } }
    var bases: [Int] { files.withLock { $0.map(\.base) } }
    var end: Int { pending.withLock { $0.end } }

    // MARK: - Writing

    /// Appends a record whose payload `write` appends. It is on the disk when `waitUntilDurable` has returned, or soon:
    /// with `isUrgent` at once, else with the next one or after 50 ms.
    func append(isUrgent: Bool = true, _ write: (inout [UInt8]) -> Void) -> Place {
        let (place, action) = pending.withLock { pending -> (Place, (@Sendable () -> Void)?) in
            if pending.chunks.isEmpty { pending.chunks.append(Chunk(base: pending.base)) }
            let length = Frame.append(to: &pending.chunks[pending.chunks.count - 1].bytes, write)
            let place = Place(position: pending.end, length: length)
            pending.end += length
            return (place, schedule(&pending, isUrgent: isUrgent))
        }
        action?()
        return place
    }

    /// What is appended from now on goes into a new file.
    func beginSegment() {
        pending.withLock { pending in
            guard pending.end > pending.base else { return }
            pending.base = pending.end
            pending.chunks.append(Chunk(base: pending.base))
        }
    }

    private func schedule(_ pending: inout Pending, isUrgent: Bool) -> (@Sendable () -> Void)? {
        guard !pending.isFlushing else { return nil }
        if isUrgent {
            pending.isFlushing = true
            return { self.queue.async { self.flush() } }
        }
        guard !pending.isFlushDue else { return nil }
        pending.isFlushDue = true
        return { self.queue.asyncAfter(deadline: .now() + Self.patience) { self.flush() } }
    }

    /// Returns when everything before `end` is on the disk.
    func waitUntilDurable(_ end: Int) async throws(TopicLogError) {
        let failure = await withCheckedContinuation { (waiter: Waiter) in
            let (isDone, failure) = pending.withLock { pending -> (Bool, TopicLogError?) in
                if pending.durable >= end { return (true, nil) }
                if let failure = pending.failure { return (true, failure) }
                pending.waiters.append((end, waiter))
                return (false, nil)
            }
            if isDone { waiter.resume(returning: failure) }
        }
        if let failure { throw failure }
    }

    /// Returns when everything appended so far is on the disk; takes nothing more and lets go of the folder.
    func close() async throws(TopicLogError) {
        let end = end
        // Where files are written, so that nothing is once another process may have the folder.
        let failure = await withCheckedContinuation { (waiter: Waiter) in
            queue.async {
                self.flush()
                waiter.resume(returning: self.takeNoMore(since: end))
            }
        }
        if let failure { throw failure }
    }

    /// Why what is before `end` is not on the disk; nil when it is.
    private func takeNoMore(since end: Int) -> TopicLogError? {
        let (waiting, failure) = pending.withLock { pending -> ([Waiter], TopicLogError?) in
            defer {
                pending.waiters = []
                pending.failure = .closed
            }
            return (pending.waiters.map(\.continuation), pending.durable >= end ? nil : pending.failure ?? .closed)
        }
        folder.release()
        for waiter in waiting { waiter.resume(returning: .closed) }
        return failure
    }

    private func flush() {
        while true {
            let taken = pending.withLock { pending -> (chunks: [Chunk], end: Int, isRetry: Bool)? in
                pending.isFlushDue = false
                guard !pending.chunks.isEmpty, pending.failure != .closed else {
                    pending.isFlushing = false
                    return nil
                }
                pending.isFlushing = true
                defer { pending.chunks = [] }
                return (pending.chunks, pending.end, pending.failure != nil)
            }
            guard let taken else { return }
            var rest = taken.chunks[...]
            var start = rest.reduce(taken.end) { $0 - $1.bytes.count }
            do throws(TopicLogError) {
                while let chunk = rest.first {
                    try write(chunk, at: start, isRetry: taken.isRetry)
                    start += chunk.bytes.count
                    rest.removeFirst()
                }
                finish(taken.end)
            } catch {
                fail(error, toWrite: rest)
                return queue.asyncAfter(deadline: .now() + Self.retryInterval) { self.flush() }
            }
        }
    }

    private func write(_ chunk: Chunk, at start: Int, isRetry: Bool) throws(TopicLogError) {
        var newest = files.withLock { $0.last }
        if newest?.base != chunk.base {
            let file = try SegmentFile(folder: folder.path, base: chunk.base)
            try folder.synchronize()
            files.withLock { $0.append(file) }
            newest = file
        }
        // All of the chunk again, also what a sync failed on: the kernel may have dropped it.
        if isRetry { try newest?.truncate(to: start - chunk.base) }
        // Each chunk is synced before the next begins, so that only the last segment can have a torn end.
        try newest?.append(chunk.bytes)
        try newest?.synchronize()
    }

    private func finish(_ end: Int) {
        let (ready, hadFailed) = pending.withLock { pending in
            pending.durable = end
            let ready = pending.waiters.filter { $0.end <= end }
            pending.waiters.removeAll { $0.end <= end }
            let hadFailed = pending.failure != nil
            pending.failure = nil
            return (ready.map(\.continuation), hadFailed)
        }
        for waiter in ready { waiter.resume(returning: nil) }
        guard hadFailed else { return }
        logger.notice("the log can be written again")
        onRecovery()
    }

    private func fail(_ error: TopicLogError, toWrite rest: ArraySlice<Chunk>) {
        let (waiting, isNew) = pending.withLock { pending in
            let isNew = pending.failure == nil
            pending.chunks.insert(contentsOf: rest, at: 0)
            pending.failure = error
            defer { pending.waiters = [] }
            return (pending.waiters.map(\.continuation), isNew)
        }
        if isNew {
            logger.critical(
                "the log cannot be written; until it can no record is taken", metadata: ["error": "\(error)"])
        }
        for waiter in waiting { waiter.resume(returning: error) }
    }

    // MARK: - Reading and removing

    /// Hands the payloads at `places`, which must be durable and in order, to `body`. Neighbours are read at once.
    func read(_ places: [Place], _ body: (UnsafeRawBufferPointer) -> Void) throws(TopicLogError) {
        var rest = places[...]
        while let first = rest.first {
            let files = files.withLock { $0 }
            guard let file = files.last(where: { $0.base <= first.position }) else {
                throw .io(path: folder.path, action: "read", reason: "the segment was removed")
            }
            let segmentEnd = files.first { $0.base > file.base }?.base ?? .max
            var end = first.position
            let run = rest.prefix { place in
                guard place.position == end, place.position < segmentEnd else { return false }
                end += place.length
                return true
            }
            rest = rest.dropFirst(run.count)
            let bytes = try file.read(end - first.position, at: first.position - file.base)
            let damaged = bytes.withUnsafeBytes { raw in
                run.first { place in
                    guard let payload = Frame.payload(raw, at: place.position - first.position) else { return true }
                    body(payload)
                    return false
                }
            }
            if let damaged { throw .corrupt(path: file.path, offset: damaged.position - file.base) }
        }
    }

    /// Removes whole segments that end at or before `position`. Never the newest.
    func removeSegments(before position: Int) throws(TopicLogError) {
        let bases = bases
        for (base, next) in zip(bases, bases.dropFirst()) where next <= position {
            // In order and one by one: whatever happens in between, no gap is left.
            try folder.remove(base)
            files.withLock { files in files.removeAll { $0.base == base } }
        }
    }
}
