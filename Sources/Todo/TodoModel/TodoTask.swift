public import FoundationEssentials

/// One thing to do. (`Task` is Swift's own.)
public struct TodoTask: Sendable, Hashable, Identifiable {
    public enum Status: String, Sendable, Hashable, CaseIterable {
        case open, done, cancelled
    }

    /// In ascending order of urgency; the raw value is the rank.
    public enum Priority: Int, Sendable, Hashable, CaseIterable, Comparable {
        case none, low, medium, high, urgent

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// What a person may set.
    public struct Content: Sendable, Hashable {
        /// Trimmed, 1 to 500 characters, on one line.
        public var title: String
        public var notes: String
        public var status: Status
        public var priority: Priority

        public init(title: String, notes: String = "", status: Status = .open, priority: Priority = .none) {
            self.title = title
            self.notes = notes
            self.status = status
            self.priority = priority
        }
    }

    /// A UUIDv7: later tasks have greater ids.
    public let id: UUID
    public let content: Content
    public let created: Instant
    public let updated: Instant
    /// 1 for a new task, and one more after each change.
    public let version: Int

    public init(id: UUID, content: Content, created: Instant, updated: Instant, version: Int) {
        self.id = id
        self.content = content
        self.created = created
        self.updated = updated
        self.version = version
    }

    /// A task that is made now.
    public init(id: UUID, content: Content, created: Instant) {
        self.init(id: id, content: content, created: created, updated: created, version: 1)
    }

    /// The task after a change; itself when nothing is different.
    public func changed(to content: Content, at instant: Instant) -> TodoTask {
        guard content != self.content else { return self }
        return TodoTask(id: id, content: content, created: created, updated: instant, version: version + 1)
    }
}

extension TodoTask.Priority {
    /// The word in the API.
    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = known
    }
}
