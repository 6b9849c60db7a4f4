import Recurrence

/// Makes any rule that there is, with a start that may have nothing to do with it.
struct RandomRule {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func start() -> LocalDateTime {
        let day = int(-3000, 30_000)
        let second = [0, 9 * 3600, int(0, 86_399), 2 * 3600 + 1800][int(0, 3)]
        return LocalDateTime(date: CivilDate(daysSince1970: day), second: second)
    }

    /// - Parameter endless: without COUNT and UNTIL.
    mutating func text(_ frequencies: [RecurrenceRule.Frequency], endless: Bool = false) -> String {
        guard let frequency = frequencies.randomElement(using: &random) else { return "" }
        var parts = ["FREQ=\(frequency.rawValue)"]
        var picks = false
        func by(_ name: String, _ values: [Int]) {
            parts.append("\(name)=\(values.map(String.init).joined(separator: ","))")
            picks = true
        }
        if chance(2) { parts.append("INTERVAL=\(interval(frequency))") }
        if chance(3) { by("BYMONTH", list(1...12, 4)) }
        if frequency == .yearly, chance(4) { by("BYWEEKNO", list(1...53, 3, fromEnd: true)) }
        if frequency == .yearly || frequency < .daily, chance(5) {
            by("BYYEARDAY", list(1...366, 20, fromEnd: true))
        }
        if frequency != .weekly, chance(3) { by("BYMONTHDAY", list(1...31, 6, fromEnd: true)) }
        if chance(2) {
            let ordinals = frequency >= .monthly && !parts.contains { $0.hasPrefix("BYWEEKNO") }
            parts.append("BYDAY=\(days(ordinals: ordinals, most: frequency == .yearly ? 53 : 5))")
            picks = true
        }
        if chance(4) { by("BYHOUR", list(0...23, 4)) }
        if chance(5) { by("BYMINUTE", list(0...59, 4)) }
        if chance(6) { by("BYSECOND", list(0...60, 4)) }
        if picks, chance(3) { by("BYSETPOS", list(1...8, 3, fromEnd: true)) }
        if chance(3) { parts.append("WKST=\(["MO", "TU", "WE", "TH", "FR", "SA", "SU"][int(0, 6)])") }
        if chance(4) { parts.append("RSCALE=GREGORIAN;SKIP=\(["OMIT", "BACKWARD", "FORWARD"][int(0, 2)])") }
        if !endless, chance(3) { parts.append("COUNT=\(int(1, 40))") }
        return parts.shuffled(using: &random).joined(separator: ";")
    }

    private mutating func interval(_ frequency: RecurrenceRule.Frequency) -> Int {
        let usual = [2, 3, 4, 5, 6, 7, 12]
        let long = [15, 20, 24, 25, 45, 60, 61, 90, 100, 1440, 1441, 3600, 5000]
        return (frequency < .daily && chance(2) ? long : usual).randomElement(using: &random) ?? 2
    }

    private mutating func days(ordinals: Bool, most: Int) -> String {
        (0..<int(1, 3)).map { _ in
            let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][int(0, 6)]
            guard ordinals, chance(2) else { return day }
            return "\(bool() ? "-" : "")\(int(1, most))\(day)"
        }.joined(separator: ",")
    }

    mutating func list(_ range: ClosedRange<Int>, _ most: Int, fromEnd: Bool = false) -> [Int] {
        (0..<int(1, most)).map { _ in
            let number = int(range.lowerBound, range.upperBound)
            return fromEnd && chance(3) ? -number : number
        }
    }

    mutating func int(_ low: Int, _ high: Int) -> Int { Int.random(in: low...high, using: &random) }
    mutating func bool() -> Bool { Bool.random(using: &random) }
    /// One in so many.
    mutating func chance(_ number: Int) -> Bool { int(1, number) == 1 }
}
