internal import CCurl
internal import CEpoll

/// What makes requests go on: takes commands, lets libcurl work, watches deadlines. One thread at a time, under the
/// reactor's lock.
final class CurlLoop {
    private(set) var now = Duration.zero
    private(set) var isStopped = false
    /// Transfers whose reader has something new to look at.
    var touched: [CurlTransfer] = []

    private let multi: UnsafeMutableRawPointer
    private let sockets: CurlSockets
    private var active: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    /// No deadline of an active transfer is earlier.
    private var nextDeadline: Duration?
    /// When libcurl wants to be called although no socket is ready.
    private var curlDeadline: Duration?
    /// How long the reactor's thread sleeps if nothing comes; nil for ever.
    private var plannedWake: Duration?

    init(_ configuration: CurlTransport.Configuration, sockets: CurlSockets) {
        guard let handle = curl_multi_init() else { preconditionFailure("no memory for libcurl") }
        multi = handle
        self.sockets = sockets
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maxConnectionsPerHost)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maxConnectionsPerHost)
        ccurl_multi_set_on_socket(multi, CurlCallbacks.socket)
        ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, Unmanaged.passUnretained(sockets).toOpaque())
        ccurl_multi_set_on_timer(multi, CurlCallbacks.timer)
        ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, Unmanaged.passUnretained(self).toOpaque())
    }

    func run(_ commands: [CurlReactor.Command], _ events: ArraySlice<cepoll_ready> = [], at time: Duration) {
        now = time
        for command in commands {
            switch command {
            case .start(let transfer): start(transfer)
            case .resume(let transfer): resume(transfer)
            case .abandon(let transfer): giveUp(transfer, .cancelled)
            case .stop: isStopped = true
            }
        }
        guard !isStopped else { return }
        var running: CInt = 0
        for event in events {
            guard let (descriptor, readiness) = sockets.match(event) else { continue }
            curl_multi_socket_action(multi, descriptor, readiness, &running)
        }
        letCurlWork()
        expire()
    }

    /// Ends everything, once. libcurl must not be used from here on.
    func shutDown() {
        for transfer in active.values { end(transfer, .closed) }
        curl_multi_cleanup(multi)
    }

    func takeTouched() -> [CurlTransfer] {
        let readers = touched
        touched = []
        for transfer in readers { transfer.isTouched = false }
        return readers
    }

    /// A request's deadlines count from here.
    func watch(_ deadlines: Deadlines) {
        guard let next = deadlines.next else { return }
        nextDeadline = min(next, nextDeadline ?? next)
    }

    /// libcurl's timer; negative for none.
    func setTimer(milliseconds: Int) { curlDeadline = milliseconds < 0 ? nil : now + .milliseconds(milliseconds) }

    private static let roundsAtOnce = 8

    private func letCurlWork() {
        var running: CInt = 0
        for _ in 0..<Self.roundsAtOnce {
            collectFinished()
            guard let due = curlDeadline, due <= now else { return }
            curlDeadline = nil
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
        }
    }

    private func start(_ transfer: CurlTransfer) {
        // The reader may have left before the command came.
        guard !transfer.exchange.isFinished else { return transfer.giveBackEasy() }
        guard !isStopped else { return fail(transfer, .closed) }
        guard let easy = transfer.easy else { return fail(transfer, .connect("no memory for an HTTP request")) }
        easy.transfer = transfer
        transfer.loop = self
        active[easy.handle] = transfer
        watch(transfer.deadlines)
        let status = curl_multi_add_handle(multi, easy.handle)
        if status != CURLM_OK { end(transfer, .connect(String(cString: curl_multi_strerror(status)))) }
    }

    func isHungUp(localPort: Int) -> Bool { sockets.isHungUp(localPort: localPort) }

    private func resume(_ transfer: CurlTransfer) {
        guard let easy = transfer.easy, transfer.loop != nil else { return }
        transfer.deadlines.resumed(at: now)
        watch(transfer.deadlines)
        curl_easy_pause(easy.handle, CURLPAUSE_CONT)
    }

    /// Ends a transfer that libcurl has not ended. On HTTP/1.1 its connection is closed, on HTTP/2 its stream is reset.
    private func end(_ transfer: CurlTransfer, _ error: HTTPTransportError) {
        fail(transfer, error)
        detach(transfer)
    }

    private func fail(_ transfer: CurlTransfer, _ error: HTTPTransportError) {
        transfer.exchange.finish(.failure(error))
        touched.append(transfer)
    }

    private func detach(_ transfer: CurlTransfer) {
        guard let easy = transfer.easy, active.removeValue(forKey: easy.handle) != nil else { return }
        curl_multi_remove_handle(multi, easy.handle)
        transfer.giveBackEasy()
    }

    private func collectFinished() {
        var remaining: CInt = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let transfer = active[message.pointee.easy_handle] else {
                continue
            }
            // The message goes with its handle.
            let result = ccurl_result(message)
            if transfer.wantsFreshConnection, restart(transfer) { continue }
            transfer.finished(result)
            touched.append(transfer)
            detach(transfer)
        }
    }

    private func restart(_ transfer: CurlTransfer) -> Bool {
        guard let easy = transfer.easy else { return false }
        curl_multi_remove_handle(multi, easy.handle)
        transfer.startAnew()
        return curl_multi_add_handle(multi, easy.handle) == CURLM_OK
    }

    // MARK: Deadlines

    private func expire() {
        guard let due = nextDeadline, due <= now else { return }
        for transfer in active.values {
            guard let kind = transfer.deadlines.expired(at: now) else { continue }
            giveUp(transfer, .timeout(kind))
        }
        nextDeadline = active.values.compactMap(\.deadlines.next).min()
    }

    /// An answer that stayed away for so long says something about its connection, whoever gave up waiting for it:
    /// callers have deadlines of their own, which come as cancellations.
    private static let longSilence = Duration.seconds(3)
    /// The kernel counts in steps of this length or less.
    private static let tick = Duration.milliseconds(20)

    /// Ends a transfer that is waited for no longer.
    private func giveUp(_ transfer: CurlTransfer, _ error: HTTPTransportError) {
        if error == .timeout(.idle), let idle = transfer.idleTimeout {
            closeConnection(of: transfer, ifSilentFor: idle - Self.tick)
        } else if transfer.isUnanswered, transfer.deadlines.silence(at: now) >= Self.longSilence {
            closeConnection(of: transfer, ifSilentFor: Self.longSilence)
        }
        end(transfer, error)
    }

    /// A connection that brought nothing for any of its streams is taken for dead: later requests must not wait on it.
    /// One is silent through no fault of its own while a reader holds it back.
    private func closeConnection(of transfer: CurlTransfer, ifSilentFor span: Duration) {
        guard let port = transfer.localPort else { return }
        let isHeld = active.values.contains { $0.localPort == port && $0.deadlines.isHeld }
        if !isHeld { sockets.shutDown(localPort: port, ifSilentFor: span) }
    }

    // MARK: The thread's sleep

    private var nextWake: Duration? {
        guard let curlDeadline, let nextDeadline else { return curlDeadline ?? nextDeadline }
        return min(curlDeadline, nextDeadline)
    }

    /// For the thread, before it sleeps: for how many milliseconds, rounded up; -1 for ever.
    func planSleep() -> CInt {
        plannedWake = nextWake
        guard let plannedWake else { return -1 }
        return CInt(clamping: max(0, (plannedWake - now).wholeMilliseconds + 1))
    }

    /// For others, after they worked: whether the thread would sleep too long.
    func mustWakeThread() -> Bool {
        if isStopped { return true }
        guard let nextWake, plannedWake.map({ nextWake < $0 }) ?? true else { return false }
        plannedWake = nextWake
        return true
    }
}
