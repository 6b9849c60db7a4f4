/// Runs `body` in a child task, and gives what it gives. A task keeps the memory of its deepest call for as long as it
/// lives, which is some 20 KB for a query: one that then waits for long has what goes deep done by a child.
public func inChildTask<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(operation: body)
        guard let value = try await group.next() else { preconditionFailure("a task was added") }
        return value
    }
}
