public import StructuredData

/// Why a strategic merge patch cannot be applied; the message is Kubernetes' and means 400 BadRequest.
public struct StrategicMergePatchError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}

/// Kubernetes' own patch format for built-in kinds (`application/strategic-merge-patch+json`).
public enum StrategicMergePatch {
    /// `original` with the patch merged in: maps by member, lists by merge key where the schema has one, directives
    /// (`$patch`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`) obeyed and gone.
    public static func apply(
        _ patch: JSON, to original: JSON, schema: Schema
    ) throws(StrategicMergePatchError) -> JSON {
        guard let patchObject = patch.object else {
            throw StrategicMergePatchError(message: "cannot unmarshal the patch into an object")
        }
        let merger = StrategicMerger()
        return .object(try merger.merge(patchObject, into: original.object ?? JSONObject(), schema))
    }
}

struct StrategicMerger {
    static let directive = "$patch"
    static let retainKeys = "$retainKeys"
    static let elementOrder = "$setElementOrder/"
    static let deletions = "$deleteFromPrimitiveList/"

    func merge(
        _ patch: JSONObject, into original: JSONObject, _ schema: Schema?
    ) throws(StrategicMergePatchError) -> JSONObject {
        var patch = patch
        if let directive = patch[Self.directive] {
            patch[Self.directive] = nil
            switch directive {
            case "replace": return try merge(patch, into: JSONObject(), schema)
            case "delete": return JSONObject()
            case "merge": break
            default:
                throw StrategicMergePatchError(
                    message: "unknown patch type [\(directive.string ?? directive.text)] in map [\(patch)]")
            }
        }
        var result = original
        try retainKeys(of: &patch, in: &result)
        try mergeOrderedLists(of: &patch, into: &result, schema)
        for (name, value) in patch {
            if name.hasPrefix(Self.deletions) {
                let field = String(name.dropFirst(Self.deletions.count))
                if let elements = result[field]?.array {
                    result[field] = .array(elements.filter { value.array?.contains($0) != true })
                }
                continue
            }
            result[name] = try merged(value, into: result[name], schema?.property(name) ?? schema?.additionalProperties)
        }
        return result
    }

    /// Nil when the patch removes the value.
    private func merged(
        _ patch: JSON, into original: JSON?, _ schema: Schema?
    ) throws(StrategicMergePatchError) -> JSON? {
        switch patch {
        case .null: return nil
        case .object(let object):
            let isReplaced = schema?.patchStrategies.contains("replace") == true
            // Also where there is nothing to merge with: directives and nulls inside must go.
            let base = isReplaced ? JSONObject() : original?.object ?? JSONObject()
            return .object(try merge(object, into: base, schema))
        case .array(let elements):
            guard schema?.patchStrategies.contains("merge") == true else { return patch }
            return .array(try mergeList(elements, into: original?.array ?? [], schema))
        default: return patch
        }
    }

    /// `$retainKeys` names all members that may stay.
    private func retainKeys(
        of patch: inout JSONObject, in original: inout JSONObject
    ) throws(StrategicMergePatchError) {
        guard let list = patch[Self.retainKeys] else { return }
        patch[Self.retainKeys] = nil
        guard let keys = list.array?.compactMap(\.string) else {
            throw StrategicMergePatchError(message: "invalid patch format of retainKeys")
        }
        for (name, value) in patch where !value.isNull && !name.hasPrefix("$") && !keys.contains(name) {
            throw StrategicMergePatchError(message: "invalid patch format of retainKeys")
        }
        original.keepMembers { name, _ in keys.contains(name) }
    }

    /// Lists of which the patch states the order of elements.
    private func mergeOrderedLists(
        of patch: inout JSONObject, into original: inout JSONObject, _ schema: Schema?
    ) throws(StrategicMergePatchError) {
        for (name, value) in patch where name.hasPrefix(Self.elementOrder) {
            patch[name] = nil
            let field = String(name.dropFirst(Self.elementOrder.count))
            guard let order = value.array else {
                throw StrategicMergePatchError(message: "invalid patch format of setElementOrder list")
            }
            let child = schema?.property(field)
            var elements = original[field]?.array ?? []
            if let gone = patch[Self.deletions + field]?.array {
                patch[Self.deletions + field] = nil
                elements.removeAll { gone.contains($0) }
            }
            let server = elements
            if let change = patch[field] {
                patch[field] = nil
                guard let change = change.array else {
                    original[field] = try merged(change, into: original[field], child)
                    continue
                }
                elements = try mergeList(change, into: elements, child)
            } else if original[field] == nil {
                continue
            }
            let arranger = ListArranger(key: child?.patchMergeKey)
            original[field] = .array(arranger.arrange(elements, patchOrder: order, serverOrder: server))
        }
    }
}

extension StrategicMerger {
    /// Merges lists whose strategy is `merge`: maps by their merge key, scalars as sets.
    private func mergeList(
        _ patch: [JSON], into original: [JSON], _ schema: Schema?
    ) throws(StrategicMergePatchError) -> [JSON] {
        guard patch.contains(where: { $0.object != nil }) || original.contains(where: { $0.object != nil }) else {
            let known = Set(original)
            let merged = original + patch.filter { !known.contains($0) }
            return ListArranger(key: nil).arrange(merged, patchOrder: patch, serverOrder: original)
        }
        guard let key = schema?.patchMergeKey else {
            throw StrategicMergePatchError(
                message: "cannot merge lists without merge key for \(schema?.name ?? "list")")
        }
        var result = original
        var changes: [JSONObject] = []
        var isReplaced = false
        for element in patch {
            guard var object = element.object else {
                throw StrategicMergePatchError(message: "all list elements must be maps: \(element.text)")
            }
            switch object[Self.directive] {
            case nil, "merge"?:
                object[Self.directive] = nil
                changes.append(object)
            case "replace"?: isReplaced = true
            case "delete"?:
                let identity = try identity(of: object, key)
                result.removeAll { $0[key] == identity }
            case let directive?:
                throw StrategicMergePatchError(
                    message: "unknown patch type [\(directive.string ?? directive.text)] in map [\(object)]")
            }
        }
        if isReplaced {
            var replaced: [JSON] = []
            for change in changes { replaced.append(.object(try merge(change, into: JSONObject(), schema?.items))) }
            return replaced
        }
        for change in changes {
            let identity = try identity(of: change, key)
            if let index = result.firstIndex(where: { $0[key] == identity }) {
                result[index] = .object(try merge(change, into: result[index].object ?? JSONObject(), schema?.items))
            } else {
                result.append(.object(try merge(change, into: JSONObject(), schema?.items)))
            }
        }
        let order = changes.map { JSON.object($0) }
        return ListArranger(key: key).arrange(result, patchOrder: order, serverOrder: original)
    }

    private func identity(of object: JSONObject, _ key: String) throws(StrategicMergePatchError) -> JSON {
        if let value = object[key] { return value }
        throw StrategicMergePatchError(message: "map: \(object) does not contain declared merge key: \(key)")
    }
}

/// Puts the elements of a merged list in order: those of the patch as the patch has them, the others among them as
/// they were.
struct ListArranger {
    /// What tells maps apart; nil for lists of scalars.
    let key: String?

    func arrange(_ elements: [JSON], patchOrder: [JSON], serverOrder: [JSON]) -> [JSON] {
        let patchPlaces = places(of: patchOrder)
        let serverPlaces = places(of: serverOrder)
        func place(_ element: JSON, in places: [JSON: Int]) -> Int { places[identity(element)] ?? .max }
        let fromPatch = elements.filter { patchPlaces[identity($0)] != nil }
            .sorted { place($0, in: patchPlaces) < place($1, in: patchPlaces) }
        let fromServer = elements.filter { patchPlaces[identity($0)] == nil }
            .sorted { place($0, in: serverPlaces) < place($1, in: serverPlaces) }

        var result: [JSON] = []
        var left = fromServer[...]
        var right = fromPatch[...]
        while let first = left.first, let second = right.first {
            let before = serverPlaces[identity(first)]
            let after = serverPlaces[identity(second)]
            if let before, let after, before < after {
                result.append(first)
                left.removeFirst()
            } else {
                result.append(second)
                right.removeFirst()
            }
        }
        return result + left + right
    }

    private func places(of elements: [JSON]) -> [JSON: Int] {
        Dictionary(elements.enumerated().map { (identity($1), $0) }) { first, _ in first }
    }

    private func identity(_ element: JSON) -> JSON {
        guard let key else { return element }
        return element[key] ?? element
    }
}

extension Schema {
    fileprivate var name: String { definitionName ?? type?.rawValue ?? "list" }
}
