internal import Postgres
internal import TodoModel

/// Turns a query into a condition on the rows of `tasks AS t`.
///
/// The text depends on the query's shape only, so that queries which differ in values share a prepared statement. Every
/// condition is true or false, never NULL, so that NOT of it is what the person means.
struct TaskFilterCompiler {
    let person: SQLPerson
    var calendar: SQLCalendar { SQLCalendar(person: person) }

    init(context: QueryContext) { person = SQLPerson(context) }
    init(person: SQLPerson) { self.person = person }

    func condition(_ query: TaskQuery) -> SQLFragment {
        let condition = condition(query.filter)
        return query.filter.mentionsBin ? condition : "(t.deleted_at IS NULL AND \(condition))"
    }

    private func condition(_ filter: TaskFilter) -> SQLFragment {
        switch filter {
        case .all(let parts): joined(parts, by: " AND ", empty: "true")
        case .any(let parts): joined(parts, by: " OR ", empty: "false")
        case .not(let part): "(NOT \(condition(part)))"
        case .term(let term): "(\(condition(term)))"
        }
    }

    private func joined(_ parts: [TaskFilter], by separator: String, empty: String) -> SQLFragment {
        parts.isEmpty ? "\(raw: empty)" : "(\(SQLFragment.joined(parts.map(condition), by: separator)))"
    }

    private func condition(_ term: TaskTerm) -> SQLFragment {
        switch term {
        case .word(let word, isPrefix: false): "t.search @@ (SELECT plainto_tsquery('simple', \(word)))"
        case .word(let word, isPrefix: true): "t.search @@ (SELECT to_tsquery('simple', \(Self.prefixQuery(word))))"
        case .phrase(let phrase): "t.search @@ (SELECT phraseto_tsquery('simple', \(phrase)))"
        case .date(let field, let condition): self.date(field, condition)
        case .overdue: "t.status = 'open' AND \(date(.due, .compared(.less, .now)))"
        case .priority(let condition): priority(condition)
        case .status(let status?): "t.status = \(status.rawValue)"
        case .status(nil): "true"
        case .tag(let condition): tag(condition)
        case .project(let condition): project(condition)
        case .parent(let condition): parent(condition)
        case .estimate(let condition): estimate(condition)
        case .flag(.subtask): "t.parent_id IS NOT NULL"
        case .flag(.deleted): "t.deleted_at IS NOT NULL"
        case .flag(.description): "t.description <> ''"
        }
    }

    /// A quoted lexeme with `:*` (PostgreSQL documentation, 12.3.2).
    private static func prefixQuery(_ word: String) -> String {
        var quoted = String.UnicodeScalarView("'".unicodeScalars)
        for scalar in word.unicodeScalars {
            if scalar == "'" || scalar == "\\" { quoted.append(scalar) }
            quoted.append(scalar)
        }
        return String(quoted) + "':*"
    }

    /// No priority is the lowest one, and `any` asks for one that is set.
    private func priority(_ condition: TaskCondition<TodoTask.Priority>) -> SQLFragment {
        switch condition {
        case .missing: "t.priority = 0"
        case .present: "t.priority > 0"
        case .compared(let comparison, let priority):
            "t.priority \(raw: comparison.rawValue) \(Int16(priority.rawValue))"
        case .between(let low, let high):
            "t.priority BETWEEN \(Int16(low.rawValue)) AND \(Int16(high.rawValue))"
        }
    }

    private func estimate(_ condition: TaskCondition<Int>) -> SQLFragment {
        switch condition {
        case .missing: "t.estimate_minutes IS NULL"
        case .present: "t.estimate_minutes IS NOT NULL"
        case .compared(let comparison, let minutes):
            """
            t.estimate_minutes IS NOT NULL
            AND t.estimate_minutes \(raw: comparison.rawValue) \(Int32(clamping: minutes))
            """
        case .between(let low, let high):
            """
            t.estimate_minutes IS NOT NULL
            AND t.estimate_minutes BETWEEN \(Int32(clamping: low)) AND \(Int32(clamping: high))
            """
        }
    }

    /// Tags are kept in lower case.
    private func tag(_ condition: TaskTerm.TagCondition) -> SQLFragment {
        switch condition {
        case .missing: "cardinality(t.tags) = 0"
        case .present: "cardinality(t.tags) > 0"
        case .name(let name): "\(name.lowercased()) = ANY (t.tags)"
        case .prefix(let prefix):
            "EXISTS (SELECT FROM unnest(t.tags) AS tags (tag) WHERE starts_with(tags.tag, \(prefix.lowercased())))"
        }
    }

    private func parent(_ condition: TaskTerm.ReferenceCondition) -> SQLFragment {
        switch condition {
        case .missing: "t.parent_id IS NULL"
        case .present: "t.parent_id IS NOT NULL"
        case .id(let id): "t.parent_id IS NOT NULL AND t.parent_id = \(id)"
        case .name: "false"
        }
    }

    /// A task that is in no project is in the inbox.
    private func project(_ condition: TaskTerm.ReferenceCondition) -> SQLFragment {
        switch condition {
        case .missing: "t.project_id = ANY (ARRAY(\(inbox)))"
        case .present: "t.project_id <> ALL (ARRAY(\(inbox)))"
        case .id(let id): "t.project_id = \(id)"
        case .name(let name):
            """
            t.project_id = ANY (ARRAY(
                SELECT p.id FROM projects AS p WHERE p.user_id = \(person.user) AND lower(p.name) = lower(\(name))
                UNION ALL
                SELECT p.id FROM project_members AS m JOIN projects AS p ON p.user_id = m.owner_id AND p.id = m.project_id
                WHERE m.member_id = \(person.user) AND lower(p.name) = lower(\(name))))
            """
        }
    }

    private var inbox: SQLFragment {
        "SELECT p.id FROM projects AS p WHERE p.user_id = \(person.user) AND p.is_inbox"
    }
}
