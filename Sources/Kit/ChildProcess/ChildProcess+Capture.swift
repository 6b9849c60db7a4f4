internal import Glibc

extension ChildProcess {
    /// What a program that was run for its output came to.
    public enum Captured: Sendable, Equatable {
        case ended(Exit, output: [UInt8])
        /// It was killed because the time was up.
        case deadlineExceeded
    }

    /// Runs a program to its end and gives what it wrote to its standard output. Cancelling the task kills it.
    ///
    /// - Parameters:
    ///   - specification: its `standardOutput` is not looked at.
    ///   - deadline: nil for as long as it takes.
    ///   - limit: bytes of output; the program is killed and `EFBIG` thrown when it writes more.
    public static func capture(
        _ specification: Specification, deadline: Duration? = nil, limit: Int = 16 << 20
    ) async throws(ChildProcessError) -> Captured {
        let result = await withCheckedContinuation { continuation in
            SpawnThread.shared.run { continuation.resume(returning: spawnWithPipe(specification)) }
        }
        let (pid, pipe) = try result.get()
        let child = started(pid)
        let reading = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                Thread.start {
                    continuation.resume(returning: readAll(pipe, deadline: deadline, limit: limit))
                    close(pipe)
                }
            }
        } onCancel: {
            child.signal(SIGKILL)
        }
        if reading.problem != nil { child.signal(SIGKILL) }
        let exit = await child.exit
        switch reading.problem {
        case nil: return .ended(exit, output: reading.bytes)
        case ETIMEDOUT: return .deadlineExceeded
        case let problem?: throw ChildProcessError(path: specification.path, errno: problem)
        }
    }

    /// The file that a shell would execute for `command`: a name is searched for in `path` (`/usr/bin:/bin`), what has
    /// a slash is taken as it is.
    /// - Throws: `ENOENT` when there is none.
    public static func find(_ command: String, in path: String) throws(ChildProcessError) -> String {
        if command.contains("/") { return command }
        for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
            let file = "\(folder.isEmpty ? "." : folder)/\(command)"
            var information = stat()
            let isFile = stat(file, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
            if isFile, access(file, X_OK) == 0 { return file }
        }
        throw ChildProcessError(path: command, errno: ENOENT)
    }
}

/// To be called on the spawn thread: no child is forked before the pipe is marked to be closed in it.
private func spawnWithPipe(
    _ specification: ChildProcess.Specification
) -> Result<(pid: Int32, output: Int32), ChildProcessError> {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return .failure(ChildProcessError(path: specification.path, errno: errno)) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var specification = specification
    specification.standardOutput = .descriptor(ends[1])
    let result = spawn(specification)
    close(ends[1])
    switch result {
    case .success(let pid): return .success((pid, ends[0]))
    case .failure(let error):
        close(ends[0])
        return .failure(error)
    }
}

/// Reads to the end of the pipe. `problem` is an errno: `ETIMEDOUT` past the deadline, `EFBIG` past the limit.
private func readAll(_ descriptor: Int32, deadline: Duration?, limit: Int) -> (bytes: [UInt8], problem: Int32?) {
    let end = deadline.map { ContinuousClock.now + $0 }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        var wait: Int32 = -1
        if let end {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return (bytes, ETIMEDOUT) }
            wait = Int32(clamping: Int64(left / .milliseconds(1)) + 1)
        }
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, wait) > 0 else { continue }
        let count = read(descriptor, &buffer, buffer.count)
        if count > 0 {
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= limit else { return (bytes, EFBIG) }
        } else if count == 0 {
            return (bytes, nil)
        } else if errno != EINTR {
            return (bytes, errno)
        }
    }
}
