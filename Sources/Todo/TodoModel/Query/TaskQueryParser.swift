/// Reads a query by recursive descent:
///
///     query       = disjunction
///     disjunction = conjunction *( "or" conjunction )
///     conjunction = operand *( ["and"] operand )
///     operand     = ["-" / "not"] ( "(" disjunction ")" / term ) / sort
struct TaskQueryParser {
    private var lexer: TaskQueryLexer
    private var token: TaskQueryToken?
    private var terms = 0
    private var sort: [TaskSortKey]?

    init(_ text: String) throws(TaskQueryError) {
        lexer = try TaskQueryLexer(text)
        token = try lexer.next()
    }

    func error(_ message: String, _ range: Range<Int>) -> TaskQueryError { lexer.error(message, range) }

    mutating func query() throws(TaskQueryError) -> TaskQuery {
        let filter = try disjunction(depth: 0) ?? .everything
        if let token { throw error("this parenthesis closes none; take it away or put ( before it", token.range) }
        return TaskQuery(filter: filter, sort: sort ?? [])
    }

    /// Nil when there is no term.
    private mutating func disjunction(depth: Int) throws(TaskQueryError) -> TaskFilter? {
        var alternatives = [try conjunction(depth: depth)]
        while let or = token, case .or = or.kind {
            try advance()
            let next = try conjunction(depth: depth)
            guard alternatives.last != .some(nil), next != nil else {
                throw error("or needs a term on both sides; to search for the word, quote it", or.range)
            }
            alternatives.append(next)
        }
        let filters = alternatives.compactMap(\.self)
        return filters.isEmpty ? nil : .disjunction(filters)
    }

    private mutating func conjunction(depth: Int) throws(TaskQueryError) -> TaskFilter? {
        var filters: [TaskFilter] = []
        while let current = token {
            switch current.kind {
            case .close, .or: return filters.isEmpty ? nil : .conjunction(filters)
            case .and:
                try advance()
                guard !filters.isEmpty, startsOperand else {
                    throw error("and needs a term on both sides; to search for the word, quote it", current.range)
                }
            case .field(let field) where field.name == "sort":
                guard depth == 0 else {
                    throw error("sort orders the whole list; write it outside of parentheses", current.range)
                }
                guard sort == nil else {
                    throw error("sort is given twice; write its keys together: sort:due,-priority", current.range)
                }
                sort = try sortKeys(field)
                try advance()
            default: filters.append(try operand(current, depth: depth))
            }
        }
        return filters.isEmpty ? nil : .conjunction(filters)
    }

    private mutating func operand(_ first: TaskQueryToken, depth: Int) throws(TaskQueryError) -> TaskFilter {
        switch first.kind {
        case .minus, .not:
            try checkDepth(depth + 1, first)
            try advance()
            let isAdjacent = token?.range.lowerBound == first.range.upperBound
            guard let excluded = token, startsOperand, isAdjacent || first.range.count > 1 else {
                let sign = first.range.count > 1 ? "not" : "-"
                throw error("\(sign) needs a term right after it; to search for \(sign), quote it", first.range)
            }
            if case .field(let field) = excluded.kind, field.name == "sort" {
                throw error("sort cannot be excluded; for descending order write sort:-due", excluded.range)
            }
            return .negation(try operand(excluded, depth: depth + 1))
        case .open:
            try checkDepth(depth + 1, first)
            try advance()
            let group = try disjunction(depth: depth + 1)
            guard token != nil else { throw error("the parenthesis is not closed; put ) at its end", first.range) }
            guard let group else { throw error("there is no term between the parentheses", first.range) }
            try advance()
            return group
        default:
            terms += 1
            if terms > TaskQuery.termLimit {
                throw error("too many terms: at most \(TaskQuery.termLimit) are allowed", first.range)
            }
            let term = try self.term(first)
            try advance()
            return .term(term)
        }
    }

    private var startsOperand: Bool {
        switch token?.kind {
        case nil, .close, .and, .or: false
        default: true
        }
    }

    private mutating func advance() throws(TaskQueryError) { token = try lexer.next() }

    private func checkDepth(_ depth: Int, _ token: TaskQueryToken) throws(TaskQueryError) {
        if depth > TaskQuery.depthLimit {
            throw error("nested too deep: at most \(TaskQuery.depthLimit) levels are allowed", token.range)
        }
    }
}
