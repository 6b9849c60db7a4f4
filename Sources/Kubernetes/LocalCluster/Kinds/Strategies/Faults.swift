internal import KubernetesSchema
internal import StructuredData

/// Collects the faults of an object in Kubernetes' words (apimachinery's `field` package).
struct Faults {
    private(set) var errors: [FieldError] = []

    var isEmpty: Bool { errors.isEmpty }

    mutating func add(_ more: [FieldError]) { errors += more }

    mutating func required(_ field: String, _ detail: String = "") {
        add(field, .required, detail.isEmpty ? "Required value" : "Required value: \(detail)")
    }

    mutating func invalid(_ field: String, _ value: JSON?, _ detail: String) {
        add(field, .invalid, "Invalid value: \(shown(value)): \(detail)")
    }

    mutating func invalid(_ field: String, _ value: JSON?, _ details: [String]) {
        for detail in details { invalid(field, value, detail) }
    }

    mutating func notSupported(_ field: String, _ value: JSON?, _ supported: [String]) {
        let list = supported.sorted().map(quoted).joined(separator: ", ")
        add(field, .notSupported, "Unsupported value: \(shown(value)): supported values: \(list)")
    }

    mutating func forbidden(_ field: String, _ detail: String) {
        add(field, .forbidden, "Forbidden: \(detail)")
    }

    mutating func duplicate(_ field: String, _ value: JSON?) {
        add(field, .duplicate, "Duplicate value: \(shown(value))")
    }

    mutating func notFound(_ field: String, _ value: JSON?) {
        add(field, .notFound, "Not found: \(shown(value))")
    }

    mutating func tooLong(_ field: String, limit: Int) {
        add(field, .tooLong, "Too long: may not be more than \(limit) bytes")
    }

    /// The field must not change once set.
    mutating func immutable(_ field: String, new: JSON?, old: JSON?) {
        if (new ?? .null) != (old ?? .null) { invalid(field, new, "field is immutable") }
    }

    /// A text that must be one of `supported`; required when empty.
    mutating func oneOf(_ field: String, _ value: JSON?, _ supported: [String]) {
        let text = value.text
        if text.isEmpty {
            required(field)
        } else if !supported.contains(text) {
            notSupported(field, value, supported)
        }
    }

    /// As `oneOf`, but may be absent.
    mutating func oneOfIfSet(_ field: String, _ value: JSON?, _ supported: [String]) {
        if !value.isEmptyValue { oneOf(field, value, supported) }
    }

    mutating func notNegative(_ field: String, _ value: JSON?) {
        if let number = value?.int, number < 0 { invalid(field, value, "must be greater than or equal to 0") }
    }

    mutating func positive(_ field: String, _ value: JSON?) {
        if let number = value?.int, number <= 0 { invalid(field, value, "must be greater than 0") }
    }

    private mutating func add(_ field: String, _ reason: FieldError.Reason, _ message: String) {
        errors.append(FieldError(field: field, reason: reason, message: message))
    }

    private func shown(_ value: JSON?) -> String {
        switch value {
        case nil: "null"
        case .string(let text): quoted(text)
        case let value?: value.text
        }
    }
}
