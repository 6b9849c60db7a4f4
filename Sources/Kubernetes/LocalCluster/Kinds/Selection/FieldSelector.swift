internal import KubernetesClient
public import StructuredData

/// The `fieldSelector` of a list or watch: terms `path=value` and `path!=value`, all of which must hold.
public struct FieldSelector: Sendable, Hashable {
    public struct Term: Sendable, Hashable {
        public let field: String
        public let value: String
        public let isNegated: Bool
    }

    public let terms: [Term]

    /// Selects everything.
    public static let everything = FieldSelector(terms: [])

    public var isEmpty: Bool { terms.isEmpty }

    init(terms: [Term]) { self.terms = terms }

    /// Parses `metadata.name=a,status.phase!=Running`; a backslash escapes `\`, `,` and `=`.
    public init(parsing text: String) throws(SelectorError) {
        var terms: [Term] = []
        for part in Self.split(text) where !part.isEmpty {
            terms.append(try Self.term(part, in: text))
        }
        self.terms = terms
    }

    /// The name that every selected object must have, when the selector says so: a list of one object is a get.
    public var requiredName: String? { required("metadata.name") }

    /// The value that `field` must have, when the selector says so.
    public func required(_ field: String) -> String? {
        terms.first { $0.field == field && !$0.isNegated }?.value
    }

    /// Whether the values that `value` gives for the fields meet every term.
    public func matches(_ value: (String) -> String) -> Bool {
        terms.allSatisfy { (value($0.field) == $0.value) != $0.isNegated }
    }

    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if character == ",", !isEscaped {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
            isEscaped = character == "\\" && !isEscaped
        }
        return parts
    }

    private static func term(_ part: String, in text: String) throws(SelectorError) -> Term {
        let characters = Array(part)
        var index = 0
        while index < characters.count {
            if characters[index] == "\\" {
                index += 2
                continue
            }
            let rest = characters[index...]
            for (operation, isNegated) in [("!=", true), ("==", false), ("=", false)] where rest.starts(with: operation)
            {
                let value = String(characters[(index + operation.count)...])
                return Term(
                    field: String(characters[..<index]), value: try unescaped(value, in: text), isNegated: isNegated)
            }
            index += 1
        }
        throw SelectorError(message: "invalid selector: '\(text)'; can't understand '\(part)'")
    }

    private static func unescaped(_ value: String, in text: String) throws(SelectorError) -> String {
        var result = ""
        var isEscaped = false
        for character in value {
            if isEscaped {
                guard "\\,=".contains(character) else {
                    throw SelectorError(message: "invalid field selector: invalid escape sequence: \\\(character)")
                }
                result.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "=" {
                throw SelectorError(message: "invalid field selector: unescaped character in value: =")
            } else {
                result.append(character)
            }
        }
        guard !isEscaped else {
            throw SelectorError(message: "invalid field selector: invalid escape sequence: \\")
        }
        return result
    }
}

extension ServedResource {
    /// Checks that every field of `selector` is one that this resource can be selected by.
    /// - Throws: the message of kube-apiserver, for a 400.
    public func check(_ selector: FieldSelector) throws(SelectorError) {
        for term in selector.terms where !isSelectable(term.field) {
            throw SelectorError(message: unknownFieldMessage(term.field))
        }
    }

    /// What the field selector's `field` reads in `object`; empty when absent.
    public func fieldValue(_ field: String, of object: JSON) -> String {
        switch field {
        case "metadata.name": return object.at("metadata", "name")?.string ?? ""
        case "metadata.namespace": return object.at("metadata", "namespace")?.string ?? ""
        default: break
        }
        guard let selectable = selectableFields[field] else { return "" }
        for path in selectable.paths {
            if let text = object.value(at: path[...])?.selectorText { return text }
        }
        return selectable.absent
    }

    private func isSelectable(_ field: String) -> Bool {
        switch field {
        case "metadata.name": true
        case "metadata.namespace": type.namespaced || isBuiltin
        default: selectableFields[field] != nil
        }
    }

    private func unknownFieldMessage(_ field: String) -> String {
        isCustom || !selectableFields.isEmpty
            ? "field label not supported: \(field)"
            : "\(quoted(field)) is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    }
}

extension JSON {
    fileprivate var selectorText: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
