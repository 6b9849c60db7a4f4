internal import StructuredData

/// Operations of structured-merge-diff on values of a type.
enum TypedValue {
    /// The paths that `value` sets.
    static func fieldSet(_ value: JSON, _ type: MergeType) -> FieldSet {
        switch type.shape(of: value) {
        case .leaf: return FieldSet()
        case .map:
            guard let object = value.object else { return FieldSet() }
            var entries: [FieldSet.Entry] = []
            entries.reserveCapacity(object.count)
            for (name, member) in object {
                let memberType = type.member(name)
                let isMember = isOwn(member, memberType) || !type.declares(name)
                let children = fieldSet(member, memberType)
                entries.append(.init(element: FieldSet.field(name), isMember: isMember, children: children))
            }
            return FieldSet(unsorted: entries)
        case .list:
            return FieldSet(unsorted: listEntries(value.array ?? [], type))
        }
    }

    /// Whether a member of a map is a path itself, and not just the way to those below it.
    private static func isOwn(_ value: JSON, _ type: MergeType) -> Bool {
        if value.isNull { return true }
        if let object = value.object, object.isEmpty { return true }
        return type.shape(of: value) == .leaf
    }

    /// Each element is a path itself; of elements with the same identity only that.
    private static func listEntries(_ elements: [JSON], _ type: MergeType) -> [FieldSet.Entry] {
        var entries: [FieldSet.Entry] = []
        var places: [String: Int] = [:]
        for element in elements {
            guard case .success(let identity) = type.identity(of: element) else { continue }
            if let place = places[identity] {
                entries[place].children = FieldSet()
            } else {
                places[identity] = entries.count
                entries.append(
                    .init(element: identity, isMember: true, children: fieldSet(element, type.element)))
            }
        }
        return entries
    }

    /// `set` with every declared field on the way to a member made a member itself.
    static func ensuringNamedFields(_ set: FieldSet, _ type: MergeType?) -> FieldSet {
        FieldSet(
            unsorted: set.entries.map { entry in
                var child: MergeType?
                var isMember = entry.isMember
                if entry.element.hasPrefix("f:") {
                    let name = String(entry.element.dropFirst(2))
                    child = type?.member(name)
                    isMember = isMember || type?.declares(name) == true
                } else if entry.element.hasPrefix("k:") {
                    child = type?.element
                }
                let children = ensuringNamedFields(entry.children, child)
                return .init(element: entry.element, isMember: isMember, children: children)
            })
    }

    /// `value` without the members of `set` and what is below them; nil when nothing is left of a map or list.
    static func removing(_ set: FieldSet, from value: JSON, _ type: MergeType) -> JSON? {
        switch type.shape(of: value) {
        case .leaf:
            switch value {
            case .object, .array: return nil
            default: return value
            }
        case .map:
            guard let object = value.object, !object.isEmpty else { return nil }
            let members = object.compactMap { name, member -> (key: String, value: JSON)? in
                guard let entry = set[FieldSet.field(name)] else { return (name, member) }
                if entry.isMember { return nil }
                if entry.children.isEmpty { return (name, member) }
                return removing(entry.children, from: member, type.member(name)).map { (name, $0) }
            }
            guard !members.isEmpty else { return Optional.none }
            return .object(JSONObject(members))
        case .list:
            let elements = (value.array ?? []).compactMap { element -> JSON? in
                guard case .success(let identity) = type.identity(of: element), let entry = set[identity] else {
                    return element
                }
                if entry.isMember { return nil }
                if entry.children.isEmpty { return element }
                return removing(entry.children, from: element, type.element)
            }
            guard !elements.isEmpty else { return Optional.none }
            return .array(elements)
        }
    }

    /// `set` as if it had always been under this schema: where a granular map or list became atomic, its owner owns
    /// the whole of it.
    static func reconciled(_ set: FieldSet, _ type: MergeType) -> FieldSet {
        FieldSet(
            unsorted: set.entries.map { entry in
                guard !entry.children.isEmpty else { return entry }
                let isField = entry.element.hasPrefix("f:")
                let child = isField ? type.member(String(entry.element.dropFirst(2))) : type.element
                if let schema = child.schema, schema.isAtomicContainer {
                    return .init(element: entry.element, isMember: true)
                }
                var result = entry
                result.children = reconciled(entry.children, child)
                return result
            })
    }
}

extension Schema {
    fileprivate var isAtomicContainer: Bool {
        type == .array && listType == .atomic || type == .object && mapType == .atomic
    }
}
