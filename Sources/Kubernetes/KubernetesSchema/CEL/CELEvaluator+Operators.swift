extension CELEvaluator {
    /// Calls a function or operator; members have their receiver first.
    mutating func apply(_ name: String, _ values: [CELValue], isMember: Bool) throws(CELError) -> CELValue {
        if values.count == 2, let result = try binary(name, values[0], values[1]) { return result }
        if values.count == 1, let result = try unary(name, values[0]) { return result }
        if let first = values.first, isMember, let result = try member(name, first, Array(values.dropFirst())) {
            return result
        }
        if !isMember, let result = try function(name, values) { return result }
        throw .noSuchOverload
    }

    private func unary(_ name: String, _ value: CELValue) throws(CELError) -> CELValue? {
        switch (name, value) {
        case ("!_", .bool(let value)): return .bool(!value)
        case ("-_", .int(let value)): return .int(try checked(Int(0).subtractingReportingOverflow(value)))
        case ("-_", .double(let value)): return .double(-value)
        case ("-_", .duration(let value)):
            return .duration(
                GoDuration(nanoseconds: try checked(Int(0).subtractingReportingOverflow(value.nanoseconds))))
        default: return nil
        }
    }

    private mutating func binary(
        _ name: String, _ left: CELValue, _ right: CELValue
    ) throws(CELError) -> CELValue? {
        switch name {
        case "_==_":
            try payForEquality(left, right)
            return .bool(left.equals(right))
        case "_!=_":
            try payForEquality(left, right)
            return .bool(!left.equals(right))
        case "_<_", "_<=_", "_>_", "_>=_":
            guard let order = left.compare(right) else { throw .noSuchOverload }
            switch name {
            case "_<_": return .bool(order == .less)
            case "_<=_": return .bool(order == .less || order == .equal)
            case "_>_": return .bool(order == .greater)
            default: return .bool(order == .greater || order == .equal)
            }
        case "_+_", "_-_", "_*_", "_/_", "_%_": return try arithmetic(name, left, right)
        case "@in": return try contains(right, left)
        case "_[_]": return try index(left, right)
        case "_[?_]":
            guard case .optional(let inner) = left else { return .optional(try optionalIndex(left, right)) }
            guard let inner else { return .optional(nil) }
            return .optional(try optionalIndex(inner, right))
        default: return nil
        }
    }

    /// Comparing sets looks at each pair.
    private mutating func payForEquality(_ left: CELValue, _ right: CELValue) throws(CELError) {
        guard case .list(let first) = left, case .list(let second) = right else { return }
        let isUnordered = (first.schema ?? second.schema).map { $0.listType != .atomic } ?? false
        let (product, overflows) = first.count.multipliedReportingOverflow(by: second.count)
        try pay(isUnordered ? (overflows ? Int.max : product) : first.count)
    }

    private mutating func contains(_ container: CELValue, _ value: CELValue) throws(CELError) -> CELValue {
        switch container {
        case .list(let list):
            try pay(list.count)
            return .bool(list.values.contains { $0.equals(value) })
        case .map(let map): return .bool(map[value] != nil)
        default: throw .noSuchOverload
        }
    }

    private func index(_ target: CELValue, _ key: CELValue) throws(CELError) -> CELValue {
        if let value = try optionalIndex(target, key) { return value }
        if case .list = target { throw .evaluation("index out of bounds: \(CELConversion.text(key) ?? "?")") }
        throw .noSuchKey(CELConversion.text(key) ?? key.typeName)
    }

    private func optionalIndex(_ target: CELValue, _ key: CELValue) throws(CELError) -> CELValue? {
        switch (target, key) {
        case (.list(let list), .int(let index)): return (0..<list.count).contains(index) ? list[index] : nil
        case (.list(let list), .uint(let index)): return index < UInt(list.count) ? list[Int(index)] : nil
        case (.list(let list), .double(let value)):
            guard let index = Int(exactly: value) else { throw .noSuchOverload }
            return (0..<list.count).contains(index) ? list[index] : nil
        case (.map(let map), _): return map[key]
        default: throw .noSuchOverload
        }
    }

    func checked(_ result: (partialValue: Int, overflow: Bool)) throws(CELError) -> Int {
        if result.overflow { throw .evaluation("integer overflow") }
        return result.partialValue
    }

    private func checked(_ result: (partialValue: UInt, overflow: Bool)) throws(CELError) -> UInt {
        if result.overflow { throw .evaluation("unsigned integer overflow") }
        return result.partialValue
    }

    private mutating func arithmetic(
        _ name: String, _ left: CELValue, _ right: CELValue
    ) throws(CELError) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return .int(try arithmetic(name, left, right))
        case (.uint(let left), .uint(let right)): return .uint(try arithmetic(name, left, right))
        case (.double(let left), .double(let right)):
            switch name {
            case "_+_": return .double(left + right)
            case "_-_": return .double(left - right)
            case "_*_": return .double(left * right)
            case "_/_": return .double(left / right)
            default: throw .noSuchOverload
            }
        case (.string(let left), .string(let right)) where name == "_+_":
            try pay((left.utf8.count + right.utf8.count) / 10)
            return .string(left + right)
        case (.bytes(let left), .bytes(let right)) where name == "_+_":
            try pay((left.count + right.count) / 10)
            return .bytes(left + right)
        case (.list(let left), .list(let right)) where name == "_+_":
            let isUnordered = left.schema.map { $0.listType != .atomic } ?? false
            try pay(isUnordered ? left.count * right.count : left.count + right.count)
            return .list(left.appending(right))
        default: return try temporal(name, left, right)
        }
    }

    private func arithmetic(_ name: String, _ left: Int, _ right: Int) throws(CELError) -> Int {
        switch name {
        case "_+_": return try checked(left.addingReportingOverflow(right))
        case "_-_": return try checked(left.subtractingReportingOverflow(right))
        case "_*_": return try checked(left.multipliedReportingOverflow(by: right))
        case "_/_":
            if right == 0 { throw .evaluation("division by zero") }
            return try checked(left.dividedReportingOverflow(by: right))
        default:
            if right == 0 { throw .evaluation("modulus by zero") }
            return try checked(left.remainderReportingOverflow(dividingBy: right))
        }
    }

    private func arithmetic(_ name: String, _ left: UInt, _ right: UInt) throws(CELError) -> UInt {
        switch name {
        case "_+_": return try checked(left.addingReportingOverflow(right))
        case "_-_": return try checked(left.subtractingReportingOverflow(right))
        case "_*_": return try checked(left.multipliedReportingOverflow(by: right))
        case "_/_":
            if right == 0 { throw .evaluation("division by zero") }
            return left / right
        default:
            if right == 0 { throw .evaluation("modulus by zero") }
            return left % right
        }
    }

    private func temporal(_ name: String, _ left: CELValue, _ right: CELValue) throws(CELError) -> CELValue {
        switch (name, left, right) {
        case ("_+_", .timestamp(let start), .duration(let length)),
            ("_+_", .duration(let length), .timestamp(let start)):
            return .timestamp(try CELConversion.timestamp(start, adding: Int128(length.nanoseconds)))
        case ("_-_", .timestamp(let end), .duration(let length)):
            return .timestamp(try CELConversion.timestamp(end, adding: -Int128(length.nanoseconds)))
        case ("_-_", .timestamp(let end), .timestamp(let start)):
            let difference =
                Int128(end.seconds - start.seconds) * 1_000_000_000 + Int128(end.nanoseconds - start.nanoseconds)
            guard let nanoseconds = Int(exactly: difference) else { throw .evaluation("integer overflow") }
            return .duration(GoDuration(nanoseconds: nanoseconds))
        case ("_+_", .duration(let left), .duration(let right)):
            let sum = try checked(left.nanoseconds.addingReportingOverflow(right.nanoseconds))
            return .duration(GoDuration(nanoseconds: sum))
        case ("_-_", .duration(let left), .duration(let right)):
            let difference = try checked(left.nanoseconds.subtractingReportingOverflow(right.nanoseconds))
            return .duration(GoDuration(nanoseconds: difference))
        default: throw .noSuchOverload
        }
    }
}
