extension RuleParser {
    func readLists(into rule: inout RecurrenceRule) throws(RecurrenceError) {
        rule.seconds = try numbers(.seconds, 0...60)
        rule.minutes = try numbers(.minutes, 0...59)
        rule.hours = try numbers(.hours, 0...23)
        rule.days = try days()
        rule.monthDays = try numbers(.monthDays, 1...31, fromEnd: true)
        rule.yearDays = try numbers(.yearDays, 1...366, fromEnd: true)
        rule.weekNumbers = try numbers(.weekNumbers, 1...53, fromEnd: true)
        rule.months = try numbers(.months, 1...12)
        rule.positions = try numbers(.positions, 1...366, fromEnd: true)
    }

    /// In order and without repetition; those that count from the end come last.
    private func numbers(
        _ part: RulePart, _ range: ClosedRange<Int>, fromEnd: Bool = false
    ) throws(RecurrenceError) -> [Int] {
        var found: Set<Int> = []
        for piece in values[part]?.split(",") ?? [] {
            guard let number = signed(piece, allowed: fromEnd), range.contains(abs(number)) else {
                let low = range.lowerBound
                let high = range.upperBound
                let allowed = "\(low) to \(high)" + (fromEnd ? " or -\(low) to -\(high)" : "")
                throw error(
                    "\(part.rawValue) takes whole numbers from \(allowed), separated by commas, not \(quoted(piece.text))",
                    at: piece.start)
            }
            found.insert(number)
        }
        return found.sorted { (order($0), $0) < (order($1), $1) }
    }

    private func order(_ number: Int) -> Int { number < 0 ? 1 : 0 }

    /// - Parameter allowed: whether there may be a sign.
    private func signed(_ piece: TextPiece, allowed: Bool) -> Int? {
        switch piece.text.first {
        case "-" where allowed: piece.dropFirst(1).number.map { -$0 }
        case "+" where allowed: piece.dropFirst(1).number
        default: piece.number
        }
    }

    private func days() throws(RecurrenceError) -> [RecurrenceRule.Day] {
        var found: Set<RecurrenceRule.Day> = []
        for piece in values[.days]?.split(",") ?? [] {
            let number = piece.dropLast(2)
            let weekday = try weekday(piece.dropFirst(number.text.count))
            var ordinal: Int?
            if !number.isEmpty {
                ordinal = signed(number, allowed: true)
                guard let ordinal, (1...53).contains(abs(ordinal)) else {
                    throw error(
                        "the number before a weekday must be 1 to 53 or -1 to -53, not \(quoted(number.text))",
                        at: number.start)
                }
            }
            found.insert(.init(weekday, ordinal: ordinal))
        }
        return found.sorted {
            (order($0.ordinal ?? 0), $0.ordinal ?? 0, $0.weekday) < (
                order($1.ordinal ?? 0), $1.ordinal ?? 0, $1.weekday
            )
        }
    }

    /// What the parts may not be together (the table of RFC 5545 section 3.3.10 and the text around it).
    func checkTogether(_ rule: RecurrenceRule) throws(RecurrenceError) {
        func refuse(_ part: RulePart, _ message: String) throws(RecurrenceError) {
            guard let piece = values[part] else { return }
            throw error("\(part.rawValue) \(message)", at: piece.start)
        }
        let frequency = rule.frequency
        if frequency != .yearly { try refuse(.weekNumbers, "is allowed only with FREQ=YEARLY") }
        if [.daily, .weekly, .monthly].contains(frequency) {
            try refuse(.yearDays, "is not allowed with FREQ=\(frequency.rawValue)")
        }
        if frequency == .weekly { try refuse(.monthDays, "is not allowed with FREQ=WEEKLY") }
        if rule.days.contains(where: { $0.ordinal != nil }) {
            if frequency < .monthly {
                try refuse(.days, "takes a number before a weekday only with FREQ=MONTHLY or YEARLY")
            }
            if !rule.weekNumbers.isEmpty {
                try refuse(.days, "takes no number before a weekday together with BYWEEKNO")
            }
        }
        let others: [RulePart] = [
            .seconds, .minutes, .hours, .days, .monthDays, .yearDays, .weekNumbers, .months,
        ]
        if !others.contains(where: { values[$0] != nil }) {
            try refuse(.positions, "needs another part that begins with BY, of which it picks")
        }
    }
}
