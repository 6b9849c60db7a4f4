/// A parser for RFC 8259 over bytes in memory.
///
/// Strict: no comments, no trailing commas, no byte order mark, nothing after the value. Invalid UTF-8 and escapes of
/// lone surrogates are refused, not replaced. Of members with the same key the last one wins.
struct JSONParser: ~Copyable {
    /// An array or object that is still open.
    struct Frame {
        let isObject: Bool
        /// Where its elements begin on the stack of elements or members.
        let base: Int
        var filter = KeyFilter()
        /// Made when the object outgrows the flat size.
        var index: [JSONObject.ByteKey: Int]?
        /// The name that was read last, and its place where it came before.
        var key = ""
        var slot: Int?
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let maxDepth: Int
    var offset = 0
    var frames = ParserStack<Frame>()
    private var elements = ParserStack<JSON>()
    private var members = ParserStack<JSONObject.Member>()
    private var keys: KeyCache
    /// Nil when nobody asked: then no path is kept.
    private var duplicates: DuplicateKeys?
    /// Whether what is read is only checked, and no value is made of it.
    var isSkipping = false

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits, reportsDuplicates: Bool) throws(JSONParseError) {
        self.bytes = bytes
        maxDepth = limits.maxDepth
        keys = KeyCache(byteCount: bytes.count)
        duplicates = reportsDuplicates ? DuplicateKeys() : nil
        guard bytes.count <= limits.maxBytes else {
            throw JSONParseError(
                "the input has \(bytes.count) bytes, at most \(limits.maxBytes) are allowed", at: 0, in: bytes)
        }
    }

    /// Paths of keys that were given more than once, such as `spec.list[0].b`.
    var duplicateKeys: [String] { duplicates?.found ?? [] }

    mutating func document() throws(JSONParseError) -> JSON {
        let value = try next()
        try end()
        return value
    }

    /// Keeps its own stack of open containers, so the depth of the input costs no stack of the thread.
    mutating func next() throws(JSONParseError) -> JSON {
        let outer = frames.count
        while true {
            var complete = try value()
            while let value = complete {
                if frames.count == outer { return value }
                complete = try add(value)
            }
        }
    }

    mutating func end() throws(JSONParseError) {
        skipSpace()
        guard offset == bytes.count else { throw unexpected("the end of the input") }
    }

    /// The value that begins here; nil when it is a container whose first element comes next.
    private mutating func value() throws(JSONParseError) -> JSON? {
        skipSpace()
        switch peek {
        case UInt8(ascii: "\""): return isSkipping ? try passString() : .string(try string())
        case UInt8(ascii: "{"):
            try open(Frame(isObject: true, base: members.count))
            if peek == UInt8(ascii: "}") { return close() }
            try memberName()
            return nil
        case UInt8(ascii: "["):
            try open(Frame(isObject: false, base: elements.count))
            if peek == UInt8(ascii: "]") { return close() }
            duplicates?.enter(.element(0))
            return nil
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw unexpected("a value")
        }
    }

    /// Adds `value` to the innermost container. Gives the container when it ends here, nil when another value follows.
    private mutating func add(_ value: JSON) throws(JSONParseError) -> JSON? {
        duplicates?.leave()
        let isObject = frames[frames.count - 1].isObject
        if !isSkipping {
            if isObject { addMember(value) } else { elements.push(value) }
        }
        skipSpace()
        if peek == UInt8(ascii: ",") {
            offset += 1
            if isObject {
                skipSpace()
                try memberName()
            } else {
                duplicates?.enter(.element(elements.count - frames[frames.count - 1].base))
            }
            return nil
        }
        guard peek == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
            throw unexpected(isObject ? "\",\" or \"}\"" : "\",\" or \"]\"")
        }
        return close()
    }

    /// Reads a name and its colon.
    mutating func name() throws(JSONParseError) -> String {
        guard peek == UInt8(ascii: "\"") else { throw unexpected("a member name in quotes") }
        var name = ""
        if isSkipping { _ = try passString() } else { name = try key() }
        skipSpace()
        guard peek == UInt8(ascii: ":") else { throw unexpected("\":\" after a member name") }
        offset += 1
        return name
    }

    /// Reads a name and its colon, and remembers them in the frame.
    private mutating func memberName() throws(JSONParseError) {
        let name = try name()
        guard !isSkipping else { return }
        let top = frames.count - 1
        let slot = frames[top].filter.mayContain(name) ? slot(of: name, in: top) : nil
        frames[top].key = name
        frames[top].slot = slot
        duplicates?.enter(.member(name))
        if slot != nil { duplicates?.report() }
    }

    private func slot(of name: String, in top: Int) -> Int? {
        if let index = frames[top].index { return index[JSONObject.ByteKey(text: name)] }
        let base = frames[top].base
        return (0..<(members.count - base)).first { members[base + $0].key.hasSameBytes(as: name) }
    }

    private mutating func addMember(_ value: JSON) {
        let top = frames.count - 1
        let base = frames[top].base
        if let slot = frames[top].slot {
            members[base + slot].value = value
            return
        }
        let name = frames[top].key
        members.push(JSONObject.Member(key: name, value: value))
        let count = members.count - base
        if count > JSONObject.largestFlatCount + 1 {
            frames[top].index?[JSONObject.ByteKey(text: name)] = count - 1
        } else if count > JSONObject.largestFlatCount {
            frames[top].index = JSONObject.index(of: (base..<members.count).map { members[$0] })
        }
    }

    /// Steps into an array or object, up to its first element.
    mutating func open(_ frame: Frame) throws(JSONParseError) {
        guard frames.count < maxDepth else { throw failure("nested deeper than \(maxDepth) levels") }
        frames.push(frame)
        offset += 1
        skipSpace()
    }

    private mutating func close() -> JSON {
        offset += 1
        let frame = frames.pop()
        if isSkipping { return .null }
        guard frame.isObject else { return .array(elements.popArray(from: frame.base)) }
        return .object(JSONObject(unique: members.popArray(from: frame.base), index: frame.index))
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONParseError) -> JSON {
        let text = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes[offset...].starts(with: text) else { throw unexpected("\(word)") }
        offset += text.count
        return value
    }

    private mutating func number() throws(JSONParseError) -> JSONNumber {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        if peek == UInt8(ascii: "0") {
            offset += 1
            guard !peek.isDigit else { throw failure("a number must not have leading zeros") }
        } else {
            try digits()
        }
        if peek == UInt8(ascii: ".") {
            offset += 1
            try digits()
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        return isSkipping ? JSONNumber(0) : JSONNumber(validated: String(decoding: slice(from: start), as: UTF8.self))
    }

    private mutating func digits() throws(JSONParseError) {
        guard peek.isDigit else { throw unexpected("a digit") }
        repeat { offset += 1 } while peek.isDigit
    }
}

extension JSONParser {
    /// Checks a string.
    private mutating func passString() throws(JSONParseError) -> JSON {
        let start = offset
        if skipPlainText(from: start + 1), peek == UInt8(ascii: "\"") {
            offset += 1
        } else {
            offset = start
            _ = try string()
        }
        return .null
    }

    private mutating func key() throws(JSONParseError) -> String {
        let start = offset + 1
        let isASCII = skipPlainText(from: start)
        guard isASCII, peek == UInt8(ascii: "\"") else {
            offset = start - 1
            return try string()
        }
        defer { offset += 1 }
        return keys.string(slice(from: start))
    }

    private mutating func string() throws(JSONParseError) -> String {
        let start = offset + 1
        let isASCII = skipPlainText(from: start)
        guard peek == UInt8(ascii: "\"") else { return try stringWithEscapes(from: start) }
        let text = slice(from: start)
        defer { offset += 1 }
        if isASCII { return String(decoding: text, as: UTF8.self) }
        return try valid(text, from: start)
    }

    private func valid(_ text: some Sequence<UInt8>, from start: Int) throws(JSONParseError) -> String {
        guard let text = String(validating: text, as: UTF8.self) else {
            throw JSONParseError("this string is not valid UTF-8", at: start, in: bytes)
        }
        return text
    }

    /// Moves to the next quote, backslash or control character, or to the end. False when non-ASCII bytes were passed.
    private mutating func skipPlainText(from start: Int) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops = ones << 7
        var all: UInt64 = 0
        var place = start
        if let base = UnsafeRawPointer(bytes.baseAddress) {
            // Eight bytes at a time: a byte turns its top bit on when it is below the one subtracted (Mycroft).
            while place + 8 <= bytes.count {
                let word = (base + place).loadUnaligned(as: UInt64.self)
                let quote = word ^ (ones &* 0x22)
                let backslash = word ^ (ones &* 0x5C)
                let stops =
                    ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
                if stops & tops != 0 { break }
                all |= word
                place += 8
            }
        }
        while place < bytes.count, bytes[place].isPlainText {
            all |= UInt64(bytes[place])
            place += 1
        }
        offset = place
        return all & tops == 0
    }

    private mutating func stringWithEscapes(from start: Int) throws(JSONParseError) -> String {
        var text = Array(slice(from: start))
        while true {
            switch peek {
            case UInt8(ascii: "\""):
                offset += 1
                return try valid(text, from: start)
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &text)
            case _ where offset == bytes.count: throw unexpected("a closing quote")
            default: throw failure("a control character in a string must be escaped")
            }
            let next = offset
            _ = skipPlainText(from: next)
            text.append(contentsOf: slice(from: next))
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONParseError) {
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(peek)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            offset += 1
            return text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw unexpected("one of \"\\/bfnrtu after a backslash")
        }
        offset += 1
    }

    private mutating func unicodeEscape() throws(JSONParseError) -> Unicode.Scalar {
        let start = offset - 2
        let unit = try fourHexDigits()
        if let scalar = Unicode.Scalar(UInt32(unit)) { return scalar }
        if UTF16.isLeadSurrogate(unit), peek == UInt8(ascii: "\\"), byte(at: offset + 1) == UInt8(ascii: "u") {
            offset += 2
            let second = try fourHexDigits()
            if UTF16.isTrailSurrogate(second) {
                return UTF16.decode(UTF16.EncodedScalar([unit, second]))
            }
        }
        throw JSONParseError("this escape is half of a surrogate pair", at: start, in: bytes)
    }

    private mutating func fourHexDigits() throws(JSONParseError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(peek)).hexDigitValue else { throw unexpected("a hex digit") }
            unit = unit << 4 | UInt16(digit)
            offset += 1
        }
        return unit
    }
}

extension JSONParser {
    /// The byte to read next; zero, which no rule accepts, at the end.
    var peek: UInt8 { byte(at: offset) }

    private func byte(at place: Int) -> UInt8 { place < bytes.count ? bytes[place] : 0 }

    private func slice(from start: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[start..<offset])
    }

    mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    private func failure(_ message: String) -> JSONParseError { JSONParseError(message, at: offset, in: bytes) }

    func unexpected(_ expected: String) -> JSONParseError {
        guard offset < bytes.count else { return failure("expected \(expected), found the end of the input") }
        let found = bytes[offset]
        let isPrintable = (0x21...0x7E).contains(found)
        let name = isPrintable ? "\"\(Unicode.Scalar(found))\"" : "byte 0x\(String(found, radix: 16))"
        return failure("expected \(expected), found \(name)")
    }
}

extension UInt8 {
    /// Whether the byte may stand in a JSON string as it is.
    var isPlainText: Bool { self >= 0x20 && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\") }
}
