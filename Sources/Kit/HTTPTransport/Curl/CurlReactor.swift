internal import CCurl
internal import Concurrency

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The thread of one transport, seen from outside: an inbox of commands and the pool of spare handles.
final class CurlReactor: Sendable {
    enum Command: Sendable {
        case start(CurlTransfer)
        case resume(CurlTransfer)
        case abandon(CurlTransfer)
        case stop
    }

    private struct Inbox: Sendable {
        var commands: [Command] = []
        /// The thread looks at nothing but sockets and the wake-up.
        var isPolling = false
        var isStopped = false
    }

    /// libcurl's multi handle. The loop's thread uses it; others only for `curl_multi_wakeup`, which may be called from
    /// any thread.
    struct Multi: @unchecked Sendable {  // see above
        let handle: UnsafeMutableRawPointer
    }

    let multi: Multi
    let configuration: CurlTransport.Configuration
    let sockets = CurlSockets()
    private let inbox = Lock(Inbox())
    private let spares = Lock<[CurlEasy]>([])
    private let thread = Lock<pthread_t?>(nil)
    private let epoch = ContinuousClock.now

    private static let isLibraryReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(configuration: CurlTransport.Configuration) {
        precondition(Self.isLibraryReady, "libcurl cannot be initialised")
        guard let handle = curl_multi_init() else { preconditionFailure("no memory for libcurl") }
        ccurl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxConnectionsPerHost)
        ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, configuration.maxConnectionsPerHost)
        multi = Multi(handle: handle)
        self.configuration = configuration
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
                CurlLoop(reactor).run()
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
        inbox.withLock { inbox in
            guard !inbox.isStopped else { return false }
            inbox.commands.append(command)
            if inbox.isPolling {
                inbox.isPolling = false
                // Under the lock, since the loop frees the handle after it set `isStopped`.
                curl_multi_wakeup(multi.handle)
            }
            return true
        }
    }

    // MARK: For the loop

    func takeCommands() -> [Command] {
        inbox.withLock { inbox in
            inbox.isPolling = false
            let commands = inbox.commands
            inbox.commands = []
            return commands
        }
    }

    /// False when there are commands: do not wait.
    func beginPolling() -> Bool {
        inbox.withLock { inbox in
            inbox.isPolling = inbox.commands.isEmpty
            return inbox.isPolling
        }
    }

    /// No command is taken from here on. Returns the last ones.
    func refuseCommands() -> [Command] {
        inbox.withLock { inbox in
            inbox.isStopped = true
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
