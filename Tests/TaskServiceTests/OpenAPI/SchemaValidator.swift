import Foundation
import StructuredData

/// Checks values against JSON Schema (draft 2020-12), as much of it as the documents of the service use; a keyword that it
/// does not know is a failure, so that none is believed to be checked.
struct SchemaValidator {
    /// Where `$ref` leads: `#/components/schemas/…`, `#/$defs/…`.
    let root: JSON

    private static let annotations: Set<String> = [
        "description", "title", "default", "readOnly", "$schema", "$defs", "examples",
    ]

    /// What is wrong, with the place of each; nothing when all is well.
    func problems(_ value: JSON, _ schema: JSON, at path: String = "$") -> [String] {
        guard let object = schema.object else { return ["\(path): the schema is no object"] }
        var problems: [String] = []
        for (keyword, rule) in object where !Self.annotations.contains(keyword) {
            problems += check(value, keyword, rule, object, path)
        }
        return problems
    }

    func resolve(_ schema: JSON) -> JSON {
        guard let reference = schema["$ref"]?.string else { return schema }
        let parts = reference.split(separator: "/").dropFirst()
        return resolve(parts.reduce(root) { $0[String($1)] ?? .null })
    }

    private func check(
        _ value: JSON, _ keyword: String, _ rule: JSON, _ schema: JSONObject, _ path: String
    ) -> [String] {
        func fail(_ condition: Bool, _ text: String) -> [String] { condition ? [] : ["\(path): \(text), not \(value)"] }
        switch keyword {
        case "$ref":
            let target = resolve(.object(schema))
            return target["$ref"] == nil ? problems(value, target, at: path) : ["\(path): $ref leads nowhere"]
        case "type":
            let types = rule.array?.compactMap(\.string) ?? [rule.string ?? ""]
            return fail(types.contains { has(value, type: $0) }, "must be \(types)")
        case "enum": return fail(rule.array?.contains(value) ?? false, "must be one of \(rule)")
        case "const": return fail(value == rule, "must be \(rule)")
        case "anyOf":
            return fail((rule.array ?? []).contains { problems(value, $0, at: path).isEmpty }, "fits none of anyOf")
        case "required":
            guard let members = value.object else { return [] }
            return (rule.array ?? []).compactMap(\.string).filter { !members.contains($0) }.map {
                "\(path): lacks \($0)"
            }
        case "properties":
            return (rule.object ?? [:]).flatMap { name, schema in
                value[name].map { problems($0, schema, at: "\(path).\(name)") } ?? []
            }
        case "additionalProperties":
            guard rule == false, let members = value.object, let known = schema["properties"]?.object else { return [] }
            return members.keys.filter { !known.contains($0) }.map { "\(path): has \($0)" }
        case "items":
            return (value.array ?? []).enumerated().flatMap { problems($1, rule, at: "\(path)[\($0)]") }
        default: return limit(value, keyword, rule, path)
        }
    }

    private func limit(_ value: JSON, _ keyword: String, _ rule: JSON, _ path: String) -> [String] {
        let text = value.string
        let isKept: Bool
        switch keyword {
        case "minLength": isKept = text.map { $0.unicodeScalars.count >= rule.int ?? 0 } ?? true
        case "maxLength": isKept = text.map { $0.unicodeScalars.count <= rule.int ?? 0 } ?? true
        case "minimum": isKept = value.int.map { $0 >= rule.int ?? 0 } ?? true
        case "maximum": isKept = value.int.map { $0 <= rule.int ?? 0 } ?? true
        case "minItems": isKept = value.array.map { $0.count >= rule.int ?? 0 } ?? true
        case "maxItems": isKept = value.array.map { $0.count <= rule.int ?? 0 } ?? true
        case "pattern":
            isKept = text.map { $0.range(of: rule.string ?? "", options: .regularExpression) != nil } ?? true
        case "format": isKept = text.map { has($0, format: rule.string ?? "") } ?? true
        default: return ["\(path): the validator does not know \(keyword)"]
        }
        return isKept ? [] : ["\(path): \(keyword) is \(rule), not \(value)"]
    }

    private func has(_ value: JSON, type: String) -> Bool {
        switch type {
        case "object": value.object != nil
        case "array": value.array != nil
        case "string": value.string != nil
        case "integer": value.int != nil
        case "boolean": value.bool != nil
        case "null": value == .null
        default: false
        }
    }

    private func has(_ text: String, format: String) -> Bool {
        let pattern =
            switch format {
            case "uuid": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
            case "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
            case "date-time": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$"
            case "email": "^[^@ ]+@[^@ ]+$"
            default: "^$"
            }
        return text.range(of: pattern, options: .regularExpression) != nil
    }
}
