extension CELEvaluator {
    /// A function that stands alone; nil when there is none of that name for these values.
    mutating func function(_ name: String, _ values: [CELValue]) throws(CELError) -> CELValue? {
        switch (name, values.count) {
        case ("size", 1): return try size(values[0])
        case ("bool", 1), ("int", 1), ("uint", 1), ("double", 1), ("string", 1), ("bytes", 1), ("timestamp", 1),
            ("duration", 1), ("type", 1), ("dyn", 1):
            return try CELConversion.convert(values[0], to: name)
        case ("matches", 2): return try strings("matches", values[0], [values[1]])
        case ("optional.of", 1): return .optional(values[0])
        case ("optional.none", 0): return .optional(nil)
        case ("optional.ofNonZeroValue", 1): return .optional(isZero(values[0]) ? nil : values[0])
        case ("lists.range", 1):
            guard case .int(let count) = values[0] else { return nil }
            try pay(count)
            return .list(CELList((0..<max(count, 0)).map(CELValue.int)))
        case ("sets.contains", 2), ("sets.equivalent", 2), ("sets.intersects", 2):
            guard case .list(let left) = values[0], case .list(let right) = values[1] else { return nil }
            return .bool(try compareSets(name, left.values, right.values))
        case ("strings.quote", 1):
            guard case .string(let text) = values[0] else { return nil }
            return .string(FieldError.quoted(text))
        default: return try library(name, values)
        }
    }

    /// A function behind a dot; nil when there is none of that name for this receiver.
    mutating func member(
        _ name: String, _ receiver: CELValue, _ arguments: [CELValue]
    ) throws(CELError) -> CELValue? {
        if name == "size", arguments.isEmpty { return try size(receiver) }
        switch receiver {
        case .string: return try strings(name, receiver, arguments)
        case .list(let list): return try lists(name, list, arguments)
        case .timestamp(let time): return try times(name, time, arguments)
        case .duration(let duration): return times(name, duration)
        case .optional(let inner): return try optionals(name, inner, arguments)
        default: return try libraryMember(name, receiver, arguments)
        }
    }

    private func size(_ value: CELValue) throws(CELError) -> CELValue {
        switch value {
        case .string(let text): return .int(text.unicodeScalars.count)
        case .bytes(let bytes): return .int(bytes.count)
        case .list(let list): return .int(list.count)
        case .map(let map): return .int(map.count)
        default: throw .noSuchOverload
        }
    }

    private func isZero(_ value: CELValue) -> Bool {
        switch value {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .uint(let value): value == 0
        case .double(let value): value == 0
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .list(let list): list.count == 0
        case .map(let map): map.count == 0
        case .duration(let value): value.nanoseconds == 0
        default: false
        }
    }

    private mutating func compareSets(
        _ name: String, _ left: [CELValue], _ right: [CELValue]
    ) throws(CELError) -> Bool {
        try pay(left.count * right.count)
        func holds(_ set: [CELValue], _ value: CELValue) -> Bool { set.contains { $0.equals(value) } }
        switch name {
        case "sets.contains": return right.allSatisfy { holds(left, $0) }
        case "sets.intersects": return right.contains { holds(left, $0) }
        default: return right.allSatisfy { holds(left, $0) } && left.allSatisfy { holds(right, $0) }
        }
    }

    private func optionals(
        _ name: String, _ inner: CELValue?, _ arguments: [CELValue]
    ) throws(CELError) -> CELValue? {
        switch (name, arguments.count) {
        case ("hasValue", 0): return .bool(inner != nil)
        case ("value", 0):
            guard let inner else { throw .evaluation("optional.none() dereference") }
            return inner
        case ("orValue", 1): return inner ?? arguments[0]
        case ("or", 1): return inner == nil ? arguments[0] : .optional(inner)
        default: return nil
        }
    }
}
