internal import StructuredData

extension JSON {
    /// Gives `key` a value when it has none. An empty string counts as none where the default is a string, as in Go
    /// types that cannot tell the two apart.
    mutating func setDefault(_ key: String, _ value: JSON) {
        switch self[key] {
        case nil, .null: self[key] = value
        case .string("") where value.string != nil: self[key] = value
        default: break
        }
    }

    /// As `setDefault`, where Go's zero reads as absent.
    mutating func setDefaultForZero(_ key: String, _ value: Int) {
        if self[key]?.int ?? 0 == 0 { self[key] = JSON(value) }
    }

    /// Changes each element of the array `key`.
    mutating func forEach(_ key: String, _ change: (inout JSON) -> Void) {
        guard var elements = self[key]?.array else { return }
        self[key] = .null
        for index in elements.indices { change(&elements[index]) }
        self[key] = .array(elements)
    }

    /// Changes the member `key` if it is there.
    mutating func with(_ key: String, _ change: (inout JSON) -> Void) {
        guard var value = self[key], !value.isNull else { return }
        change(&value)
        self[key] = value
    }

    /// Changes the object `key`, making it when it is not there.
    mutating func withObject(_ key: String, _ change: (inout JSON) -> Void) {
        setDefault(key, .object([:]))
        with(key, change)
    }

    /// The value under `path`; nil when a step is missing.
    func value(at path: ArraySlice<String>) -> JSON? {
        guard let key = path.first else { return self }
        return self[key]?.value(at: path.dropFirst())
    }

    /// Sets the value under `path`, making the objects on the way.
    mutating func setValue(_ value: JSON?, at path: ArraySlice<String>) {
        guard let key = path.first else { return }
        guard path.count > 1 else {
            self[key] = value
            return
        }
        if value == nil, self[key] == nil { return }
        withObject(key) { $0.setValue(value, at: path.dropFirst()) }
    }

    /// Absent, null, or an array, object or string with nothing in it.
    var isEmptyValue: Bool {
        switch self {
        case .null, .string(""): true
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        case .bool, .number, .string: false
        }
    }
}

extension Optional<JSON> {
    var isEmptyValue: Bool { self?.isEmptyValue ?? true }
    /// The text; empty when absent or not a text.
    var text: String { self?.string ?? "" }
    var elements: [JSON] { self?.array ?? [] }
}
