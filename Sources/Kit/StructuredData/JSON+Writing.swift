extension JSON {
    /// The value in JSON, compact, members in their order or sorted by the bytes of their keys.
    public func encoded(sortedKeys: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1000)  // about the least that an object of an API takes
        write(into: &bytes, sortedKeys: sortedKeys)
        return bytes
    }

    /// Appends the value in JSON to `bytes`, as `encoded` gives it.
    public func write(into bytes: inout [UInt8], sortedKeys: Bool = false) {
        var writer = JSONWriter(bytes: [], form: sortedKeys ? .sorted : .plain, indent: 0)
        swap(&writer.bytes, &bytes)
        writer.write(self)
        swap(&writer.bytes, &bytes)
    }

    /// The value in JSON on one line.
    public var text: String { String(decoding: encoded(), as: UTF8.self) }

    /// The value in JSON, a line per member, indented by four spaces as `kubectl -o json` does. No line feed at the end.
    public var prettyText: String {
        var writer = JSONWriter(bytes: [], form: .plain, indent: 4)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension JSON: CustomStringConvertible {
    public var description: String { text }
}

struct JSONWriter {
    enum Form {
        /// Members in their order, numbers as they were written.
        case plain
        /// Members sorted by the bytes of their keys.
        case sorted
        /// As RFC 8785 has it.
        case canonical
    }

    var bytes: [UInt8]
    let form: Form
    /// Spaces per level; zero writes everything on one line.
    let indent: Int
    /// The first number that has no canonical form.
    private(set) var unwritable: JSONNumber?
    private var depth = 0

    init(bytes: [UInt8], form: Form, indent: Int) {
        self.bytes = bytes
        self.form = form
        self.indent = indent
    }

    mutating func write(_ value: JSON) {
        switch value {
        case .null: append("null")
        case .bool(true): append("true")
        case .bool(false): append("false")
        case .number(let number): write(number)
        case .string(let text): write(string: text)
        case .array(let elements): write(elements)
        case .object(let object): write(object)
        }
    }

    private mutating func write(_ number: JSONNumber) {
        guard form == .canonical else { return append(number.text) }
        if let text = number.canonicalText { append(text) } else { unwritable = unwritable ?? number }
    }

    private mutating func write(_ elements: [JSON]) {
        bytes.append(UInt8(ascii: "["))
        depth += 1
        for index in elements.indices {
            separate(isFirst: index == 0)
            write(elements[index])
        }
        close(UInt8(ascii: "]"), isEmpty: elements.isEmpty)
    }

    private mutating func write(_ object: JSONObject) {
        bytes.append(UInt8(ascii: "{"))
        depth += 1
        let members =
            switch form {
            case .plain: object.members
            case .sorted: object.members.sorted { $0.key.bytesPrecede($1.key) }
            case .canonical: object.members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
            }
        for index in members.indices {
            separate(isFirst: index == 0)
            write(string: members[index].key)
            bytes.append(UInt8(ascii: ":"))
            if indent > 0 { bytes.append(UInt8(ascii: " ")) }
            write(members[index].value)
        }
        close(UInt8(ascii: "}"), isEmpty: members.isEmpty)
    }

    private mutating func separate(isFirst: Bool) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        breakLine()
    }

    private mutating func close(_ bracket: UInt8, isEmpty: Bool) {
        depth -= 1
        if !isEmpty { breakLine() }
        bytes.append(bracket)
    }

    private mutating func breakLine() {
        guard indent > 0 else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * indent))
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    private mutating func write(string: String) {
        var string = string
        string.withUTF8 { JSON.write(string: $0, into: &bytes) }
    }
}

extension JSON {
    /// Appends UTF-8 as a string in JSON to `bytes`.
    public static func write(string text: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        for place in text.indices where !text[place].isPlainText {
            bytes.append(contentsOf: text[start..<place])
            escape(text[place], into: &bytes)
            start = place + 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        bytes.append(UInt8(ascii: "\""))
    }

    private static func escape(_ byte: UInt8, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes += [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")]
            bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}

extension String {
    /// Order of the UTF-8 bytes, which is that of the code points and the order in which Go sorts keys.
    func bytesPrecede(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
