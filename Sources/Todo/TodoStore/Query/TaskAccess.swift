internal import TodoModel

/// How PostgreSQL comes by the rows of a list: what its planner cannot know when it plans for all values at once.
struct TaskAccess: Sendable {
    /// Of the words and tags that all rows have: rows are found in `task_signatures`, in their order.
    let signature: SQLFragment?
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
            signature = hasProject || isNarrow || isDated ? nil : Self.signature(terms)
            isInOrder = signature != nil || !isNarrow && !isDated && (hasStatus || hasProject)
        case TaskSortKey(.due):
            signature = nil
            isInOrder = hasStatus && !hasProject && !isNarrow
        default:
            signature = nil
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

    private static func signature(_ terms: [TaskTerm]) -> SQLFragment? {
        var words: [String] = []
        var tags: [String] = []
        for term in terms {
            switch term {
            case .word(let text, isPrefix: false), .phrase(let text): words.append(text)
            case .tag(.name(let name)): tags.append(name.lowercased())
            default: break
            }
        }
        guard !words.isEmpty || !tags.isEmpty else { return nil }
        // What is a word is for PostgreSQL to say, as it did when it read the task.
        return "(SELECT task_signature(to_tsvector('simple', \(words.joined(separator: "\n"))), \(tags)))"
    }
}
