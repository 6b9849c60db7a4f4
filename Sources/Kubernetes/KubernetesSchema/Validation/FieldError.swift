public import StructuredData

/// One reason why an object is not valid, as kube-apiserver reports it in the causes of an `Invalid` Status.
public struct FieldError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case notFound = "FieldValueNotFound"
        case required = "FieldValueRequired"
        case duplicate = "FieldValueDuplicate"
        case invalid = "FieldValueInvalid"
        case notSupported = "FieldValueNotSupported"
        case forbidden = "FieldValueForbidden"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case internalError = "InternalError"
        case typeInvalid = "FieldValueTypeInvalid"
    }

    /// Where: `spec.parts[0].name`, `metadata.labels[app]`; `<nil>` for the object as a whole.
    public let field: String
    public let reason: Reason
    /// What, as Kubernetes words it after the field: `Unsupported value: "huge": supported values: "small", "large"`.
    public let message: String

    public init(field: String, reason: Reason, message: String) {
        self.field = field.isEmpty ? "<nil>" : field
        self.reason = reason
        self.message = message
    }

    public var description: String { "\(field): \(message)" }
}

/// The errors of `k8s.io/apimachinery/pkg/util/validation/field`, worded as there.
extension FieldError {
    public static func invalid(_ field: String, _ value: JSON, _ detail: String) -> FieldError {
        make(field, .invalid, "Invalid value: \(rendered(value))", detail)
    }

    public static func typeInvalid(_ field: String, _ value: JSON, _ detail: String) -> FieldError {
        make(field, .typeInvalid, "Invalid value: \(rendered(value))", detail)
    }

    public static func required(_ field: String, _ detail: String = "") -> FieldError {
        make(field, .required, "Required value", detail)
    }

    public static func forbidden(_ field: String, _ detail: String) -> FieldError {
        make(field, .forbidden, "Forbidden", detail)
    }

    public static func duplicate(_ field: String, _ value: JSON) -> FieldError {
        make(field, .duplicate, "Duplicate value: \(rendered(value))", "")
    }

    public static func notFound(_ field: String, _ value: JSON) -> FieldError {
        make(field, .notFound, "Not found: \(rendered(value))", "")
    }

    public static func notSupported(_ field: String, _ value: JSON, _ supported: [String]) -> FieldError {
        let list = supported.map(quoted).joined(separator: ", ")
        return make(
            field, .notSupported, "Unsupported value: \(rendered(value))",
            supported.isEmpty ? "" : "supported values: \(list)")
    }

    public static func tooLong(_ field: String, maximum: Int) -> FieldError {
        make(field, .tooLong, "Too long", "may not be more than \(maximum) byte\(maximum == 1 ? "" : "s")")
    }

    public static func tooMany(_ field: String, actual: Int, maximum: Int) -> FieldError {
        make(field, .tooMany, "Too many: \(actual)", "must have at most \(maximum) item\(maximum == 1 ? "" : "s")")
    }

    public static func internalError(_ field: String, _ detail: String) -> FieldError {
        make(field, .internalError, "Internal error", detail)
    }

    private static func make(_ field: String, _ reason: Reason, _ head: String, _ detail: String) -> FieldError {
        FieldError(field: field, reason: reason, message: detail.isEmpty ? head : "\(head): \(detail)")
    }

    /// A value as Kubernetes shows it in errors: JSON with sorted keys, null in quotes.
    static func rendered(_ value: JSON) -> String {
        switch value {
        case .null: "\"null\""
        case .string(let text): quoted(text)
        case .bool, .number: value.text
        case .array, .object: String(decoding: value.encoded(sortedKeys: true), as: UTF8.self)
        }
    }

    /// `text` as Go's `%q` prints it.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\0"..."\u{1F}", "\u{7F}":
                let hex = String(scalar.value, radix: 16)
                result += "\\x" + (hex.count < 2 ? "0" : "") + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
