extension CELEvaluator {
    /// Runs a macro's body for each element; `names` are one variable (element or key) or two.
    mutating func comprehension(
        _ macro: CELMacro, _ range: CELValue, _ names: [String], _ bodies: [CELNode]
    ) throws(CELError) -> CELValue {
        if macro == .optMap || macro == .optFlatMap {
            guard case .optional(let inner) = range else { throw .noSuchOverload }
            guard let inner else { return range }
            let result = try with([(names[0], inner)], bodies[0])
            return macro == .optMap ? .optional(result) : result
        }
        let scopes = try scopes(range, names)
        switch macro {
        case .all: return try quantified(scopes, bodies[0], isAll: true)
        case .exists: return try quantified(scopes, bodies[0], isAll: false)
        case .existsOne:
            var count = 0
            for scope in scopes where try isTrue(scope, bodies[0]) { count += 1 }
            return .bool(count == 1)
        case .filter:
            var kept: [CELValue] = []
            for scope in scopes where try isTrue(scope, bodies[0]) { kept.append(scope[0].1) }
            return .list(CELList(kept))
        case .map, .transformList:
            var values: [CELValue] = []
            try forEachResult(scopes, bodies) { values.append($1) }
            return .list(CELList(values))
        case .transformMap:
            var members: [(key: CELValue, value: CELValue)] = []
            try forEachResult(scopes, bodies) { members.append(($0[0].1, $1)) }
            return .map(CELMap(members))
        case .transformMapEntry:
            var members: [(key: CELValue, value: CELValue)] = []
            var results: [CELValue] = []
            try forEachResult(scopes, bodies) { results.append($1) }
            for result in results {
                guard case .map(let entry) = result else { throw .noSuchOverload }
                for member in entry.members {
                    try pay(members.count)
                    if members.contains(where: { $0.key.equals(member.key) }) {
                        throw .evaluation("insert failed: key already exists")
                    }
                    members.append(member)
                }
            }
            return .map(CELMap(members))
        case .sortBy:
            var keyed: [(key: CELValue, value: CELValue)] = []
            for scope in scopes { keyed.append((try with(scope, bodies[0]), scope[0].1)) }
            return .list(CELList(try sorted(keyed)))
        case .optMap, .optFlatMap: throw .noSuchOverload
        }
    }

    private func scopes(_ range: CELValue, _ names: [String]) throws(CELError) -> [[(String, CELValue)]] {
        switch range {
        case .list(let list):
            let values = list.values
            if names.count == 1 { return values.map { [(names[0], $0)] } }
            return values.enumerated().map { [(names[0], .int($0)), (names[1], $1)] }
        case .map(let map):
            if names.count == 1 { return map.members.map { [(names[0], $0.key)] } }
            return map.members.map { [(names[0], $0.key), (names[1], $0.value)] }
        default: throw .noSuchOverload
        }
    }

    /// An element that decides is enough: an error in another does not count then.
    private mutating func quantified(
        _ scopes: [[(String, CELValue)]], _ body: CELNode, isAll: Bool
    ) throws(CELError) -> CELValue {
        var failure: CELError?
        for scope in scopes {
            do {
                if try isTrue(scope, body) != isAll { return .bool(!isAll) }
            } catch {
                if error.kind == .budget { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return .bool(isAll)
    }

    private mutating func isTrue(_ scope: [(String, CELValue)], _ body: CELNode) throws(CELError) -> Bool {
        guard case .bool(let value) = try with(scope, body) else { throw .noSuchOverload }
        return value
    }

    /// Calls back with each result of the last body, where there are two for the elements for which the first holds.
    private mutating func forEachResult(
        _ scopes: [[(String, CELValue)]], _ bodies: [CELNode], _ handle: ([(String, CELValue)], CELValue) -> Void
    ) throws(CELError) {
        guard let last = bodies.last else { return }
        for scope in scopes {
            if bodies.count > 1, try !isTrue(scope, bodies[0]) { continue }
            handle(scope, try with(scope, last))
        }
    }

    /// Sorts by keys that must all have an order.
    mutating func sorted(_ values: [(key: CELValue, value: CELValue)]) throws(CELError) -> [CELValue] {
        for (index, value) in values.enumerated() {
            guard value.key.compare(values[max(index - 1, 0)].key) != nil else { throw .noSuchOverload }
        }
        try pay(values.count * 4)
        return values.enumerated().sorted { left, right in
            switch left.element.key.compare(right.element.key) {
            case .less?: true
            case .greater?: false
            default: left.offset < right.offset
            }
        }.map(\.element.value)
    }
}
