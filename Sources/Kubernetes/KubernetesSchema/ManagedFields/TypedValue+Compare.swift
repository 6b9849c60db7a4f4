internal import StructuredData

/// What changed between two values.
struct Comparison {
    enum Change {
        case none, added, removed, modified
    }

    /// What happened to the value itself.
    var own = Change.none
    /// What happened below it.
    var added = FieldSet()
    var removed = FieldSet()
    var modified = FieldSet()

    /// Leaves out what is not tracked.
    func ignoring(_ paths: FieldSet) -> Comparison {
        guard !paths.isEmpty else { return self }
        return Comparison(
            own: own, added: added.subtractingTrees(paths), removed: removed.subtractingTrees(paths),
            modified: modified.subtractingTrees(paths))
    }
}

extension TypedValue {
    /// Compares two values, at least one of which is there.
    static func compare(_ old: JSON?, _ new: JSON?, _ type: MergeType) -> Comparison {
        let oldShape = old.map(type.shape(of:))
        let newShape = new.map(type.shape(of:))
        let shape = newShape ?? oldShape ?? .leaf
        var result: Comparison
        if let oldShape, let newShape, oldShape != newShape {
            // A value of another shape: what it was is gone, what it is came new.
            result = children(nil, new, type, shape: newShape)
            result.own = .modified
            return result
        }
        if shape == .leaf || (isBare(old) && isBare(new)) {
            guard let old else { return Comparison(own: .added) }
            guard let new else { return Comparison(own: .removed) }
            return Comparison(own: old == new ? .none : .modified)
        }
        result = children(old, new, type, shape: shape)
        if old == nil { result.own = .added }
        if new == nil { result.own = .removed }
        return result
    }

    private static func isBare(_ value: JSON?) -> Bool {
        switch value {
        case nil, .null?: true
        case .object(let object)?: object.isEmpty
        case .array(let elements)?: elements.isEmpty
        default: false
        }
    }

    private static func children(_ old: JSON?, _ new: JSON?, _ type: MergeType, shape: MergeType.Shape) -> Comparison {
        var sum = ComparisonSum()
        switch shape {
        case .leaf: break
        case .map:
            let oldObject = old?.object ?? JSONObject()
            let newObject = new?.object ?? JSONObject()
            for (name, value) in oldObject {
                let change = compare(value, newObject[name], type.member(name))
                sum.add(change) { FieldSet.field(name) }
            }
            for (name, value) in newObject where !oldObject.contains(name) {
                sum.add(compare(nil, value, type.member(name))) { FieldSet.field(name) }
            }
        case .list: compareLists(old?.array ?? [], new?.array ?? [], type, into: &sum)
        }
        return sum.comparison
    }

    private static func compareLists(_ old: [JSON], _ new: [JSON], _ type: MergeType, into sum: inout ComparisonSum) {
        let (oldOrder, oldValues) = grouped(old, type)
        let (newOrder, newValues) = grouped(new, type)
        for identity in oldOrder + newOrder.filter({ oldValues[$0] == nil }) {
            let before = oldValues[identity] ?? []
            let after = newValues[identity] ?? []
            var change: Comparison
            switch (before.count, after.count) {
            case (...1, ...1): change = compare(before.first, after.first, type.element)
            case (2..., 2...): change = Comparison(own: before == after ? .none : .modified)
            case (2..., _):
                change = after.first.map { compare(nil, $0, type.element) } ?? Comparison()
                sum.add(Comparison(own: .removed)) { identity }
            default:
                change = before.first.map { compare($0, nil, type.element) } ?? Comparison()
                sum.add(Comparison(own: .added)) { identity }
            }
            sum.add(change) { identity }
        }
    }

    /// The elements by identity; those without one are left out.
    private static func grouped(_ elements: [JSON], _ type: MergeType) -> ([String], [String: [JSON]]) {
        var order: [String] = []
        var values: [String: [JSON]] = [:]
        for element in elements {
            guard case .success(let identity) = type.identity(of: element) else { continue }
            if values[identity] == nil { order.append(identity) }
            values[identity, default: []].append(element)
        }
        return (order, values)
    }
}

/// Gathers the changes of a map's members or a list's elements.
private struct ComparisonSum {
    private var added: [FieldSet.Entry] = []
    private var removed: [FieldSet.Entry] = []
    private var modified: [FieldSet.Entry] = []

    mutating func add(_ change: Comparison, element: () -> String) {
        if change.own == .added || !change.added.isEmpty {
            added.append(.init(element: element(), isMember: change.own == .added, children: change.added))
        }
        if change.own == .removed || !change.removed.isEmpty {
            removed.append(.init(element: element(), isMember: change.own == .removed, children: change.removed))
        }
        if change.own == .modified || !change.modified.isEmpty {
            modified.append(.init(element: element(), isMember: change.own == .modified, children: change.modified))
        }
    }

    var comparison: Comparison {
        Comparison(
            added: FieldSet(unsorted: added), removed: FieldSet(unsorted: removed),
            modified: FieldSet(unsorted: modified))
    }
}
