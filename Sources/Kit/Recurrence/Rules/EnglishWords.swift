/// The few words that a sentence about a rule is made of.
enum EnglishWords {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// `a, b and c`.
    static func list(_ items: [String], by word: String = "and") -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " \(word) " + last
    }

    /// `first`, `20th`, `last`, `second to last`.
    static func ordinal(_ number: Int) -> String {
        let words = ["first", "second", "third", "fourth", "fifth"]
        if number == -1 { return "last" }
        let word = (1...5).contains(abs(number)) ? words[abs(number) - 1] : numeral(abs(number))
        return number > 0 ? word : "\(word) to last"
    }

    /// `1st`, `22nd`, `13th`.
    static func numeral(_ number: Int) -> String {
        let isTeen = (11...13).contains(number % 100)
        return "\(number)" + (isTeen ? "th" : [1: "st", 2: "nd", 3: "rd"][number % 10] ?? "th")
    }

    /// `31 December 2026`.
    static func date(_ date: CivilDate) -> String {
        let (year, month, day) = date.civil
        return "\(day) \(months[month - 1]) \(year)"
    }

    /// `17:00`, or `17:00:30`.
    static func time(_ second: Int) -> String {
        let minutes = "\(padded(second / 3600, to: 2)):\(padded(second / 60 % 60, to: 2))"
        return second % 60 == 0 ? minutes : minutes + ":\(padded(second % 60, to: 2))"
    }

    /// `every day`, `every 3 days`.
    static func every(_ count: Int, _ unit: String) -> String {
        count == 1 ? "every \(unit)" : "every \(count) \(unit)s"
    }
}
