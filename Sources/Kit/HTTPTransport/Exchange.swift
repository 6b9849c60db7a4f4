internal import Concurrency

/// The meeting point of one response's receiver (a reactor's thread, a handler's task) and its reader.
final class Exchange: Sendable {
    private struct Guarded: Sendable {
        var state: ExchangeState
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let guarded: Lock<Guarded>

    init(bufferLimit: Int) { guarded = Lock(Guarded(state: ExchangeState(bufferLimit: bufferLimit))) }

    var isFinished: Bool { guarded.withLock { $0.state.isFinished } }

    func receive(head: ResponseHead) { guarded.withLock { $0.state.receive(head: head) } }

    func receive(_ bytes: UnsafeRawBufferPointer) -> ExchangeState.Reception {
        guarded.withLock { $0.state.receive(bytes) }
    }

    func finish(_ result: Result<Void, HTTPTransportError>) { guarded.withLock { $0.state.finish(result) } }

    /// Lets the reader look at what was received since. Apart from `receive`, so that a reader whose whole response
    /// came at once is woken once.
    func wakeReader() {
        let waiting = guarded.withLock { guarded in
            let waiting = guarded.waiting
            guarded.waiting = []
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Ends the exchange from the reader's side. Returns whether there is a transfer to end.
    func cancel(_ error: HTTPTransportError) -> Bool {
        let wasRunning = guarded.withLock { $0.state.cancel(error) }
        wakeReader()
        return wasRunning
    }

    func takeHead() -> Result<ResponseHead, HTTPTransportError>? { guarded.withLock { $0.state.takeHead() } }

    func takeChunk() -> ExchangeState.Reading { guarded.withLock { $0.state.takeChunk() } }

    /// Returns when there may be something to take.
    func waitForNews() async {
        await withCheckedContinuation { continuation in
            let hasNews = guarded.withLock { guarded in
                guard guarded.state.hasNews else {
                    guarded.waiting.append(continuation)
                    return false
                }
                return true
            }
            if hasNews { continuation.resume() }
        }
    }
}

/// The side that receives a response, as its reader sees it. Both may be called at any time, also after the end.
protocol ExchangeSender: Sendable {
    /// The reader made room for more.
    func resume()
    /// Nobody will read on: the transfer is to end now.
    func abandon()
}

/// The reading end of an exchange. Cancelling the task that waits, or letting go of the reader, ends the transfer.
final class ExchangeReader: Sendable {
    private let exchange: Exchange
    private let sender: any ExchangeSender
    private let owner: any Sendable

    /// `owner` is what the sender needs to stay: it is kept for as long as the reader.
    init(_ exchange: Exchange, sender: any ExchangeSender, owner: any Sendable) {
        self.exchange = exchange
        self.sender = sender
        self.owner = owner
    }

    deinit { cancel() }

    func head() async throws(HTTPTransportError) -> ResponseHead {
        while true {
            if Task.isCancelled { cancel() }
            if let head = exchange.takeHead() { return try head.get() }
            await waitForNews()
        }
    }

    /// One chunk, nil at the end of the body.
    func next() async throws(HTTPTransportError) -> [UInt8]? {
        while true {
            if Task.isCancelled { cancel() }
            switch exchange.takeChunk() {
            case .chunk(let bytes, let resumesSender):
                if resumesSender { sender.resume() }
                return bytes
            case .end: return nil
            case .failed(let error): throw error
            case .nothingYet: await waitForNews()
            }
        }
    }

    private func waitForNews() async {
        await withTaskCancellationHandler {
            await exchange.waitForNews()
        } onCancel: {
            cancel()
        }
    }

    private func cancel() {
        if exchange.cancel(.cancelled) { sender.abandon() }
    }
}
