internal import CCurl
internal import CEpoll
internal import Concurrency

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The work of one transport, seen from outside: an inbox of commands, a lock that whoever works holds, a thread that
/// waits for the sockets, and the pool of spare handles.
///
/// While the thread sleeps, who leaves a command also carries it out, so that a request goes out without waking it. When
/// somebody is at work already, be it the thread, that one does it too: the busier, the more is done at a time.
final class CurlReactor: Sendable {
    enum Command: Sendable {
        case start(CurlTransfer)
        case resume(CurlTransfer)
        case abandon(CurlTransfer)
        case stop

        /// Cancellation handlers and deinitialisers run inside of other people's locks: no reader is woken from there.
        var isForCaller: Bool {
            switch self {
            case .start, .resume: true
            case .abandon, .stop: false
            }
        }
    }

    private struct Inbox: Sendable {
        var commands: [Command] = []
        /// The thread looks at nothing but its sockets.
        var isThreadAsleep = false
        var isClosed = false
    }

    let configuration: CurlTransport.Configuration
    private let epoll: CInt
    private let wake: CInt
    private let sockets: CurlSockets
    private let inbox = Lock(Inbox())
    private let loop: Lock<CurlLoop>
    private let spares = Lock<[CurlEasy]>([])
    private let thread = Lock<pthread_t?>(nil)
    private let epoch = ContinuousClock.now

    private static let isLibraryReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(configuration: CurlTransport.Configuration) {
        precondition(Self.isLibraryReady, "libcurl cannot be initialised")
        self.configuration = configuration
        epoll = cepoll_create()
        wake = cepoll_eventfd()
        precondition(epoll >= 0 && wake >= 0, "no descriptors left for HTTP (errno \(errno))")
        let status = cepoll_add(epoll, wake, cepoll_readable, CurlSockets.wakeToken)
        precondition(status == 0, "epoll refuses its own wake-up descriptor (errno \(status))")
        sockets = CurlSockets(epoll: epoll)
        loop = Lock(CurlLoop(configuration, sockets: sockets))
    }

    deinit {
        close(wake)
        close(epoll)
    }

    /// Time since the reactor was made.
    var now: Duration { epoch.duration(to: .now) }

    func start() {
        // The thread inherits the mask: the process's signals are never its business, and a broken connection must
        // not end the process by SIGPIPE.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var id = pthread_t()
        let status = pthread_create(
            &id, nil,
            { argument in
                guard let argument else { return nil }
                let reactor = Unmanaged<CurlReactor>.fromOpaque(argument).takeRetainedValue()
                cepoll_name_thread("http")
                reactor.serve()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(status == 0, "no thread for HTTP: pthread_create failed with \(status)")
        let started = id
        thread.withLock { $0 = started }
    }

    /// Ends the thread after it failed all transfers. Does nothing the second time.
    func stop(waiting: Bool) {
        submit(.stop)
        let running = thread.withLock { thread in
            let running = thread
            thread = nil
            return running
        }
        guard let running else { return }
        if waiting { pthread_join(running, nil) } else { pthread_detach(running) }
    }

    /// False when the reactor was stopped.
    @discardableResult
    func submit(_ command: Command) -> Bool {
        let (isTaken, isThreadAsleep) = inbox.withLock { inbox in
            guard !inbox.isClosed else { return (false, false) }
            inbox.commands.append(command)
            defer { if !command.isForCaller { inbox.isThreadAsleep = false } }
            return (true, inbox.isThreadAsleep)
        }
        if isThreadAsleep {
            if command.isForCaller { workOff() } else { cepoll_signal(wake) }
        }
        return isTaken
    }

    // MARK: Work

    private static let roundsAtOnce = 4

    /// Carries out what is in the inbox. Who finds somebody else at work can leave: that one looks at the inbox again
    /// after letting go of the lock.
    private func workOff() {
        for _ in 0..<Self.roundsAtOnce {
            let done = loop.withLockIfAvailable { loop -> (readers: [CurlTransfer], mustWake: Bool) in
                loop.run(takeCommands(), at: now)
                return (loop.takeTouched(), loop.mustWakeThread())
            }
            guard let done else { return }
            if done.mustWake { cepoll_signal(wake) }
            for transfer in done.readers { transfer.exchange.wakeReader() }
            guard inbox.withLock({ !$0.commands.isEmpty }) else { return }
        }
        cepoll_signal(wake)  // others leave commands without end: one caller is not to do it all
    }

    /// The thread.
    private func serve() {
        var ready = [cepoll_ready](repeating: cepoll_ready(), count: 64)
        var count = 0
        while true {
            let done = loop.withLock { loop -> (readers: [CurlTransfer], sleep: CInt)? in
                loop.run(takeCommands(), ready[..<count], at: now)
                return loop.isStopped ? nil : (loop.takeTouched(), loop.planSleep())
            }
            guard let done else { break }
            for transfer in done.readers { transfer.exchange.wakeReader() }
            let isAsleep = inbox.withLock { inbox in
                inbox.isThreadAsleep = inbox.commands.isEmpty
                return inbox.isThreadAsleep
            }
            count = max(0, Int(cepoll_wait(epoll, &ready, isAsleep ? done.sleep : 0)))
            inbox.withLock { $0.isThreadAsleep = false }
            if ready[..<count].contains(where: { $0.token == CurlSockets.wakeToken }) { cepoll_drain(wake) }
        }
        shutDown()
    }

    /// No command is taken from here on.
    private func shutDown() {
        inbox.withLock { $0.isClosed = true }
        let readers = loop.withLock { loop -> [CurlTransfer] in
            loop.run(takeCommands(), at: now)
            loop.shutDown()
            return loop.takeTouched()
        }
        for transfer in readers { transfer.exchange.wakeReader() }
    }

    private func takeCommands() -> [Command] {
        inbox.withLock { inbox in
            let commands = inbox.commands
            inbox.commands = []
            return commands
        }
    }

    // MARK: Handles

    private static let maxSpares = 64

    func easy() -> CurlEasy? {
        spares.withLock { $0.popLast() } ?? CurlEasy(configuration, sockets: sockets)
    }

    func putBack(_ easy: CurlEasy) {
        easy.reset()
        spares.withLock { if $0.count < Self.maxSpares { $0.append(easy) } }
    }
}
