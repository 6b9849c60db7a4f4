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

    /// Who owns the project. A task is kept with its project, whoever made it.
    public var user: UUID
    /// A UUIDv7: later tasks have greater ids.
    public var id: UUID
    public var project: UUID
    /// The task of the same project that this one is a part of.
    public var parent: UUID?
    /// Trimmed, 1 to 500 characters, on one line.
    public var title: String
    /// Markdown.
    public var description: String
    public var status: Status
    public var priority: Priority
    public var due: Due?
    /// The day before which nobody needs to think of it.
    public var start: CivilDate?
    /// In minutes.
    public var estimate: Int?
    /// Sorted, each once.
    public var tags: [String]
    /// Among its siblings; see `FractionalIndex`.
    public var position: String
    public var created: Instant
    public var updated: Instant
    /// When it left `open`; nil while it is.
    public var completed: Instant?
    /// When it went into the bin; nil while it is not there.
    public var deleted: Instant?
    /// 1 for a new task, and one more after each change.
    public var version: Int
    /// The owner's change number as of the last change.
    public var seq: Int
    /// How it repeats; nil for a task that does not. The instances that are done keep what they were made by.
    public var recurrence: Series?

    public init(
        user: UUID, id: UUID, project: UUID, parent: UUID? = nil, title: String, description: String = "",
        status: Status = .open, priority: Priority = .none, due: Due? = nil, start: CivilDate? = nil,
        estimate: Int? = nil, tags: [String] = [], position: String, created: Instant, updated: Instant,
        completed: Instant? = nil, deleted: Instant? = nil, version: Int = 1, seq: Int, recurrence: Series? = nil
    ) {
        self.user = user
        self.id = id
        self.project = project
        self.parent = parent
        self.title = title
        self.description = description
        self.status = status
        self.priority = priority
        self.due = due
        self.start = start
        self.estimate = estimate
        self.tags = tags
        self.position = position
        self.created = created
        self.updated = updated
        self.completed = completed
        self.deleted = deleted
        self.version = version
        self.seq = seq
        self.recurrence = recurrence
    }
}

extension TodoTask.Priority {
    /// The word in the API.
    public var name: String {
        switch self {
        case .none: "none"
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        case .urgent: "urgent"
        }
    }

    public init?(name: String) {
        guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = known
    }
}

extension TodoTask {
    /// The limits of what a person may set.
    public enum Limits {
        public static let title = 500
        public static let description = 20_000
        public static let tags = 50
        public static let tag = 50
        /// A year, in minutes.
        public static let estimate = 525_600
    }

    /// What the server sets, by its name in the API; ignored when a client sends it.
    static let readOnlyNames: Set<String> = [
        "id", "user", "createdAt", "updatedAt", "completedAt", "deletedAt", "version", "seq",
    ]
}
