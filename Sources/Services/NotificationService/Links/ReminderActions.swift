public import FoundationEssentials
public import TodoModel
public import TodoStore

/// What somebody may do with a reminder that fired, by a link in a mail.
public protocol ReminderActions: Sendable {
    /// No more reminding of it. False when there is no such reminder, or no longer.
    func acknowledge(_ reminder: UUID, of user: UUID) async throws -> Bool
    /// Reminding again at that moment. False when there is no such reminder, or no longer.
    func snooze(_ reminder: UUID, until moment: Instant, of user: UUID) async throws -> Bool
}

extension ReminderStore: ReminderActions {
    public func acknowledge(_ reminder: UUID, of user: UUID) async throws -> Bool {
        try await isThere { _ = try await acknowledge(reminder, by: user) }
    }

    public func snooze(_ reminder: UUID, until moment: Instant, of user: UUID) async throws -> Bool {
        try await isThere { _ = try await snooze(reminder, until: moment, by: user) }
    }

    private func isThere(_ body: () async throws -> Void) async throws -> Bool {
        do { try await body() } catch StoreError.notFound { return false }
        return true
    }
}
