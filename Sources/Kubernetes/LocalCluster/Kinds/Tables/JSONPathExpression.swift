internal import StructuredData

/// The JSONPath of printer columns: `.status.conditions[?(@.type=="Ready")].status`, `.spec.parts[*].name`,
/// `.metadata.annotations['example\.com/key']`.
struct JSONPathExpression: Sendable, Hashable {
    enum Step: Sendable, Hashable {
        case member(String)
        case element(Int)
        case slice(from: Int?, to: Int?)
        case all
        case descend
        case filter(Filter)
    }

    struct Filter: Sendable, Hashable {
        let left: Operand
        /// Nil when the left side need only exist.
        let comparison: Comparison?
    }

    struct Comparison: Sendable, Hashable {
        let symbol: String
        let right: Operand
    }

    enum Operand: Sendable, Hashable {
        case path(JSONPathExpression)
        case literal(JSON)
    }

    let text: String
    let steps: [Step]

    init(text: String, steps: [Step]) {
        self.text = text
        self.steps = steps
    }

    /// Nil when `text` is not a path.
    init?(_ text: String) {
        var parser = JSONPathParser(text)
        guard let steps = parser.parseAll() else { return nil }
        self.init(text: text, steps: steps)
    }

    /// What the path finds; empty when a step is missing.
    func find(in root: JSON) -> [JSON] {
        var found = [root]
        for step in steps {
            found = found.flatMap { Self.apply(step, to: $0) }
            if found.isEmpty { break }
        }
        return found
    }

    private static func apply(_ step: Step, to value: JSON) -> [JSON] {
        switch step {
        case .member(let name): value[name].map { [$0] } ?? []
        case .element(let index): element(index, of: value)
        case .slice(let from, let to): slice(value.array ?? [], from: from, to: to)
        case .all: value.array ?? value.object.map { Array($0.values) } ?? []
        case .descend: descendants(of: value)
        case .filter(let filter): (value.array ?? []).filter(filter.accepts)
        }
    }

    private static func element(_ index: Int, of value: JSON) -> [JSON] {
        guard let elements = value.array else { return [] }
        let place = index < 0 ? elements.count + index : index
        return elements.indices.contains(place) ? [elements[place]] : []
    }

    private static func slice(_ elements: [JSON], from: Int?, to: Int?) -> [JSON] {
        func place(_ index: Int) -> Int { min(max(index < 0 ? elements.count + index : index, 0), elements.count) }
        let start = place(from ?? 0)
        let end = place(to ?? elements.count)
        return start < end ? Array(elements[start..<end]) : []
    }

    private static func descendants(of value: JSON) -> [JSON] {
        let children = value.array ?? value.object.map { Array($0.values) } ?? []
        return [value] + children.flatMap(descendants)
    }
}

extension JSONPathExpression.Filter {
    func accepts(_ element: JSON) -> Bool {
        guard let left = value(of: self.left, in: element) else { return false }
        guard let comparison else { return true }
        guard let right = value(of: comparison.right, in: element) else { return false }
        switch comparison.symbol {
        case "==": return left == right
        case "!=": return left != right
        default: return isOrdered(left, comparison.symbol, right)
        }
    }

    private func value(of operand: JSONPathExpression.Operand, in element: JSON) -> JSON? {
        switch operand {
        case .path(let path): path.find(in: element).first
        case .literal(let literal): literal
        }
    }

    private func isOrdered(_ left: JSON, _ symbol: String, _ right: JSON) -> Bool {
        func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
            switch symbol {
            case "<": left < right
            case "<=": left <= right
            case ">": left > right
            default: left >= right
            }
        }
        if let left = left.double, let right = right.double { return holds(left, right) }
        if let left = left.string, let right = right.string { return holds(left, right) }
        return false
    }
}
