/// A JSON Patch (RFC 6902).
public struct JSONPatch: Sendable, Hashable {
    /// One step of a patch.
    public enum Operation: Sendable, Hashable {
        case add(JSONPointer, JSON)
        case remove(JSONPointer)
        case replace(JSONPointer, JSON)
        case move(from: JSONPointer, to: JSONPointer)
        case copy(from: JSONPointer, to: JSONPointer)
        case test(JSONPointer, JSON)
    }

    /// As many as kube-apiserver takes.
    public static let mostOperations = 10_000
    /// How many bytes of JSON all `copy` operations of a patch may add, as kube-apiserver has it: copies of copies double
    /// each time.
    public static let mostCopiedBytes = 3 << 20

    public let operations: [Operation]

    public init(_ operations: [Operation]) { self.operations = operations }

    /// Reads a patch document. Throws when it is not an array of at most 10,000 valid operations.
    public init(_ json: JSON) throws(JSONPatchError) {
        guard let steps = json.array else {
            throw JSONPatchError(.malformed, "a JSON patch must be an array of operations")
        }
        guard steps.count <= Self.mostOperations else {
            throw JSONPatchError(
                .malformed, "the patch has \(steps.count) operations, at most \(Self.mostOperations) are allowed")
        }
        var operations: [Operation] = []
        for (index, step) in steps.enumerated() { operations.append(try Self.operation(step, index)) }
        self.operations = operations
    }

    private static func operation(_ step: JSON, _ index: Int) throws(JSONPatchError) -> Operation {
        func pointer(_ key: String) throws(JSONPatchError) -> JSONPointer {
            guard let text = step[key]?.string, let pointer = JSONPointer(text) else {
                throw JSONPatchError(
                    .malformed, "operation \(index): \"\(key)\" must be a JSON pointer such as \"/a/0\"")
            }
            return pointer
        }
        func value() throws(JSONPatchError) -> JSON {
            guard let value = step["value"] else {
                throw JSONPatchError(.malformed, "operation \(index): \"value\" is missing")
            }
            return value
        }
        switch step["op"]?.string {
        case "add": return .add(try pointer("path"), try value())
        case "remove": return .remove(try pointer("path"))
        case "replace": return .replace(try pointer("path"), try value())
        case "move": return .move(from: try pointer("from"), to: try pointer("path"))
        case "copy": return .copy(from: try pointer("from"), to: try pointer("path"))
        case "test": return .test(try pointer("path"), try value())
        default:
            throw JSONPatchError(
                .malformed, "operation \(index): \"op\" must be add, remove, replace, move, copy or test")
        }
    }

    /// The patched value. Throws when a path does not exist, a test fails, or the result would be nested deeper than
    /// 256 levels; nothing is applied then.
    public func apply(to json: JSON) throws(JSONPatchError) -> JSON {
        var result = json
        var copied = 0
        for operation in operations {
            switch operation {
            case .add(let path, let value): try result.add(value, at: path)
            case .remove(let path): _ = try result.remove(at: path)
            case .replace(let path, let value): try result.replace(value, at: path)
            case .move(let from, let path):
                guard from == path || !path.tokens.starts(with: from.tokens) else {
                    throw JSONPatchError(.malformed, "\(from) cannot be moved into itself, to \(path)")
                }
                try result.add(try result.remove(at: from), at: path)
            case .copy(let from, let path):
                let value = try result.existing(at: from)
                copied += value.encoded().count
                guard copied <= Self.mostCopiedBytes else {
                    throw JSONPatchError(.malformed, "the patch copies more than \(Self.mostCopiedBytes) bytes")
                }
                try result.add(value, at: path)
            case .test(let path, let expected):
                guard try result.existing(at: path) == expected else {
                    throw JSONPatchError(
                        .testFailed, "the value at \"\(path)\" is not the one that the patch tests for")
                }
            }
        }
        return result
    }
}

/// Why a JSON Patch was not applied.
public struct JSONPatchError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Reason: Sendable, Hashable {
        /// The patch itself is wrong.
        case malformed
        /// A path of the patch does not exist in the value.
        case noSuchPath
        /// A `test` operation found another value.
        case testFailed
    }

    public let reason: Reason
    public let message: String

    public var description: String { message }

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
