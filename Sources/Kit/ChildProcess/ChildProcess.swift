internal import CSpawn
internal import Concurrency
public import Glibc

/// A program that this process started. It leads a process group of its own unless it shares the standard input.
public final class ChildProcess: Sendable {
    /// What to run and how.
    public struct Specification: Sendable {
        public enum Output: Sendable, Equatable {
            case inherit
            case null
            /// Appended to; made with mode 0600 when it is not there.
            case file(String)
            /// An open descriptor; it stays the caller's.
            case descriptor(Int32)
        }

        public enum Input: Sendable, Equatable {
            case null
            /// This process' own, the terminal if it has one: the child stays in the process group that may read it.
            case inherit
            /// An open descriptor; it stays the caller's.
            case descriptor(Int32)
        }

        /// The file to execute: no search in PATH, see `ChildProcess.find`.
        public var path: String
        /// Without the program's name.
        public var arguments: [String]
        /// The whole environment of the child.
        public var environment: [String: String]
        public var workingDirectory: String?
        public var standardInput = Input.null
        public var standardOutput = Output.inherit
        public var standardError = Output.inherit
        /// An open descriptor that is number 3 in the child and in whatever that starts: a `flock` on it holds until the
        /// last of them has ended.
        public var sharedDescriptor: Int32?
        /// Run as this user; only root can.
        public var user: (uid: UInt32, gid: UInt32)?
        /// The signal that the child gets when this process ends in whatever way (`PR_SET_PDEATHSIG`); nil for none.
        public var signalWhenParentEnds: Int32?

        public init(path: String, arguments: [String] = [], environment: [String: String] = [:]) {
            self.path = path
            self.arguments = arguments
            self.environment = environment
        }
    }

    /// How the child ended.
    public enum Exit: Sendable, Equatable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        public var description: String {
            switch self {
            case .exited(let code): "exit status \(code)"
            case .signalled(let signal): "signal \(signal)"
            }
        }

        /// As a shell gives it: 128 + the signal's number.
        public var code: Int32 {
            switch self {
            case .exited(let code): code
            case .signalled(let signal): 128 + signal
            }
        }
    }

    public let pid: Int32
    private let leadsGroup: Bool
    private enum State: Sendable {
        case running([CheckedContinuation<Exit, Never>])
        case ended(Exit)
    }
    private let state = Lock(State.running([]))

    private init(pid: Int32, leadsGroup: Bool) {
        self.pid = pid
        self.leadsGroup = leadsGroup
    }

    /// Starts the program.
    /// - Throws: `ChildProcessError` with the reason, also when the file cannot be executed.
    public static func start(_ specification: Specification) async throws(ChildProcessError) -> ChildProcess {
        let result = await withCheckedContinuation { continuation in
            SpawnThread.shared.run { continuation.resume(returning: spawn(specification)) }
        }
        return started(try result.get(), specification)
    }

    static func started(_ pid: Int32, _ specification: Specification) -> ChildProcess {
        let child = ChildProcess(pid: pid, leadsGroup: specification.standardInput != .inherit)
        child.awaitEnd()
        return child
    }

    /// The end, now or when it comes.
    public var exit: Exit {
        get async {
            await withCheckedContinuation { continuation in
                let ended = state.withLock { state -> Exit? in
                    switch state {
                    case .ended(let exit): return exit
                    case .running(let waiting):
                        state = .running(waiting + [continuation])
                        return nil
                    }
                }
                if let ended { continuation.resume(returning: ended) }
            }
        }
    }

    public var isRunning: Bool { state.withLock { if case .running = $0 { true } else { false } } }

    /// Sends a signal to the child; false when it has ended.
    @discardableResult
    public func signal(_ signal: Int32) -> Bool {
        // Under the lock, so that the number is not that of another process by now.
        state.withLock { if case .running = $0 { Glibc.kill(pid, signal) == 0 } else { false } }
    }

    /// Kills the child and what it started, as far as that stayed in its process group; false when it has ended.
    @discardableResult
    public func kill() -> Bool {
        state.withLock { if case .running = $0 { Glibc.kill(leadsGroup ? -pid : pid, SIGKILL) == 0 } else { false } }
    }

    /// Sends `first`, and kills the child with its group when it is still there after `patience`; returns at its end.
    @discardableResult
    public func stop(_ first: Int32 = SIGTERM, patience: Duration = .seconds(10)) async -> Exit {
        signal(first)
        // Not a child task: a caller that is cancelled still wants the end.
        let last = Task.detached {
            try await ContinuousClock().sleep(for: patience)
            self.kill()
        }
        defer { last.cancel() }
        return await exit
    }

    private func awaitEnd() {
        Thread.start { [self] in
            var information = siginfo_t()
            // Left in the process table until the lock is held: until then the number is taken.
            while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
            let waiting = state.withLock { state -> [CheckedContinuation<Exit, Never>] in
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
                let signal = status & 0x7f
                let exit: Exit = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
                guard case .running(let waiting) = state else { return [] }
                state = .ended(exit)
                return waiting
            }
            guard case .ended(let exit) = state.withLock({ $0 }) else { return }
            for continuation in waiting { continuation.resume(returning: exit) }
        }
    }
}

/// Why a program could not be started.
public struct ChildProcessError: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    public let errno: Int32

    public var description: String { "cannot start \(path): \(String(cString: strerror(errno)))" }
}
