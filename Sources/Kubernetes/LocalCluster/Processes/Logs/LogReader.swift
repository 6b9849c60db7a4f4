internal import APIServer
internal import Concurrency
internal import Glibc
internal import HTTPTransport
internal import KubernetesClient

/// Reads a container's log as `kubectl logs` asks for it: first what is there, then with `follow` what comes.
final class LogReader: Sendable {
    private struct State {
        var descriptor: Int32
        var inode: UInt64
        /// Bytes read of a line that is not complete yet.
        var partial: [UInt8] = []
        /// What is there before the file's present position: the tail, ready to be sent.
        var ready: [UInt8]
        var left: Int?
    }

    private let path: String
    /// Nil when nothing is written any more.
    private let log: ContainerLog?
    private let filter: LogFilter
    private let state: Lock<State>

    init(path: String, live log: ContainerLog?, options: PodLogOptions, now: KubernetesTime) throws(LogError) {
        self.path = path
        self.log = options.follow ? log : nil
        var filter = LogFilter(timestamps: options.timestamps)
        if let seconds = options.sinceSeconds { filter.since = now.advanced(by: .seconds(-seconds)) }
        if let time = options.sinceTime.flatMap({ KubernetesTime($0) }) { filter.since = time }
        self.filter = filter
        let old = Self.open(path + ".1").map { Self.readRest($0.descriptor, closes: true) } ?? []
        guard let file = Self.open(path) else { throw LogError(path: path, errno: errno) }
        var bytes = old + Self.readRest(file.descriptor, closes: false)
        var lines: [[UInt8]] = []
        Self.takeLines(&bytes) { line in if let output = filter.output(line) { lines.append(output) } }
        if let tail = options.tailLines, lines.count > tail { lines.removeFirst(lines.count - max(0, tail)) }
        state = Lock(
            State(
                descriptor: file.descriptor, inode: file.inode, partial: bytes, ready: Array(lines.joined()),
                left: options.limitBytes))
    }

    deinit { close(state.withLock { $0.descriptor }) }

    var body: ResponseBody {
        ResponseBody { [self] () throws(HTTPTransportError) in await next() }
    }

    /// The next bytes to send; nil at the end.
    func next() async -> [UInt8]? {
        while !Task.isCancelled {
            // Asked before reading: what is written in between is then noticed.
            let progress = log?.progress
            if let bytes = state.withLock({ limited(&$0, read(&$0)) }) { return bytes.isEmpty ? nil : bytes }
            guard let log, let progress, !progress.isClosed else { return nil }
            await log.whenPast(progress.version)
        }
        return nil
    }

    /// Nil when there is nothing now; empty when no more may be sent.
    private func limited(_ state: inout State, _ bytes: [UInt8]) -> [UInt8]? {
        guard let left = state.left else { return bytes.isEmpty ? nil : bytes }
        if left == 0 { return [] }
        state.left = max(0, left - bytes.count)
        return bytes.isEmpty ? nil : Array(bytes.prefix(left))
    }

    private func read(_ state: inout State) -> [UInt8] {
        if !state.ready.isEmpty {
            defer { state.ready = [] }
            return state.ready
        }
        guard log != nil else { return [] }
        state.partial += Self.readRest(state.descriptor, closes: false)
        // The file was put aside and begun anew.
        if let fresh = Self.open(path) {
            if fresh.inode == state.inode {
                close(fresh.descriptor)
            } else {
                state.partial += Self.readRest(state.descriptor, closes: true)
                (state.descriptor, state.inode) = fresh
                state.partial += Self.readRest(state.descriptor, closes: false)
            }
        }
        var output: [UInt8] = []
        Self.takeLines(&state.partial) { line in output += filter.output(line) ?? [] }
        return output
    }

    private static func open(_ path: String) -> (descriptor: Int32, inode: UInt64)? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        var information = stat()
        guard descriptor >= 0, fstat(descriptor, &information) == 0 else { return nil }
        return (descriptor, UInt64(information.st_ino))
    }

    private static func readRest(_ descriptor: Int32, closes: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        if closes { close(descriptor) }
        return bytes
    }

    private static func takeLines(_ bytes: inout [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            body(bytes[start..<end])
            start = end + 1
        }
        bytes.removeFirst(start)
    }
}
