internal import Concurrency
internal import ControllerRuntime
internal import Glibc
internal import KubernetesClient

/// The log of one run of a container: what the process writes goes through a pipe into a file, line by line with its
/// time. A file that has grown to its limit becomes `….1`, in place of an older one.
final class ContainerLog: Sendable {
    static let sizeLimit = 10 << 20
    /// A longer line is cut into parts.
    private static let lineLimit = 16 << 10

    private struct State {
        var isClosed = false
        /// Grows with every write.
        var version = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
    }

    let path: String
    private let sizeLimit: Int
    private let state = Lock(State())

    init(path: String, sizeLimit: Int = ContainerLog.sizeLimit) {
        self.path = path
        self.sizeLimit = sizeLimit
    }

    var oldPath: String { path + ".1" }

    /// A pipe whose writing end is for the process; what comes out of it is logged until all writers have closed it.
    func open(time: any TimeSource) throws(LogError) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LogError(path: path, errno: errno) }
        // A child that is forked before this line only keeps a log open for longer.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            let problem = errno
            for end in ends { close(end) }
            throw LogError(path: path, errno: problem)
        }
        let input = ends[0]
        Task { await runBlocking { self.copy(from: input, to: file, time: time) } }
        return ends[1]
    }

    private func copy(from input: Int32, to firstFile: Int32, time: any TimeSource) {
        var file = firstFile
        var size = Int(lseek(file, 0, SEEK_END))
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(input, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            pending.append(contentsOf: buffer[..<count])
            let lines = Self.takeLines(&pending, time: time.wallClock)
            guard !lines.isEmpty else { continue }
            if size + lines.count > sizeLimit, size > 0 { rotate(&file, &size) }
            size += Self.write(lines, to: file)
            changed()
        }
        if !pending.isEmpty { _ = Self.write(LogLine.encode(pending, isWhole: true, time: time.wallClock), to: file) }
        close(file)
        close(input)
        changed(closes: true)
    }

    private static func takeLines(_ pending: inout [UInt8], time: KubernetesTime) -> [UInt8] {
        var result: [UInt8] = []
        var start = 0
        while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            result += LogLine.encode(pending[start..<end], isWhole: true, time: time)
            start = end + 1
        }
        while pending.count - start > lineLimit {
            result += LogLine.encode(pending[start..<start + lineLimit], isWhole: false, time: time)
            start += lineLimit
        }
        pending.removeFirst(start)
        return result
    }

    private func rotate(_ file: inout Int32, _ size: inout Int) {
        guard rename(path, oldPath) == 0 else { return }
        let fresh = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard fresh >= 0 else { return }
        close(file)
        file = fresh
        size = 0
    }

    /// A full disk must not stop the process that logs: what cannot be written is lost.
    private static func write(_ bytes: [UInt8], to file: Int32) -> Int {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                raw.baseAddress.map { Glibc.write(file, $0 + offset, raw.count - offset) } ?? 0
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            offset += count
        }
        return offset
    }
}

// MARK: - Waiting for more

extension ContainerLog {
    private func changed(closes: Bool = false) {
        let waiting = state.withLock { state in
            state.version += 1
            if closes { state.isClosed = true }
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// How often the log was written to, and whether it is complete.
    var progress: (version: Int, isClosed: Bool) { state.withLock { ($0.version, $0.isClosed) } }

    /// Returns once the log is complete, or the task cancelled.
    func whenClosed() async {
        while !Task.isCancelled {
            let (version, isClosed) = progress
            if isClosed { return }
            await whenPast(version)
        }
    }

    /// Returns once the log is past `version`, complete, or the task cancelled.
    func whenPast(_ version: Int) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state -> Bool in
                    if state.version > version || state.isClosed || Task.isCancelled { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }
}

/// Why a log cannot be written or read.
struct LogError: Error, CustomStringConvertible {
    let path: String
    let errno: Int32
    var description: String { "\(path): \(String(cString: strerror(errno)))" }
}
