internal import Concurrency

/// A state that tasks can wait for: closed until `open` is called.
public final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var nextID = 0
        var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
        var cancelled: Set<Int> = []
    }

    private let state = Lock(State())

    public init() {}

    public var isOpen: Bool { state.withLock { $0.isOpen } }

    public func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Closes it again for those who come to wait from now on.
    public func close() { state.withLock { $0.isOpen = false } }

    /// Returns once the latch is open. Throws `CancellationError` when the task is cancelled first.
    public func wait() async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in enter(id, continuation) }
        } onCancel: {
            let waiter = state.withLock { state in
                if let waiter = state.waiters.removeValue(forKey: id) { return Optional(waiter) }
                state.cancelled.insert(id)
                return nil
            }
            waiter?.resume(throwing: CancellationError())
        }
        _ = state.withLock { $0.cancelled.remove(id) }
    }

    private func enter(_ id: Int, _ continuation: CheckedContinuation<Void, any Error>) {
        enum Outcome { case waits, open, cancelled }
        let outcome: Outcome = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .cancelled }
            if state.isOpen { return .open }
            state.waiters[id] = continuation
            return .waits
        }
        switch outcome {
        case .waits: break
        case .open: continuation.resume()
        case .cancelled: continuation.resume(throwing: CancellationError())
        }
    }
}
