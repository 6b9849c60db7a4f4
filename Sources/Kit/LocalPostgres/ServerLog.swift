internal import Concurrency
internal import Glibc

/// Keeps what a server says in two files of a bounded size: `log`, which becomes `log.1` when it is full.
final class ServerLog: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var size = 0
        /// The last that was said.
        var tail: [UInt8] = []
    }

    private let path: String
    private let limit: Int
    private let state = Lock(State())

    /// - Parameter limit: bytes of one file.
    init(path: String, limit: Int = 8 << 20) {
        self.path = path
        self.limit = limit
    }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// A pipe's end for a server to write into, to be closed by the caller, and a task that ends when all who have the
    /// end closed it.
    func open() throws(LocalPostgresError) -> (descriptor: Int32, copying: Task<Void, Never>) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .io("open a pipe for", path) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let source = ends[0]
        let copying = Task {
            await runBlocking {
                var buffer = [UInt8](repeating: 0, count: 16384)
                while true {
                    let count = read(source, &buffer, buffer.count)
                    if count > 0 { self.append(buffer[..<count]) } else if count == 0 || errno != EINTR { break }
                }
                close(source)
            }
        }
        return (ends[1], copying)
    }

    /// What cannot be written is lost: a full disk must not hold up the server.
    func append(_ bytes: ArraySlice<UInt8>) {
        state.withLock { state in
            state.tail = Array((state.tail + bytes).suffix(4096))
            if state.size + bytes.count > limit || state.descriptor < 0 { rotate(&state) }
            let written = bytes.withUnsafeBytes { write(state.descriptor, $0.baseAddress, $0.count) }
            state.size += max(0, written)
        }
    }

    private func rotate(_ state: inout State) {
        if state.descriptor >= 0 {
            close(state.descriptor)
            rename(path, "\(path).1")
        }
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
        state.descriptor = Glibc.open(path, flags, 0o600)
        var information = stat()
        state.size = fstat(state.descriptor, &information) == 0 ? Int(information.st_size) : 0
    }

    /// Why the server ended, in its own words: the last error that it named.
    var complaint: String? { Self.errors(in: state.withLock { $0.tail }).last }

    /// What PostgreSQL or one of its programs calls an error; when there is none, the last line.
    static func errors(in output: [UInt8]) -> [String] {
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
        let errors = lines.compactMap { line in
            ["PANIC: ", "FATAL: ", "ERROR: ", " error: ", " fatal: "].compactMap { line.firstRange(of: $0) }.first
                .map { String(line[$0.upperBound...].drop { $0 == " " }) }
        }
        return errors.isEmpty ? lines.suffix(1).map(String.init) : errors
    }
}
