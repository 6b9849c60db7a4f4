/// A condition on a task. The parser makes the form that the three functions below make: no group of one, none directly
/// in a group of its own kind, no exclusion of an exclusion.
public indirect enum TaskFilter: Sendable, Hashable {
    /// All of these hold.
    case all([TaskFilter])
    /// At least one of these holds.
    case any([TaskFilter])
    case not(TaskFilter)
    case term(TaskTerm)

    public static let everything = TaskFilter.all([])

    public static func conjunction(_ filters: [TaskFilter]) -> TaskFilter {
        let parts = filters.flatMap { if case .all(let inner) = $0 { inner } else { [$0] } }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    /// Of one filter or more.
    public static func disjunction(_ filters: [TaskFilter]) -> TaskFilter {
        let parts = filters.flatMap { if case .any(let inner) = $0 { inner } else { [$0] } }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    public static func negation(_ filter: TaskFilter) -> TaskFilter {
        if case .not(let inner) = filter { inner } else { .not(filter) }
    }

    /// Whether a term for which `matches` is true stands anywhere in the filter, excluded or not.
    public func mentions(_ matches: (TaskTerm) -> Bool) -> Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.contains { $0.mentions(matches) }
        case .not(let part): part.mentions(matches)
        case .term(let term): matches(term)
        }
    }

    /// Whether the person says which statuses they want; a view that shows open tasks otherwise needs to know.
    public var mentionsStatus: Bool { mentions { if case .status = $0 { true } else { false } } }

    /// Whether the person says whether they want tasks that are in the bin.
    public var mentionsBin: Bool { mentions { $0 == .flag(.deleted) } }
}
