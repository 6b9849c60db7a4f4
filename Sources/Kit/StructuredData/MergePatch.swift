/// JSON Merge Patch (RFC 7386).
public enum MergePatch {
    /// The target with the members of `patch` merged in: null removes a member, objects are merged, anything else
    /// replaces.
    public static func apply(_ patch: JSON, to target: JSON) -> JSON {
        guard patch.object != nil else { return patch }
        var result: JSON? = target
        merge(patch, into: &result)
        return result ?? patch
    }

    /// A patch that turns `old` into `new`; `{}` when both are equal objects.
    ///
    /// A merge patch cannot set null inside an object: such members of `new` become absent.
    public static func diff(from old: JSON, to new: JSON) -> JSON {
        guard let before = old.object, let after = new.object else { return new }
        var patch = JSONObject()
        for (key, _) in before where after[key] == nil { patch[key] = .null }
        for (key, value) in after {
            guard let current = before[key] else {
                if !value.isNull { patch[key] = value }
                continue
            }
            guard current != value else { continue }
            if current.object == nil || value.object == nil {
                patch[key] = value
            } else {
                patch[key] = diff(from: current, to: value)
            }
        }
        return .object(patch)
    }

    private static func merge(_ patch: JSON, into target: inout JSON?) {
        guard case .object(let changes) = patch else {
            target = patch.isNull ? JSON?.none : patch
            return
        }
        if target?.object == nil { target = [:] }
        for (key, change) in changes { merge(change, into: &target[key]) }
    }
}

extension JSON? {
    fileprivate subscript(key: String) -> JSON? {
        get { self?[key] }
        _modify {
            var value: JSON?
            if case .some(.object(var object)) = self {
                self = nil  // gives up the second reference, so that `object` is mutated in place
                defer { self = .object(object) }
                yield &object[key]
            } else {
                yield &value
            }
        }
    }
}
