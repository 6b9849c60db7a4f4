extension CELEvaluator {
    /// cel-go's string library; positions count Unicode scalars.
    mutating func strings(
        _ name: String, _ receiver: CELValue, _ arguments: [CELValue]
    ) throws(CELError) -> CELValue? {
        guard case .string(let text) = receiver else { return nil }
        try pay(text.utf8.count / 10)
        switch (name, arguments.count) {
        case ("lowerAscii", 0): return .string(Self.mapASCII(text, from: 0x41...0x5A, adding: 32))
        case ("upperAscii", 0): return .string(Self.mapASCII(text, from: 0x61...0x7A, adding: -32))
        case ("trim", 0): return .string(Self.trimmed(text))
        case ("reverse", 0):
            var view = String.UnicodeScalarView()
            view.append(contentsOf: text.unicodeScalars.reversed())
            return .string(String(view))
        case ("charAt", 1), ("substring", 1), ("substring", 2): return try slice(name, text, arguments)
        case ("format", 1):
            guard case .list(let list) = arguments[0] else { return nil }
            return .string(try CELFormat.format(text, list.values))
        default: break
        }
        guard case .string(let other)? = arguments.first else { return nil }
        switch (name, arguments.count) {
        case ("startsWith", 1): return .bool(text.utf8.starts(with: other.utf8))
        case ("endsWith", 1): return .bool(text.utf8.reversed().starts(with: other.utf8.reversed()))
        case ("contains", 1): return .bool(try !occurrences(of: other, in: text, limit: 1).isEmpty)
        case ("indexOf", _), ("lastIndexOf", _): return try indexOf(name, text, other, arguments.dropFirst().first)
        case ("matches", 1):
            let expression = try payForPattern(other, text)
            return .bool(expression.matches(text))
        case ("find", 1):
            let expression = try payForPattern(other, text)
            return .string(expression.find(in: text, limit: 1).first ?? "")
        case ("findAll", 1), ("findAll", 2):
            let expression = try payForPattern(other, text)
            let limit = try optionalInt(arguments.dropFirst().first)
            let found = limit == 0 ? [] : expression.find(in: text, limit: limit.flatMap { $0 < 0 ? nil : $0 })
            return .list(CELList(found.map(CELValue.string)))
        case ("replace", 2), ("replace", 3):
            guard case .string(let replacement) = arguments[1] else { return nil }
            return .string(
                try replace(other, in: text, with: replacement, limit: optionalInt(arguments.dropFirst(2).first)))
        case ("split", 1), ("split", 2):
            let parts = try split(text, by: other, limit: optionalInt(arguments.dropFirst().first))
            return .list(CELList(parts.map(CELValue.string)))
        default: return nil
        }
    }

    private func optionalInt(_ value: CELValue?) throws(CELError) -> Int? {
        guard let value else { return nil }
        guard case .int(let number) = value else { throw .noSuchOverload }
        return number
    }

    /// Matching takes time by text times pattern, and is paid so.
    private mutating func payForPattern(_ pattern: String, _ text: String) throws(CELError) -> RegularExpression {
        let (product, overflows) = (text.utf8.count + 1).multipliedReportingOverflow(by: pattern.utf8.count + 1)
        try pay(overflows ? Int.max : product / 10 + 1)
        if let known = patterns[pattern] { return known }
        do {
            return try RegularExpression(pattern)
        } catch {
            throw .evaluation("error parsing regexp: \(error.message)")
        }
    }

    private static func mapASCII(_ text: String, from range: ClosedRange<UInt8>, adding shift: Int) -> String {
        String(decoding: text.utf8.map { range.contains($0) ? UInt8(Int($0) + shift) : $0 }, as: UTF8.self)
    }

    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let start = scalars.firstIndex { !$0.properties.isWhitespace } ?? scalars.endIndex
        let end = scalars.lastIndex { !$0.properties.isWhitespace }
        guard let end else { return "" }
        return String(scalars[start...end])
    }

    private func slice(_ name: String, _ text: String, _ arguments: [CELValue]) throws(CELError) -> CELValue {
        let scalars = Array(text.unicodeScalars)
        guard let start = try optionalInt(arguments[0]) else { throw .noSuchOverload }
        var end = try optionalInt(arguments.dropFirst().first) ?? scalars.count
        if name == "charAt" { end = start == scalars.count ? start : start &+ 1 }
        guard 0 <= start, start <= scalars.count else { throw .evaluation("index out of range: \(start)") }
        guard start <= end, end <= scalars.count else {
            if end < start { throw .evaluation("invalid substring range. start: \(start), end: \(end)") }
            throw .evaluation("index out of range: \(end)")
        }
        return .string(Self.string(scalars[start..<end]))
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Where `part` begins in `text`, without overlaps.
    private mutating func occurrences(of part: String, in text: String, limit: Int) throws(CELError) -> [Int] {
        let haystack = Array(text.unicodeScalars)
        let needle = Array(part.unicodeScalars)
        let (product, overflows) = haystack.count.multipliedReportingOverflow(by: needle.count)
        try pay(overflows ? Int.max : product / 100)
        var found: [Int] = []
        var position = 0
        while position + needle.count <= haystack.count, found.count < limit {
            if haystack[position...].starts(with: needle) {
                found.append(position)
                position += max(needle.count, 1)
            } else {
                position += 1
            }
        }
        return found
    }

    private mutating func indexOf(
        _ name: String, _ text: String, _ part: String, _ offset: CELValue?
    ) throws(CELError) -> CELValue {
        let haystack = Array(text.unicodeScalars)
        let needle = Array(part.unicodeScalars)
        let offset = try optionalInt(offset)
        if let offset, !(0...haystack.count).contains(offset) { throw .evaluation("index out of range: \(offset)") }
        let (product, overflows) = haystack.count.multipliedReportingOverflow(by: needle.count)
        try pay(overflows ? Int.max : product / 100)
        guard needle.count <= haystack.count else { return .int(-1) }
        let starts = 0...(haystack.count - needle.count)
        func fits(_ start: Int) -> Bool { haystack[start...].starts(with: needle) }
        if name == "indexOf" { return .int(starts.first { $0 >= offset ?? 0 && fits($0) } ?? -1) }
        return .int(starts.last { $0 <= offset ?? .max && fits($0) } ?? -1)
    }

    private mutating func replace(
        _ part: String, in text: String, with replacement: String, limit: Int?
    ) throws(CELError) -> String {
        let scalars = Array(text.unicodeScalars)
        let length = part.unicodeScalars.count
        let maximum = limit.map { $0 < 0 ? .max : $0 } ?? .max
        var result = ""
        var position = 0
        for start in try occurrences(of: part, in: text, limit: maximum) {
            try pay(replacement.utf8.count / 10 + 1)
            result += Self.string(scalars[position..<start]) + replacement
            position = start + length
        }
        return result + Self.string(scalars[position...])
    }

    private mutating func split(_ text: String, by separator: String, limit: Int?) throws(CELError) -> [String] {
        let scalars = Array(text.unicodeScalars)
        try pay(scalars.count)
        if limit == 0 { return [] }
        let maximum = limit.map { $0 < 0 ? .max : $0 - 1 } ?? .max
        if separator.isEmpty {
            let cut = min(maximum, max(scalars.count - 1, 0))
            let rest = scalars.count > cut ? [Self.string(scalars[cut...])] : []
            return scalars[..<cut].map { String($0) } + rest
        }
        let length = separator.unicodeScalars.count
        var parts: [String] = []
        var position = 0
        for start in try occurrences(of: separator, in: text, limit: maximum) {
            parts.append(Self.string(scalars[position..<start]))
            position = start + length
        }
        return parts + [Self.string(scalars[position...])]
    }
}
