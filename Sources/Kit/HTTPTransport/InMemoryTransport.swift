internal import Concurrency

/// Answers requests from a closure in this process, with what holds for a transport over the network: the response is
/// handed out when its head is there, a body that is not read holds the handler back (past 256 KiB), chunks may be
/// joined, cancelling the reading task or letting go of a response cancels the handler's task, deadlines count.
///
/// An `HTTPTransportError` that the handler throws reaches the caller as it is, any other error as `connectionLost`.
public struct InMemoryTransport: HTTPTransport {
    /// Called in a task of its own for each request; that task also draws the body.
    public typealias Handler = @Sendable (ClientRequest) async throws -> ClientResponse

    private let handler: Handler
    private let time: Timekeeper

    /// `clock` is what idle and total deadlines go by; there is nothing to connect to.
    public init(clock: some Clock<Duration> = ContinuousClock(), handler: @escaping Handler) {
        self.handler = handler
        time = Timekeeper(clock)
    }

    public func send(_ request: ClientRequest) async throws(HTTPTransportError) -> ClientResponse {
        guard !Task.isCancelled else { throw .cancelled }
        _ = try RequestPlan(request, tlsServerName: nil)
        let transfer = InMemoryTransfer(time: time, idleTimeout: request.idleTimeout, total: request.totalTimeout)
        let reader = ExchangeReader(transfer.exchange, sender: transfer, owner: self)
        transfer.start { [handler] in try await handler(request) }
        guard case .parsed(let status, let headers) = try await reader.head() else {
            throw .malformedResponse("no response head")
        }
        return ClientResponse(
            status: status, headers: headers,
            body: ResponseBody { () async throws(HTTPTransportError) in try await reader.next() })
    }
}

/// A clock without its type: time as durations since its start.
struct Timekeeper: Sendable {
    let now: @Sendable () -> Duration
    /// Throws when the task is cancelled.
    let sleep: @Sendable (Duration) async throws -> Void

    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        now = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
    }
}

/// One request's way through a handler: a task that runs it and, where there are deadlines, one that watches them.
private final class InMemoryTransfer: ExchangeSender {
    private struct Guarded: Sendable {
        var deadlines: Deadlines
        var tasks: [Task<Void, Never>] = []
        var isEnded = false
        /// The handler's task, waiting for the reader to make room.
        var waitingForRoom: CheckedContinuation<Void, Never>?
        var hasRoom = false
    }

    let exchange = Exchange(bufferLimit: 256 << 10)
    private let time: Timekeeper
    private let idleTimeout: Duration?
    private let guarded: Lock<Guarded>

    init(time: Timekeeper, idleTimeout: Duration?, total: Duration?) {
        self.time = time
        self.idleTimeout = idleTimeout
        var deadlines = Deadlines(start: time.now(), connect: nil, idle: idleTimeout, total: total)
        deadlines.connected(at: time.now())
        guarded = Lock(Guarded(deadlines: deadlines))
    }

    func start(_ handler: @escaping @Sendable () async throws -> ClientResponse) {
        run { await self.pass(on: handler) }
        if guarded.withLock({ $0.deadlines.next != nil }) { run { await self.watchDeadlines() } }
    }

    func resume() {
        let now = time.now()
        let waiting = guarded.withLock { guarded in
            guarded.deadlines.resumed(at: now)
            guarded.hasRoom = true
            let waiting = guarded.waitingForRoom
            guarded.waitingForRoom = nil
            return waiting
        }
        waiting?.resume()
    }

    func abandon() { end(.failure(.cancelled)) }

    private func run(_ work: @escaping @Sendable () async -> Void) {
        let task = Task(operation: work)
        let isEnded = guarded.withLock { guarded in
            if !guarded.isEnded { guarded.tasks.append(task) }
            return guarded.isEnded
        }
        if isEnded { task.cancel() }
    }

    private func end(_ result: Result<Void, HTTPTransportError>) {
        exchange.finish(result)
        exchange.wakeReader()
        let tasks = guarded.withLock { guarded in
            guarded.isEnded = true
            let tasks = guarded.tasks
            guarded.tasks = []
            return tasks
        }
        for task in tasks { task.cancel() }
        resume()
    }

    private func pass(on handler: () async throws -> ClientResponse) async {
        do {
            let response = try await handler()
            moved()
            exchange.receive(head: .parsed(response.status, response.headers))
            exchange.wakeReader()
            for try await chunk in response.body {
                guard await deliver(chunk) else { return }
            }
            end(.success(()))
        } catch let error as HTTPTransportError {
            end(.failure(error))
        } catch {
            end(.failure(.connectionLost("the handler failed: \(error)")))
        }
    }

    /// False when nobody reads on.
    private func deliver(_ chunk: [UInt8]) async -> Bool {
        moved()
        while true {
            guarded.withLock { $0.hasRoom = false }
            switch chunk.withUnsafeBytes({ exchange.receive($0) }) {
            case .unwanted: return false
            case .taken:
                exchange.wakeReader()
                return true
            case .full: await waitForRoom()
            }
        }
    }

    private func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let goesOn = guarded.withLock { guarded in
                guard !guarded.hasRoom, !guarded.isEnded else { return true }
                guarded.deadlines.held()
                guarded.waitingForRoom = continuation
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    private func moved() {
        let now = time.now()
        guarded.withLock { $0.deadlines.moved(at: now) }
    }

    private func watchDeadlines() async {
        while true {
            let now = time.now()
            let (expired, next) = guarded.withLock { ($0.deadlines.expired(at: now), $0.deadlines.next) }
            if let expired { return end(.failure(.timeout(expired))) }
            // While the reader holds the handler back, silence is looked at again after another idle time.
            guard let wake = next ?? idleTimeout.map({ now + $0 }) else { return }
            do { try await time.sleep(wake - now) } catch { return }
        }
    }
}
