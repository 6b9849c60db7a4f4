public import FoundationEssentials
public import StructuredData

/// Reads the members of a JSON object and remembers what is wrong with each.
public struct MemberReader: Sendable {
    private let object: JSONObject
    private let noun: String
    private var problems: [ValidationError.Field] = []
    private var known: Set<String>

    /// - Parameter ignoring: what the server sets; so that a resource that was read can be sent back whole.
    public init(_ json: JSON, of noun: String, ignoring: Set<String> = []) throws(ValidationError) {
        guard let object = json.object else { throw ValidationError([.init("", "expected a JSON object")]) }
        self.object = object
        self.noun = noun
        known = ignoring
    }

    /// Notes what is wrong with a member.
    public mutating func fail(_ field: String, _ message: String) { problems.append(.init(field, message)) }

    /// Throws all that was wrong, members that nobody asked for included.
    public func finish() throws(ValidationError) {
        var problems = problems
        for (name, _) in object where !known.contains(name) {
            problems.append(.init(name, "is not a field of \(noun)"))
        }
        if !problems.isEmpty { throw ValidationError(problems) }
    }

    /// Whether the member is there, null or not.
    public mutating func has(_ name: String) -> Bool {
        known.insert(name)
        return object.contains(name)
    }

    /// The member; nil when it is missing or null.
    public mutating func value(_ name: String) -> JSON? {
        known.insert(name)
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    /// Any text.
    public mutating func string(_ name: String) -> String? {
        guard let value = value(name) else { return nil }
        if value.string == nil { fail(name, "must be a string") }
        return value.string
    }

    public mutating func bool(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if value.bool == nil { fail(name, "must be true or false") }
        return value.bool
    }

    public mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.int, range.contains(number) else {
            fail(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// One of some words.
    public mutating func choice<Value>(_ name: String, _ names: [(String, Value)]) -> Value? {
        guard let text = string(name) else { return nil }
        if let match = names.first(where: { $0.0 == text }) { return match.1 }
        fail(name, "must be one of " + names.map(\.0).joined(separator: ", "))
        return nil
    }

    public mutating func uuid(_ name: String) -> UUID? {
        guard let text = string(name) else { return nil }
        guard let id = UUID(uuidString: text) else {
            fail(name, "must be an id, such as 0192f0c1-2b3c-7d4e-8f90-123456789abc")
            return nil
        }
        return id
    }

    public mutating func date(_ name: String) -> CivilDate? {
        guard let text = string(name) else { return nil }
        guard let date = CivilDate(text), Self.years.contains(date.civil.year) else {
            fail(name, "must be a day as in 2026-01-31, from the year 1900 to 2999")
            return nil
        }
        return date
    }

    /// One line, trimmed, of 1 to `limit` characters.
    public mutating func line(_ name: String, limit: Int) -> String? {
        guard let text = string(name) else { return nil }
        let line = trimmed(text)
        let count = line.unicodeScalars.count
        if count == 0 {
            fail(name, "must have 1 to \(limit) characters")
        } else if count > limit {
            fail(name, "has \(count) characters; at most \(limit) are allowed")
        } else if line.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            fail(name, "must be one line without control characters")
        }
        return line
    }

    /// Text of at most `limit` characters.
    public mutating func text(_ name: String, limit: Int) -> String? {
        guard let text = string(name) else { return nil }
        let count = text.unicodeScalars.count
        if count > limit {
            fail(name, "has \(count) characters; at most \(limit) are allowed")
        } else if text.utf8.contains(0) {
            fail(name, "must not contain the character U+0000")
        }
        return text
    }

    /// An IANA time zone that this machine knows.
    public mutating func zone(_ name: String) -> String? {
        guard let zone = string(name) else { return nil }
        if !ZoneName.isKnown(zone) { fail(name, "must be an IANA time zone, such as Europe/Berlin") }
        return zone
    }

    public mutating func time(_ name: String) -> TimeOfDay? {
        guard let text = string(name) else { return nil }
        let time = TimeOfDay(text)
        if time == nil { fail(name, "must be a time of day, such as 09:30") }
        return time
    }

    /// See `FractionalIndex`.
    public mutating func position(_ name: String) -> String? {
        guard let position = string(name) else { return nil }
        if !FractionalIndex.isValid(position) {
            fail(name, "must be 1 to \(FractionalIndex.lengthLimit) of the characters 0-9 A-Z a-z, not ending in 0")
        }
        return position
    }

    /// `#rrggbb`, in lower case.
    public mutating func color(_ name: String) -> String? {
        guard let color = string(name) else { return nil }
        let digits = color.utf8.dropFirst()
        let isColor = color.utf8.first == UInt8(ascii: "#") && digits.count == 6 && digits.allSatisfy(Self.isHexDigit)
        if !isColor { fail(name, "must be a colour such as #1e90ff") }
        return color.lowercased()
    }

    /// A part of the address before `@`, one behind it, and nothing else that mail would stumble over; in lower case.
    /// Not of the domain `invalid` (RFC 2606), which is nobody's: accounts that are no person's have such addresses.
    public mutating func email(_ name: String) -> String? {
        guard let text = string(name) else { return nil }
        let email = trimmed(text).lowercased()
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = email.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f && $0 != "," }
        if parts.count != 2 || parts.contains("") || email.utf8.count > 254 || !isPlain {
            fail(name, "must be an e-mail address of at most 254 bytes")
        } else if parts[1].split(separator: ".").last == "invalid" {
            fail(name, "must not be of the reserved domain invalid")
        }
        return email
    }

    private static let years = 1900...2999

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    private func trimmed(_ text: String) -> String {
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }
}

extension JSON {
    public init(_ id: UUID) { self = .string(id.text) }
    public init(_ instant: Instant) { self = .string(instant.text) }
    public init(_ date: CivilDate) { self = .string(date.text) }

    /// Null for nil.
    public init<Value>(_ value: Value?, _ json: (Value) -> JSON) { self = value.map(json) ?? .null }
}

extension UUID {
    /// In lower case (RFC 9562, section 4), without a call of the C library's formatting for each: lists are full of them.
    public var text: String {
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: 36) { text in
            var count = 0
            withUnsafeBytes(of: uuid) { bytes in
                for place in bytes.indices {
                    if place == 4 || place == 6 || place == 8 || place == 10 {
                        text[count] = UInt8(ascii: "-")
                        count += 1
                    }
                    text[count] = digits.utf8Start[Int(bytes[place] >> 4)]
                    text[count + 1] = digits.utf8Start[Int(bytes[place] & 15)]
                    count += 2
                }
            }
            return count
        }
    }
}
