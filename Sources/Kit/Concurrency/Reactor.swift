internal import CEpoll
internal import Glibc
internal import Synchronization

/// One thread that waits for file descriptors with epoll and runs Swift jobs in between.
///
/// It is a `TaskExecutor`, so that code which talks to a descriptor runs where the descriptor's events arrive and
/// no request pays for a thread hop, and a `SerialExecutor`, so that an actor can name it in `unownedExecutor` and
/// the compiler checks that a C library's handle is touched on this thread only.
///
/// Jobs must not block. A reactor lives as long as the process: jobs may be waiting for it that nobody can recall.
public final class Reactor: TaskExecutor, SerialExecutor {
    /// The reactor for those who have no reason to run another one.
    public static let shared = Reactor(name: "reactor")

    /// What to wait for on a descriptor. Errors and hang-ups are always reported, as `readable`.
    public struct Interest: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let readable = Interest(rawValue: 1)
        public static let writable = Interest(rawValue: 2)
    }

    /// A descriptor that is being watched; names it in `update` and `cancel`.
    public struct Watch: Sendable {
        let descriptor: Int32
        let generation: UInt32
        var token: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
    }

    /// Called on the reactor's thread with what the descriptor is ready for.
    public typealias Handler = @Sendable (Interest) -> Void

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var isAsleep = false
    }

    private struct Watches {
        var handlers: [Int32: (generation: UInt32, handler: Handler)] = [:]
        var nextGeneration: UInt32 = 0
    }

    private let epoll: Int32
    private let wake: Int32
    private let inbox = Lock(Inbox())
    private let watches = Lock(Watches())
    private let thread = Atomic<UInt>(0)

    /// Starts the thread, which shows as `name` (at most 15 bytes) in `ps -L` and debuggers.
    public init(name: String) {
        epoll = cepoll_create()
        wake = cepoll_eventfd()
        precondition(epoll >= 0 && wake >= 0, "no descriptors left for a reactor (errno \(errno))")
        let status = cepoll_add(epoll, wake, cepoll_readable, Self.wakeToken)
        precondition(status == 0, "epoll refuses its own wake-up descriptor (errno \(status))")
        startThread(name: name) { [self] in
            cepoll_name_thread(name)
            run()
        }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isAsleep = false }
            return inbox.isAsleep
        }
        if mustWake { cepoll_signal(wake) }
    }

    /// True on the reactor's own thread.
    public var isCurrent: Bool {
        thread.load(ordering: .relaxed) == UInt(bitPattern: Int(bitPattern: pthread_self()))
    }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    public func checkIsolated() {
        precondition(isCurrent, "must run on the reactor's thread")
    }
}

extension Reactor {
    /// Calls `handler` whenever `descriptor` is ready for what `interest` names, until `cancel`. Level-triggered:
    /// it is called again until the cause is gone, so take the interest away when the data cannot be read yet.
    /// Throws when the kernel does not take the descriptor.
    public func watch(
        _ descriptor: Int32, for interest: Interest, handler: @escaping Handler
    ) throws(ReactorError) -> Watch {
        let watch = watches.withLock { watches in
            watches.nextGeneration &+= 1
            let generation = watches.nextGeneration
            watches.handlers[descriptor] = (generation, handler)
            return Watch(descriptor: descriptor, generation: generation)
        }
        let status = cepoll_add(epoll, descriptor, interest.events, watch.token)
        guard status == 0 else {
            cancel(watch)
            throw ReactorError(errno: status)
        }
        return watch
    }

    /// Changes what is waited for. False when the descriptor has been closed or is no longer watched.
    @discardableResult
    public func update(_ watch: Watch, to interest: Interest) -> Bool {
        watches.withLock { watches in
            watches.handlers[watch.descriptor]?.generation == watch.generation
                && cepoll_modify(epoll, watch.descriptor, interest.events, watch.token) == 0
        }
    }

    /// Ends a watch; harmless when it has ended, also when the descriptor's number has been given to another file
    /// since.
    public func cancel(_ watch: Watch) {
        watches.withLock { watches in
            guard watches.handlers[watch.descriptor]?.generation == watch.generation else { return }
            watches.handlers[watch.descriptor] = nil
            _ = cepoll_remove(epoll, watch.descriptor)
        }
    }
}

extension Reactor {
    private static let wakeToken = UInt64.max
    private static let eventsPerWait = 64
    /// How many rounds of jobs may run before descriptors are looked at again.
    private static let roundsPerWait = 16

    private func run() {
        thread.store(UInt(bitPattern: Int(bitPattern: pthread_self())), ordering: .relaxed)
        var ready = [cepoll_ready](repeating: cepoll_ready(), count: Self.eventsPerWait)
        while true {
            let count = cepoll_wait(epoll, &ready, runJobs() ? 0 : -1)
            inbox.withLock { $0.isAsleep = false }  // what handlers enqueue needs no signal
            for index in 0..<max(0, Int(count)) {
                dispatch(ready[index])
                // At once, so that a peer gets its next request while the events of others are still being looked at.
                runRound()
            }
        }
    }

    /// Runs what is queued. True when more is waiting; false when the inbox was left empty and marked asleep.
    private func runJobs() -> Bool {
        for _ in 0..<Self.roundsPerWait {
            if !runRound() { return !fallAsleep() }
        }
        return true
    }

    /// Runs what was queued when it is called. False when that was nothing.
    @discardableResult
    private func runRound() -> Bool {
        let jobs = inbox.withLock { inbox in
            let jobs = inbox.jobs
            inbox.jobs = []
            return jobs
        }
        for job in jobs {
            job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
        return !jobs.isEmpty
    }

    /// False when there are jobs.
    private func fallAsleep() -> Bool {
        inbox.withLock { inbox in
            inbox.isAsleep = inbox.jobs.isEmpty
            return inbox.isAsleep
        }
    }

    private func dispatch(_ ready: cepoll_ready) {
        if ready.token == Self.wakeToken {
            cepoll_drain(wake)
            return
        }
        let descriptor = Int32(truncatingIfNeeded: ready.token)
        let generation = UInt32(truncatingIfNeeded: ready.token >> 32)
        let handler = watches.withLock { watches -> Handler? in
            guard let entry = watches.handlers[descriptor], entry.generation == generation else { return nil }
            return entry.handler
        }
        handler?(Interest(events: ready.events))
    }
}

extension Reactor.Interest {
    fileprivate var events: UInt32 {
        (contains(.readable) ? cepoll_readable : 0) | (contains(.writable) ? cepoll_writable : 0)
    }

    fileprivate init(events: UInt32) {
        self = []
        if events & (cepoll_readable | cepoll_broken) != 0 { insert(.readable) }
        if events & (cepoll_writable | cepoll_broken) != 0 { insert(.writable) }
    }
}

/// The kernel refused to watch a descriptor.
public struct ReactorError: Error, CustomStringConvertible {
    public let errno: Int32
    public var description: String { "cannot watch the descriptor: \(String(cString: strerror(errno)))" }
}
