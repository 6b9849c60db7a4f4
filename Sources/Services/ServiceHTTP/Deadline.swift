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
