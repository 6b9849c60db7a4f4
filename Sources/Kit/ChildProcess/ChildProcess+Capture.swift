internal import Glibc

extension ChildProcess {
    /// What a program that was run for its output came to.
    public enum Captured: Sendable, Equatable {
        case ended(Exit, output: [UInt8])
        /// It was killed because the time was up.
        case deadlineExceeded
    }

    /// Runs a program to its end and gives what it wrote to its standard output. Cancelling the task kills it, with its
    /// process group. What it left running in the background is not waited for.
    ///
    /// - Parameters:
    ///   - specification: its `standardOutput` is not looked at.
    ///   - deadline: nil for as long as it takes.
    ///   - limit: bytes of output; the program is killed and `EFBIG` thrown when it writes more.
    public static func capture(
        _ specification: Specification, deadline: Duration? = nil, limit: Int = 16 << 20
    ) async throws(ChildProcessError) -> Captured {
        let result = await withCheckedContinuation { continuation in
            SpawnThread.shared.run { continuation.resume(returning: spawnWithPipes(specification)) }
        }
        let (pid, pipes) = try result.get()
        let child = started(pid, specification)
        Task {
            _ = await child.exit
            close(pipes.end.write)
        }
        let reading = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                Thread.start {
                    let reading = readAll(pipes.output.read, until: pipes.end.read, deadline: deadline, limit: limit)
                    close(pipes.output.read)
                    close(pipes.end.read)
                    continuation.resume(returning: reading)
                }
            }
        } onCancel: {
            child.kill()
        }
        if reading.problem != nil { child.kill() }
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

/// A pipe whose ends no child inherits.
private struct Pipe {
    let read: Int32
    let write: Int32

    static func make() -> Pipe? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return Pipe(read: ends[0], write: ends[1])
    }

    func closeBoth() {
        close(read)
        close(write)
    }
}

/// What the child writes, and a pipe that is to be closed when it has ended. To be called on the spawn thread.
private func spawnWithPipes(
    _ specification: ChildProcess.Specification
) -> Result<(pid: Int32, pipes: (output: Pipe, end: Pipe)), ChildProcessError> {
    func failure(_ code: Int32) -> ChildProcessError { ChildProcessError(path: specification.path, errno: code) }
    guard let output = Pipe.make() else { return .failure(failure(errno)) }
    guard let end = Pipe.make() else {
        let code = errno
        output.closeBoth()
        return .failure(failure(code))
    }
    var specification = specification
    specification.standardOutput = .descriptor(output.write)
    switch spawn(specification) {
    case .success(let pid):
        close(output.write)
        return .success((pid, (output, end)))
    case .failure(let error):
        output.closeBoth()
        end.closeBoth()
        return .failure(error)
    }
}

/// Reads until the pipe ends, or is empty after `end` was closed: what the child left in the background may hold the
/// pipe for ever. `problem` is an errno: `ETIMEDOUT` past the deadline, `EFBIG` past the limit.
private func readAll(
    _ descriptor: Int32, until end: Int32, deadline: Duration?, limit: Int
) -> (bytes: [UInt8], problem: Int32?) {
    let deadline = deadline.map { ContinuousClock.now + $0 }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        var wait: Int32 = -1
        if let deadline {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return (bytes, ETIMEDOUT) }
            wait = Int32(clamping: Int64(left / .milliseconds(1)) + 1)
        }
        var pollers = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: end, events: 0, revents: 0),
        ]
        guard poll(&pollers, 2, wait) > 0 else { continue }
        guard pollers[0].revents != 0 else { return (bytes, nil) }
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
