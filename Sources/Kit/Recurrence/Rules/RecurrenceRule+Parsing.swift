extension RecurrenceRule {
    /// Texts longer than this are refused: the longest useful rule is far below it.
    public static let lengthLimit = 4000

    /// - Parameter text: as in `FREQ=MONTHLY;BYDAY=-1FR`, without the name of the property; in capitals or not, the parts
    ///   in any order.
    public init(_ text: String) throws(RecurrenceError) {
        guard text.utf8.count <= Self.lengthLimit else {
            throw RecurrenceError(offset: 0, message: "a rule has at most \(Self.lengthLimit) characters")
        }
        var parser = RuleParser(text: text)
        self = try parser.rule()
    }
}

/// The parts of a rule by name.
enum RulePart: String, CaseIterable {
    case freq = "FREQ"
    case until = "UNTIL"
    case count = "COUNT"
    case interval = "INTERVAL"
    case seconds = "BYSECOND"
    case minutes = "BYMINUTE"
    case hours = "BYHOUR"
    case days = "BYDAY"
    case monthDays = "BYMONTHDAY"
    case yearDays = "BYYEARDAY"
    case weekNumbers = "BYWEEKNO"
    case months = "BYMONTH"
    case positions = "BYSETPOS"
    case weekStart = "WKST"
    case scale = "RSCALE"
    case skip = "SKIP"
}

struct RuleParser {
    let text: String
    private(set) var values: [RulePart: TextPiece] = [:]

    init(text: String) { self.text = text }

    mutating func rule() throws(RecurrenceError) -> RecurrenceRule {
        try readParts()
        guard let frequency = values[.freq] else {
            throw error("FREQ is missing; it must be one of \(Self.frequencies)", at: text.utf8.count)
        }
        var rule = RecurrenceRule(
            try choice(frequency, "FREQ", RecurrenceRule.Frequency.allCases.map { ($0.rawValue, $0) }))
        rule.interval = try count(.interval) ?? 1
        rule.end = try end()
        try readLists(into: &rule)
        if let piece = values[.weekStart] { rule.weekStart = try weekday(piece) }
        try readSkip(into: &rule)
        try checkTogether(rule)
        return rule
    }

    func error(_ message: String, at byte: Int) -> RecurrenceError { RecurrenceError(message, in: text, at: byte) }

    private static let frequencies = RecurrenceRule.Frequency.allCases.map(\.rawValue).joined(separator: ", ")

    private mutating func readParts() throws(RecurrenceError) {
        for piece in TextPiece(text).split(";") {
            guard let (name, value) = piece.cut(at: "=") else {
                throw error(
                    "expected a part such as FREQ=DAILY, but found \(quoted(piece.text)); parts are separated by ;",
                    at: piece.start)
            }
            guard let part = RulePart(rawValue: name.upper) else {
                let known = RulePart.allCases.map(\.rawValue).joined(separator: ", ")
                throw error("\(quoted(name.text)) is not a part of a rule; the parts are \(known)", at: name.start)
            }
            guard values[part] == nil else { throw error("\(part.rawValue) is given twice", at: name.start) }
            values[part] = value
        }
    }

    private func end() throws(RecurrenceError) -> RecurrenceRule.End {
        guard let until = values[.until] else { return try count(.count).map { .count($0) } ?? .never }
        if let count = values[.count] {
            throw error("a rule has COUNT or UNTIL, not both", at: max(count.start, until.start))
        }
        return .until(try self.until(until))
    }

    /// A whole number from 1.
    private func count(_ part: RulePart) throws(RecurrenceError) -> Int? {
        guard let piece = values[part] else { return nil }
        guard let number = piece.number, number > 0 else {
            throw error(
                "\(part.rawValue) must be a whole number from 1 to 999999999, not \(quoted(piece.text))",
                at: piece.start)
        }
        return number
    }

    private func until(_ piece: TextPiece) throws(RecurrenceError) -> RecurrenceRule.Until {
        let digits = Array(piece.upper.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        if digits.count >= 8, let date = CivilDate("\(part(0..<4))-\(part(4..<6))-\(part(6..<8))") {
            if digits.count == 8 { return .date(date) }
            let isUTC = digits.count == 16 && digits[15] == UInt8(ascii: "Z")
            if digits.count == 15 || isUTC, digits[8] == UInt8(ascii: "T"),
                let time = LocalDateTime("\(date.text)T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))")
            {
                return isUTC ? .utc(time) : .local(time)
            }
        }
        throw error(
            "UNTIL must be a day or time that exists, as 20261231, 20261231T235959 or 20261231T235959Z,"
                + " not \(quoted(piece.text))", at: piece.start)
    }

    private func readSkip(into rule: inout RecurrenceRule) throws(RecurrenceError) {
        if let scale = values[.scale] { _ = try choice(scale, "RSCALE", [("GREGORIAN", ())]) }
        guard let skip = values[.skip] else { return }
        guard values[.scale] != nil else {
            throw error("SKIP needs RSCALE=GREGORIAN in the same rule", at: skip.start)
        }
        rule.skip = try choice(skip, "SKIP", RecurrenceRule.Skip.allCases.map { ($0.rawValue, $0) })
    }

    func choice<Value>(
        _ piece: TextPiece, _ name: String, _ choices: [(String, Value)]
    ) throws(RecurrenceError) -> Value {
        if let match = choices.first(where: { $0.0 == piece.upper }) { return match.1 }
        let allowed = choices.map(\.0).joined(separator: ", ")
        throw error("\(name) must be one of \(allowed), not \(quoted(piece.text))", at: piece.start)
    }

    func weekday(_ piece: TextPiece) throws(RecurrenceError) -> Weekday {
        if let weekday = Weekday(code: piece.upper) { return weekday }
        throw error(
            "expected a weekday, one of \(Weekday.codes.joined(separator: ", ")), but found \(quoted(piece.text))",
            at: piece.start)
    }
}

/// For messages: never much of a long text.
func quoted(_ text: Substring) -> String {
    text.count <= 40 ? "\"\(text)\"" : "\"\(text.prefix(40))…\""
}
