internal import StructuredData

extension TypedValue {
    /// `live` with `config` merged in: scalars and atomic values of `config` win, maps and lists with identities merge.
    ///
    /// Elements of `config` keep their order; those that only `live` has keep their place among their neighbours.
    static func merge(_ live: JSON?, _ config: JSON?, _ type: MergeType) -> JSON? {
        guard let live else { return config }
        guard let config else { return live }
        let shape = type.shape(of: config)
        guard shape == type.shape(of: live), shape != .leaf else { return config }
        switch shape {
        case .leaf: return config
        case .map:
            guard let old = live.object, let new = config.object, !(old.isEmpty && new.isEmpty) else {
                return isEmptyContainer(live) ? config : mergedWithNull(live, config)
            }
            var result = old
            for (name, value) in new { result[name] = merge(old[name], value, type.member(name)) }
            return .object(result)
        case .list:
            guard let old = live.array, let new = config.array, !(old.isEmpty && new.isEmpty) else {
                return isEmptyContainer(live) ? config : mergedWithNull(live, config)
            }
            return .array(mergeLists(old, new, type))
        }
    }

    /// A null in the configuration adds nothing to what is there.
    private static func mergedWithNull(_ live: JSON, _ config: JSON) -> JSON {
        config.isNull ? live : config
    }

    private static func isEmptyContainer(_ value: JSON) -> Bool {
        switch value {
        case .null: true
        case .object(let object): object.isEmpty
        case .array(let elements): elements.isEmpty
        default: false
        }
    }

    /// What the live list has of an element.
    private enum Counterpart {
        case one(JSON), several
    }

    private static func mergeLists(_ live: [JSON], _ config: [JSON], _ type: MergeType) -> [JSON] {
        let liveIDs = live.map { try? type.identity(of: $0).get() }
        let configIDs = config.map { try? type.identity(of: $0).get() }
        // Elements that occur more than once in the live list are replaced, not merged.
        var liveValues: [String: Counterpart] = [:]
        for (identity, value) in zip(liveIDs, live) {
            guard let identity else { continue }
            liveValues[identity] = liveValues[identity] == nil ? .one(value) : .several
        }
        let inConfig = Set(configIDs.compactMap(\.self))
        var shared = configIDs.compactMap(\.self).filter { liveValues[$0] != nil }[...]
        var nextShared = shared.popFirst()
        var merged: Set<String> = []
        var result: [JSON] = []
        var left = 0
        var right = 0

        func takeConfig() {
            let value = config[right]
            if let identity = configIDs[right] {
                merged.insert(identity)
                if case .one(let counterpart)? = liveValues[identity] {
                    if let element = merge(counterpart, value, type.element) { result.append(element) }
                } else {
                    result.append(value)
                }
            } else {
                result.append(value)
            }
            right += 1
        }

        while left < live.count || right < config.count {
            if left < live.count, right < config.count {
                let identity = liveIDs[left]
                if identity != nil, identity == configIDs[right] {
                    takeConfig()
                    left += 1
                    nextShared = shared.popFirst()
                    continue
                }
                if let identity, inConfig.contains(identity), let nextShared, nextShared != identity {
                    left += 1  // comes later, where the configuration has it
                    continue
                }
            }
            if left < live.count {
                let identity = liveIDs[left]
                if identity.map(inConfig.contains) != true {
                    result.append(live[left])
                    left += 1
                    continue
                }
                if let identity, merged.contains(identity) { left += 1 }
            }
            if right < config.count {
                let identity = configIDs[right]
                takeConfig()
                if identity != nil, identity == nextShared { nextShared = shared.popFirst() }
            }
        }
        return result
    }
}
