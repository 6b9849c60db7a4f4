/// Wakes up those who wait. It counts, so that none gets lost between looking and waiting.
public final class Signal: Sendable {
    private struct State {
        var count = 0
        var nextWaiter = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Waits that were over before they began.
        var over: Set<Int> = []
    }

    private let state = Lock(State())

    public init() {}

    /// How often it was given; pass it to `wait` to miss none since.
    public var count: Int { state.withLock { $0.count } }

    public func signal() {
        let waiting = state.withLock { state in
            state.count += 1
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns at the next signal (at once when there was one since `seen`), at the latest after `limit`, or when the
    /// task is cancelled.
    public func wait(since seen: Int? = nil, atMost limit: Duration) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let timer = Task {
            try? await Task.sleep(for: limit)  // the limit itself; cancelled when the wait ends
            wake(id)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.over.contains(id) || seen.map({ $0 != state.count }) ?? false { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            wake(id)
        }
        timer.cancel()
        await timer.value
        state.withLock { _ = $0.over.remove(id) }
    }

    private func wake(_ id: Int) {
        let continuation = state.withLock { state in
            let continuation = state.waiting.removeValue(forKey: id)
            if continuation == nil { state.over.insert(id) }
            return continuation
        }
        continuation?.resume()
    }
}
