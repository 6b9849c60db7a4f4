internal import StructuredData

extension CELValue {
    /// CEL's equality: numbers by value whatever their type, values of different types never equal.
    func equals(_ other: CELValue) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.string(let left), .string(let right)): return left == right
        case (.bytes(let left), .bytes(let right)): return left == right
        case (.timestamp(let left), .timestamp(let right)): return left == right
        case (.duration(let left), .duration(let right)): return left == right
        case (.type(let left), .type(let right)): return left == right
        case (.quantity(let left), .quantity(let right)): return left == right
        case (.url(let left), .url(let right)): return left == right
        case (.ip(let left), .ip(let right)): return left == right
        case (.cidr(let left), .cidr(let right)): return left == right
        case (.semver(let left), .semver(let right)): return left == right
        case (.format(let left), .format(let right)): return left == right
        case (.optional(let left), .optional(let right)):
            guard let left, let right else { return left == nil && right == nil }
            return left.equals(right)
        case (.list(let left), .list(let right)): return left.equals(right)
        case (.map(let left), .map(let right)):
            guard left.count == right.count else { return false }
            return left.members.allSatisfy { member in right[member.key].map { member.value.equals($0) } ?? false }
        default: return compareNumbers(other) == .equal
        }
    }

    enum Ordering {
        case less, equal, greater, unordered
    }

    /// How two values are ordered; nil when values of these types have no order.
    func compare(_ other: CELValue) -> Ordering? {
        switch (self, other) {
        case (.bool(let left), .bool(let right)): return Self.order(left ? 1 : 0, right ? 1 : 0)
        case (.string(let left), .string(let right)): return Self.order(left, right)
        case (.bytes(let left), .bytes(let right)):
            return left == right ? .equal : left.lexicographicallyPrecedes(right) ? .less : .greater
        case (.timestamp(let left), .timestamp(let right)): return Self.order(left, right)
        case (.duration(let left), .duration(let right)): return Self.order(left, right)
        default: return compareNumbers(other)
        }
    }

    private static func order<Value: Comparable>(_ left: Value, _ right: Value) -> Ordering {
        left < right ? .less : left == right ? .equal : .greater
    }

    private func compareNumbers(_ other: CELValue) -> Ordering? {
        switch (self, other) {
        case (.int(let left), .int(let right)): return Self.order(left, right)
        case (.uint(let left), .uint(let right)): return Self.order(left, right)
        case (.int(let left), .uint(let right)): return left < 0 ? .less : Self.order(UInt(left), right)
        case (.uint(let left), .int(let right)): return right < 0 ? .greater : Self.order(left, UInt(right))
        default:
            guard let left = double, let right = other.double else { return nil }
            return left.isNaN || right.isNaN ? .unordered : Self.order(left, right)
        }
    }

    /// The value of a number.
    private var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .uint(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

extension CELList {
    /// Sets are equal whatever their order, and lists of type map when elements with the same keys are.
    func equals(_ other: CELList) -> Bool {
        guard count == other.count else { return false }
        switch (schema ?? other.schema)?.fields.listType {
        case .set?:
            let values = other.values
            return self.values.allSatisfy { value in values.contains { $0.equals(value) } }
        case .map?:
            let keys = (schema ?? other.schema)?.listMapKeys ?? []
            let others = other.values
            return values.allSatisfy { value in
                others.first { $0.hasSameKeys(as: value, keys) }.map { $0.equals(value) } ?? false
            }
        default: return (0..<count).allSatisfy { self[$0].equals(other[$0]) }
        }
    }

    /// Concatenation; of sets and lists of type map what the right one adds and replaces.
    func appending(_ other: CELList) -> CELList {
        var result = values
        switch schema?.fields.listType {
        case .set?:
            for value in other.values where !result.contains(where: { $0.equals(value) }) { result.append(value) }
        case .map?:
            let keys = schema?.listMapKeys ?? []
            for value in other.values {
                if let index = result.firstIndex(where: { $0.hasSameKeys(as: value, keys) }) {
                    result[index] = value
                } else {
                    result.append(value)
                }
            }
        default: result += other.values
        }
        return CELList(result)
    }
}

extension CELValue {
    fileprivate func hasSameKeys(as other: CELValue, _ keys: [String]) -> Bool {
        guard case .map(let left) = self, case .map(let right) = other else { return false }
        return keys.allSatisfy { key in
            switch (left[.string(key)], right[.string(key)]) {
            case (nil, nil): true
            case (let left?, let right?): left.equals(right)
            default: false
            }
        }
    }
}
