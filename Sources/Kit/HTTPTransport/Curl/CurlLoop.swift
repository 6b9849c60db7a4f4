internal import CCurl

/// What the reactor's thread does: take commands, let libcurl work, wake readers, watch deadlines, wait.
final class CurlLoop {
    private(set) var now: Duration
    /// Transfers whose reader has something new to look at.
    var touched: [CurlTransfer] = []

    private let reactor: CurlReactor
    private let multi: UnsafeMutableRawPointer
    private var active: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    /// No deadline of an active transfer is earlier.
    private var nextDeadline: Duration?

    init(_ reactor: CurlReactor) {
        self.reactor = reactor
        multi = reactor.multi.handle
        now = reactor.now
    }

    func run() {
        while runOnce() {}
        let last = reactor.refuseCommands()
        for case .start(let transfer) in last { fail(transfer, .closed) }
        for transfer in active.values { end(transfer, .closed) }
        wakeReaders()
        curl_multi_cleanup(multi)
    }

    /// A request's deadlines count from here.
    func watch(_ deadlines: Deadlines) {
        guard let next = deadlines.next else { return }
        nextDeadline = min(next, nextDeadline ?? next)
    }

    /// False when it is time to stop.
    private func runOnce() -> Bool {
        var goesOn = true
        for command in reactor.takeCommands() {
            switch command {
            case .start(let transfer): start(transfer)
            case .resume(let transfer): resume(transfer)
            case .abandon(let transfer): end(transfer, .cancelled)
            case .stop: goesOn = false
            }
        }
        guard goesOn else { return false }
        var running: CInt = 0
        curl_multi_perform(multi, &running)
        collectFinished()
        expire()
        wakeReaders()
        if reactor.beginPolling() {
            curl_multi_poll(multi, nil, 0, pollMilliseconds, nil)
        }
        now = reactor.now
        return true
    }

    private func start(_ transfer: CurlTransfer) {
        // The reader may have left before the command came.
        guard !transfer.exchange.isFinished else { return transfer.giveBackEasy() }
        guard let easy = transfer.easy else { return fail(transfer, .connect("no memory for an HTTP request")) }
        easy.transfer = transfer
        transfer.loop = self
        active[easy.handle] = transfer
        watch(transfer.deadlines)
        let status = curl_multi_add_handle(multi, easy.handle)
        if status != CURLM_OK { end(transfer, .connect(String(cString: curl_multi_strerror(status)))) }
    }

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
            transfer.finished(ccurl_result(message))
            touched.append(transfer)
            detach(transfer)
        }
    }

    private func wakeReaders() {
        let awaited = touched
        touched = []
        for transfer in awaited {
            transfer.isTouched = false
            transfer.exchange.wakeReader()
        }
    }

    // MARK: Deadlines

    private func expire() {
        guard let due = nextDeadline, due <= now else { return }
        for transfer in active.values {
            guard let kind = transfer.deadlines.expired(at: now) else { continue }
            if kind == .idle { giveUpSilentConnection(of: transfer) }
            end(transfer, .timeout(kind))
        }
        nextDeadline = active.values.compactMap(\.deadlines.next).min()
    }

    /// A connection on which no other stream moves either is taken for dead: later requests must not wait on it.
    private func giveUpSilentConnection(of transfer: CurlTransfer) {
        guard let port = transfer.localPort, let idle = transfer.idleTimeout else { return }
        let isInUse = active.values.contains { other in
            other !== transfer && other.localPort == port && other.deadlines.isAlive(at: now, idle: idle)
        }
        if !isInUse { reactor.sockets.shutDown(localPort: port) }
    }

    /// Until the next deadline, rounded up; libcurl shortens it by its own timers.
    private var pollMilliseconds: CInt {
        guard let nextDeadline else { return 60_000 }
        return CInt(clamping: min(60_000, max(0, (nextDeadline - now).wholeMilliseconds + 1)))
    }
}
