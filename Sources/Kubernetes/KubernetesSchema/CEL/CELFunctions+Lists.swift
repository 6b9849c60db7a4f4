extension CELEvaluator {
    /// Kubernetes' list library, and cel-go's.
    mutating func lists(_ name: String, _ list: CELList, _ arguments: [CELValue]) throws(CELError) -> CELValue? {
        let values = list.values
        try pay(values.count)
        switch (name, arguments.count) {
        case ("isSorted", 0):
            for (left, right) in zip(values, values.dropFirst()) {
                guard let order = left.compare(right) else { throw .noSuchOverload }
                if order == .greater { return .bool(false) }
            }
            return .bool(true)
        case ("sum", 0): return try sum(values)
        case ("min", 0): return try extremum(values, .less, name)
        case ("max", 0): return try extremum(values, .greater, name)
        case ("indexOf", 1): return .int(values.firstIndex { $0.equals(arguments[0]) } ?? -1)
        case ("lastIndexOf", 1): return .int(values.lastIndex { $0.equals(arguments[0]) } ?? -1)
        case ("distinct", 0): return .list(CELList(try distinct(values)))
        case ("sort", 0): return .list(CELList(try sorted(values.map { ($0, $0) })))
        case ("reverse", 0): return .list(CELList(values.reversed()))
        case ("first", 0): return .optional(values.first)
        case ("last", 0): return .optional(values.last)
        case ("flatten", 0): return .list(CELList(try flatten(values, depth: 1)))
        case ("flatten", 1):
            guard case .int(let depth) = arguments[0] else { return nil }
            if depth < 0 { throw .evaluation("level must be non-negative") }
            return .list(CELList(try flatten(values, depth: min(depth, CELNode.maximumDepth))))
        case ("slice", 2):
            guard case .int(let start) = arguments[0], case .int(let end) = arguments[1] else { return nil }
            guard 0 <= start, start <= end, end <= values.count else {
                throw .evaluation("cannot slice(\(start), \(end)), list is length \(values.count)")
            }
            return .list(CELList(Array(values[start..<end])))
        case ("join", 0), ("join", 1): return try join(values, arguments.first ?? .string(""))
        default: return nil
        }
    }

    private mutating func sum(_ values: [CELValue]) throws(CELError) -> CELValue {
        guard var total = values.first else { return .int(0) }
        for value in values.dropFirst() {
            guard let next = try? apply("_+_", [total, value], isMember: false) else {
                throw .evaluation("integer overflow")
            }
            total = next
        }
        return total
    }

    private func extremum(
        _ values: [CELValue], _ wanted: CELValue.Ordering, _ name: String
    ) throws(CELError) -> CELValue {
        guard var best = values.first else { throw .evaluation("\(name) called on empty list") }
        for value in values.dropFirst() {
            guard let order = value.compare(best) else { throw .noSuchOverload }
            if order == wanted { best = value }
        }
        return best
    }

    private mutating func distinct(_ values: [CELValue]) throws(CELError) -> [CELValue] {
        var result: [CELValue] = []
        for value in values {
            try pay(result.count)
            if !result.contains(where: { $0.equals(value) }) { result.append(value) }
        }
        return result
    }

    private mutating func flatten(_ values: [CELValue], depth: Int) throws(CELError) -> [CELValue] {
        var result: [CELValue] = []
        for value in values {
            try pay(1)
            if case .list(let inner) = value, depth > 0 {
                result += try flatten(inner.values, depth: depth - 1)
            } else {
                result.append(value)
            }
        }
        return result
    }

    private mutating func join(_ values: [CELValue], _ separator: CELValue) throws(CELError) -> CELValue {
        guard case .string(let separator) = separator else { throw .noSuchOverload }
        var texts: [String] = []
        for value in values {
            guard case .string(let text) = value else { throw .noSuchOverload }
            try pay((text.utf8.count + separator.utf8.count) / 10)
            texts.append(text)
        }
        return .string(texts.joined(separator: separator))
    }
}
