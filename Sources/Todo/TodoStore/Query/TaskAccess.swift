internal import TodoModel

/// How PostgreSQL comes by the rows of a list: what its planner cannot know when it plans for all values at once.
struct TaskAccess: Sendable {
    /// What all rows have, and are found by in the order that people make by hand.
    enum Guide: Sendable {
        /// In `task_tags`.
        case tag(String)
        /// Of words, and of tags beside them or of several: in `task_signatures`.
        case signature(SQLFragment)
    }

    let guide: Guide?
    /// There is an index in the list's order, and no other one that would leave fewer rows to look at.
    let isInOrder: Bool

    init(_ query: TaskQuery) {
        let terms = Self.conditions(query.filter)
        let order = TaskOrder(query)
        let hasStatus = terms.contains { if case .status(.some) = $0 { true } else { false } }
        let hasProject = terms.contains { if case .project(.id) = $0 { true } else { false } }
        let isNarrow = terms.contains(where: Self.isNarrow)
        switch order.keys.first {
        case TaskSortKey(.position) where order.keys.count == 1:
            let isDated = terms.contains(where: Self.isDated)
            guide = hasProject || isNarrow || isDated ? nil : Self.guide(terms)
            isInOrder = guide != nil || !isNarrow && !isDated && (hasStatus || hasProject)
        case TaskSortKey(.due):
            guide = nil
            isInOrder = hasStatus && !hasProject && !isNarrow
        default:
            guide = nil
            isInOrder = false
        }
    }

    /// What must hold of every row.
    private static func conditions(_ filter: TaskFilter) -> [TaskTerm] {
        switch filter {
        case .all(let parts): parts.flatMap(conditions)
        case .term(let term): [term]
        case .any, .not: []
        }
    }

    /// Whether few tasks are left, wherever they are in the order.
    private static func isNarrow(_ term: TaskTerm) -> Bool {
        switch term {
        case .parent(.id), .project(.name), .project(.missing), .flag(.deleted): true
        default: false
        }
    }

    /// Whether the index by due date begins or ends somewhere.
    private static func isDated(_ term: TaskTerm) -> Bool {
        switch term {
        case .overdue, .date(.due, .compared), .date(.due, .between): true
        default: false
        }
    }

    private static func guide(_ terms: [TaskTerm]) -> Guide? {
        var words: [String] = []
        var tags: [String] = []
        for term in terms {
            switch term {
            case .word(let text, isPrefix: false), .phrase(let text): words.append(text)
            case .tag(.name(let name)): tags.append(name.lowercased())
            default: break
            }
        }
        if words.isEmpty, tags.count < 2 { return tags.first.map(Guide.tag) }
        // What is a word is for PostgreSQL to say, as it did when it read the task.
        return .signature("(SELECT task_signature(to_tsvector('simple', \(words.joined(separator: "\n"))), \(tags)))")
    }
}
