import Concurrency
import Glibc
import HTTPTransport

/// A body of these chunks.
func body(_ chunks: [String]) -> ResponseBody {
    let rest = Lock(chunks.filter { !$0.isEmpty }[...])
    return ResponseBody { () async throws(HTTPTransportError) in
        rest.withLock { $0.popFirst() }.map { [UInt8]($0.utf8) }
    }
}

/// Something that happens once, and can be waited for.
final class Flag: Sendable {
    private let state = Lock<(isRaised: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    var isRaised: Bool { state.withLock { $0.isRaised } }

    func raise() {
        let waiting = state.withLock { state in
            state.isRaised = true
            let waiting = state.waiting
            state.waiting = []
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when it was raised. A cancelled task, such as a test past its time limit, waits no longer: it raises it.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRaised = state.withLock { state in
                    if !state.isRaised { state.waiting.append(continuation) }
                    return state.isRaised
                }
                if isRaised { continuation.resume() }
            }
        } onCancel: {
            raise()
        }
    }
}

/// Returns when the task is cancelled.
func waitForCancellation() async { await Flag().wait() }

/// Time that goes on when a test says so.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration = .zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State: Sendable {
        var now = Instant()
        var sleepers: [(until: Instant, flag: Flag)] = []
        var watchers: [(count: Int, flag: Flag)] = []
    }

    private let state = Lock(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let flag = Flag()
        let ready = state.withLock { state in
            if deadline <= state.now {
                flag.raise()
            } else {
                state.sleepers.append((deadline, flag))
            }
            return state.watchers.filter { $0.count <= state.sleepers.count }.map(\.flag)
        }
        for watcher in ready { watcher.raise() }
        await flag.wait()
        state.withLock { state in state.sleepers.removeAll { $0.flag === flag } }
        try Task.checkCancellation()
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.until <= state.now }
            state.sleepers.removeAll { $0.until <= state.now }
            return due.map(\.flag)
        }
        for flag in due { flag.raise() }
    }

    func waitForSleepers(_ count: Int) async {
        let flag = Flag()
        state.withLock { state in
            if state.sleepers.count >= count { flag.raise() } else { state.watchers.append((count, flag)) }
        }
        await flag.wait()
    }
}

/// Holds a server's thread until the test opens it.
final class BlockingGate: @unchecked Sendable {  // a semaphore may be used from any thread
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func open() { sem_post(semaphore) }
    func wait() { sem_wait(semaphore) }
}

func text(_ response: ClientResponse) async throws(HTTPTransportError) -> String {
    String(decoding: try await response.body.collect(upTo: 1 << 30), as: UTF8.self)
}

/// The transport's error that `work` ends with; nil when it ends well or with another error.
func failure(_ work: () async throws -> some Sendable) async -> HTTPTransportError? {
    do {
        _ = try await work()
        return nil
    } catch { return error as? HTTPTransportError }
}

extension HTTPTransportError {
    var tlsMessage: String? { if case .tls(let message) = self { message } else { nil } }
    var connectMessage: String? { if case .connect(let message) = self { message } else { nil } }
    var isConnectionLost: Bool { if case .connectionLost = self { true } else { false } }
    var isMalformedResponse: Bool { if case .malformedResponse = self { true } else { false } }
    var isInvalidRequest: Bool {
        switch self {
        case .invalidURL, .invalidRequest: true
        default: false
        }
    }
}
