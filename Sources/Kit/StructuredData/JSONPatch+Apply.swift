extension JSON {
    func existing(at pointer: JSONPointer) throws(JSONPatchError) -> JSON {
        guard let value = self[pointer] else { throw .noValue(at: pointer) }
        return value
    }

    mutating func add(_ value: JSON, at pointer: JSONPointer) throws(JSONPatchError) {
        guard pointer.tokens.count + value.depth <= JSONLimits.deepest else {
            throw JSONPatchError(.malformed, "the result is nested deeper than \(JSONLimits.deepest) levels")
        }
        guard !pointer.tokens.isEmpty else {
            self = value
            return
        }
        try withParent(of: pointer, pointer.tokens[...]) { parent, token throws(JSONPatchError) in
            if parent.object != nil {
                parent[token] = value
            } else if let count = parent.array?.count, token == "-" || JSONPointer.arrayIndex(token) ?? .max <= count {
                parent.array?.insert(value, at: JSONPointer.arrayIndex(token) ?? count)
            } else {
                throw .noPlace(at: pointer)
            }
        }
    }

    mutating func replace(_ value: JSON, at pointer: JSONPointer) throws(JSONPatchError) {
        _ = try existing(at: pointer)
        guard let last = pointer.tokens.last, JSONPointer.arrayIndex(last) != nil else {
            return try add(value, at: pointer)
        }
        // In an array to add is to insert, so the old element goes first. A member called "0" just moves to the end.
        _ = try remove(at: pointer)
        try add(value, at: pointer)
    }

    mutating func remove(at pointer: JSONPointer) throws(JSONPatchError) -> JSON {
        let removed = try existing(at: pointer)
        guard !pointer.tokens.isEmpty else {
            throw JSONPatchError(.malformed, "the whole value cannot be removed or moved")
        }
        try withParent(of: pointer, pointer.tokens[...]) { parent, token throws(JSONPatchError) in
            if parent.object != nil {
                parent[token] = nil
            } else if let index = JSONPointer.arrayIndex(token) {
                parent.array?.remove(at: index)
            }
        }
        return removed
    }

    /// Lets `body` change the array or object that holds the last token, in place.
    private mutating func withParent(
        of pointer: JSONPointer, _ tokens: ArraySlice<String>,
        _ body: (inout JSON, String) throws(JSONPatchError) -> Void
    ) throws(JSONPatchError) {
        guard let token = tokens.first else { throw .noPlace(at: pointer) }
        let rest = tokens.dropFirst()
        if rest.isEmpty {
            try body(&self, token)
        } else if object?.contains(token) ?? false {
            try self[token]?.withParent(of: pointer, rest, body)
        } else if let index = JSONPointer.arrayIndex(token), index < array?.count ?? 0 {
            try array?[index].withParent(of: pointer, rest, body)
        } else {
            throw .noPlace(at: pointer)
        }
    }

    /// Levels of arrays and objects: 0 for a scalar, 1 for `[]`.
    var depth: Int {
        switch self {
        case .array(let elements): elements.reduce(0) { max($0, $1.depth) } + 1
        case .object(let object): object.reduce(0) { max($0, $1.value.depth) } + 1
        default: 0
        }
    }
}

extension JSONPatchError {
    fileprivate static func noValue(at pointer: JSONPointer) -> JSONPatchError {
        JSONPatchError(.noSuchPath, "there is no value at \"\(pointer)\"")
    }

    fileprivate static func noPlace(at pointer: JSONPointer) -> JSONPatchError {
        JSONPatchError(.noSuchPath, "there is no array or object that could hold \"\(pointer)\"")
    }
}
