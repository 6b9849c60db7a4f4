import Concurrency
import Foundation
import Glibc

/// A program that a test runs, without its output. With an empty signal mask of its own: the threads of tests block the signals that should end
/// a child.
final class ChildProcess: Sendable {
    private let id: pid_t

    init(_ arguments: [String]) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for output in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0)
        }
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var id = pid_t()
        let status = try processCreation.withLock { _ in
            // A connection of another test that a child has too does not end when that test closes it.
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
                guard let descriptor = CInt(name), descriptor > STDERR_FILENO else { continue }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            }
            return posix_spawn(&id, arguments[0], &actions, &attributes, &words, environ)
        }
        guard status == 0 else { throw ServerError(what: "cannot run \(arguments[0]): error \(status)") }
        self.id = id
    }

    /// The exit code; nil while it runs or when a signal ended it.
    func exitCode(waiting: Bool) -> CInt? {
        var status: CInt = 0
        guard waitpid(id, &status, waiting ? 0 : WNOHANG) == id, status & 0x7F == 0 else { return nil }
        return (status >> 8) & 0xFF
    }

    /// How much it has read of files.
    func bytesRead() throws -> Int {
        let counts = try String(contentsOfFile: "/proc/\(id)/io", encoding: .utf8).split(separator: "\n")
        let prefix = "rchar: "
        guard let count = counts.first(where: { $0.hasPrefix(prefix) }).flatMap({ Int($0.dropFirst(prefix.count)) })
        else { throw ServerError(what: "the kernel does not count what a process reads") }
        return count
    }

    func send(_ signal: CInt) { Glibc.kill(id, signal) }

    /// Ends it and returns when it is gone.
    func kill() {
        send(SIGKILL)
        _ = exitCode(waiting: true)
    }
}
