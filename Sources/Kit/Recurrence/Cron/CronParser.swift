/// Reads the fields of a cron expression.
struct CronParser {
    let text: String

    private static let descriptors = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]
    private static let lengthLimit = 1000

    func fields() throws(RecurrenceError) -> CronFields {
        guard text.utf8.count <= Self.lengthLimit else {
            throw error("a cron expression has at most \(Self.lengthLimit) characters", at: 0)
        }
        if text.hasPrefix("@") {
            guard let long = Self.descriptors[text.lowercased()] else {
                let known = Self.descriptors.keys.sorted().joined(separator: ", ")
                throw error("\(quoted(text[...])) is not known; use one of \(known), or five or six fields", at: 0)
            }
            return try CronParser(text: long).fields()
        }
        let pieces = TextPiece(text).split(" ").filter { !$0.isEmpty }
        guard pieces.count == 5 || pieces.count == 6 else {
            throw error(
                "expected five fields (minute, hour, day of month, month, weekday) or six with the second first,"
                    + " but found \(pieces.count)", at: pieces.count > 6 ? pieces[6].start : text.utf8.count)
        }
        var fields = CronFields()
        if pieces.count == 6 { fields.seconds = try bits(pieces[0], .second) }
        let rest = pieces.suffix(5).map { $0 }
        fields.minutes = try bits(rest[0], .minute)
        fields.hours = try bits(rest[1], .hour)
        fields.days.months = try bits(rest[3], .month)
        try readDays(rest[2], into: &fields.days)
        try readWeekdays(rest[4], into: &fields.days)
        fields.days.eitherIsEnough = !isStar(rest[2]) && !isStar(rest[4])
        return fields
    }

    private func isStar(_ piece: TextPiece) -> Bool { piece.text.first == "*" || piece.text == "?" }

    func error(_ message: String, at byte: Int) -> RecurrenceError { RecurrenceError(message, in: text, at: byte) }

    private func bits(_ piece: TextPiece, _ field: CronField) throws(RecurrenceError) -> UInt64 {
        var bits: UInt64 = 0
        for item in piece.split(",") { bits |= try self.item(item, field) }
        return bits
    }

    /// `*`, `5`, `1-5`, `*/10`, `1-5/2` or `5/10`.
    private func item(_ item: TextPiece, _ field: CronField) throws(RecurrenceError) -> UInt64 {
        let (span, step) = item.cut(at: "/").map { ($0.0, Optional($0.1)) } ?? (item, nil)
        var by = 1
        if let step {
            guard let number = step.number, (1...99).contains(number) else {
                throw error("a step must be a whole number from 1 to 99, not \(quoted(step.text))", at: step.start)
            }
            by = number
        }
        let range: ClosedRange<Int>
        if span.text == "*" || span.text == "?" && field.takesQuestionMark {
            range = field.range.lowerBound...field.last
        } else if let (low, high) = span.cut(at: "-") {
            let start = try value(low, field)
            var end = try value(high, field)
            if field == .weekday, end == 0, start > 0 { end = 7 }
            guard start <= end else {
                throw error("a range must go up: \(quoted(span.text)) does not", at: span.start)
            }
            range = start...end
        } else {
            let start = try value(span, field)
            range = start...(step == nil ? start : max(start, field.last))
        }
        return UInt64(members: stride(from: range.lowerBound, through: range.upperBound, by: by))
    }

    private func value(_ piece: TextPiece, _ field: CronField) throws(RecurrenceError) -> Int {
        if let name = field.names.firstIndex(of: piece.upper) { return name + field.firstName }
        guard let number = piece.number, field.range.contains(number) else {
            throw error("\(field.rawValue) must be \(field.allowed), not \(quoted(piece.text))", at: piece.start)
        }
        return number
    }

    private func readDays(_ piece: TextPiece, into days: inout CronDays) throws(RecurrenceError) {
        for item in piece.split(",") {
            let word = item.upper
            if word == "L" {
                days.lastDays |= 1
            } else if word == "LW" || word == "WL" {
                days.nearestWeekdays |= 1
            } else if word.hasPrefix("L-") {
                let back = item.dropFirst(2)
                guard let number = back.number, (1...30).contains(number) else {
                    throw error("after L- a number from 1 to 30 is expected, not \(quoted(back.text))", at: back.start)
                }
                days.lastDays |= 1 << UInt64(number)
            } else if word.hasSuffix("W") {
                days.nearestWeekdays |= 1 << UInt64(try value(item.dropLast(1), .day))
            } else {
                days.monthDays |= try self.item(item, .day)
            }
        }
    }

    private func readWeekdays(_ piece: TextPiece, into days: inout CronDays) throws(RecurrenceError) {
        var bits: UInt64 = 0
        for item in piece.split(",") {
            if let (day, ordinal) = item.cut(at: "#") {
                guard let number = ordinal.number, (1...5).contains(number) else {
                    throw error(
                        "after # a number from 1 to 5 is expected, not \(quoted(ordinal.text))", at: ordinal.start)
                }
                days.ordinals.append((monday(try value(day, .weekday)), number))
            } else if item.upper.hasSuffix("L") {
                days.lastWeekdays |= 1 << UInt64(monday(try value(item.dropLast(1), .weekday)))
            } else {
                bits |= try self.item(item, .weekday)
            }
        }
        for number in 0...7 where bits.has(number) { days.weekdays |= 1 << UInt64(monday(number)) }
    }

    /// Sunday is 0 and 7 in cron; Monday is 0 here.
    private func monday(_ weekday: Int) -> Int { (weekday + 6) % 7 }
}

enum CronField: String {
    case second, minute, hour
    case day = "day of month"
    case month, weekday

    var range: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .day: 1...31
        case .month: 1...12
        case .weekday: 0...7
        }
    }

    /// The last that `*` means: Sunday is not counted twice.
    var last: Int { self == .weekday ? 6 : range.upperBound }

    var names: [String] {
        switch self {
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .weekday: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        default: []
        }
    }

    var firstName: Int { self == .month ? 1 : 0 }
    var takesQuestionMark: Bool { self == .day || self == .weekday }

    var allowed: String {
        let numbers = "\(range.lowerBound) to \(range.upperBound)"
        switch self {
        case .second, .minute, .hour: return "\(numbers), *, or a list, range or step of these"
        case .day: return "\(numbers), *, ?, L, L-n, nW or LW, or a list, range or step"
        case .month: return "\(numbers), JAN to DEC, *, or a list, range or step of these"
        case .weekday: return "\(numbers), SUN to SAT, *, ?, or a day followed by L or #n"
        }
    }
}
