internal import Concurrency
public import NIOCore

/// Something took longer than it may.
public struct DeadlineExceeded: Error {
    public init() {}
}

/// Runs `body`, which is cancelled and `DeadlineExceeded` thrown when it takes longer than `limit`.
public func withDeadline<Value: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await Task.sleep(for: limit)  // the deadline itself
            throw DeadlineExceeded()
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

/// The same by the clock of an event loop, which costs next to nothing on its own thread; nil for any other clock.
public func withDeadline<Value: Sendable>(
    _ limit: Duration, on loop: (any EventLoop)?, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    guard let loop else { return try await withDeadline(limit, body) }
    let running = Lock(RunningTask())
    let alarm = loop.scheduleTask(in: TimeAmount(limit)) { running.withLock { $0.expire() } }
    defer { alarm.cancel() }
    do {
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask {
                withUnsafeCurrentTask { task in running.withLock { $0.begin(task) } }
                defer { running.withLock { $0.end() } }
                return try await body()
            }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    } catch  where running.withLock({ $0.isOver }) {
        throw DeadlineExceeded()
    }
}

/// The task that a deadline is for, while it is there to be cancelled.
private struct RunningTask: @unchecked Sendable {  // a task may be cancelled by any thread, until `end`
    private var task: UnsafeCurrentTask?
    private(set) var isOver = false

    mutating func begin(_ task: UnsafeCurrentTask?) {
        self.task = task
        if isOver { task?.cancel() }
    }

    mutating func end() { task = nil }

    mutating func expire() {
        isOver = true
        task?.cancel()
    }
}
