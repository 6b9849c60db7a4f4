/// A time as it stands in objects, in seconds since 1970.
enum Moment {
    /// Reads RFC 3339, with or without fractions, which are dropped. Nil when `text` is not that.
    static func seconds(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month)
        else { return nil }
        var place = 19
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            place += 1
            while place < bytes.count, (0x30...0x39).contains(bytes[place]) { place += 1 }
        }
        guard place < bytes.count else { return nil }
        var offset = 0
        switch bytes[place] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"): break
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard let hours = number(place + 1..<place + 3), let minutes = number(place + 4..<place + 6) else {
                return nil
            }
            offset = (hours * 60 + minutes) * (bytes[place] == UInt8(ascii: "-") ? -60 : 60)
        default: return nil
        }
        return days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
    }

    /// RFC 3339 in UTC: with microseconds when `nanoseconds` are given. Nil outside the years 0 to 9999.
    static func text(_ seconds: Int, nanoseconds: Int? = nil) -> String? {
        guard (-62_167_219_200..<253_402_300_800).contains(seconds) else { return nil }
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(width - text.count, 0)) + text
        }
        let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let time = seconds - day * 86_400
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let place = (5 * dayOfYear + 2) / 153
        let month = place < 10 ? place + 3 : place - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let fraction = nanoseconds.map { "." + padded($0 / 1_000, 6) } ?? ""
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfYear - (153 * place + 2) / 5 + 1, 2))T"
            + "\(padded(time / 3_600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))\(fraction)Z"
    }

    /// `text` as Go writes it: in UTC, with microseconds or without any fraction. Nil when it is not RFC 3339.
    static func canonical(_ text: String, withMicroseconds: Bool) -> String? {
        guard let seconds = seconds(text) else { return nil }
        guard withMicroseconds else { return Self.text(seconds) }
        let digits = text.drop { $0 != "." }.dropFirst().prefix { $0.isASCII && $0.isNumber }.prefix(9)
        let padded = digits + String(repeating: "0", count: 9 - digits.count)
        return Self.text(seconds, nanoseconds: Int(padded) ?? 0)
    }

    /// How long ago `text` was, as tables print it; `<unknown>` when absent.
    static func age(of text: String?, now: Int) -> String {
        guard let text, !text.isEmpty else { return "<unknown>" }
        guard let then = seconds(text) else { return "<invalid>" }
        return duration(now - then)
    }

    /// Seconds as kubectl prints them: `119s`, `5m3s`, `3h`, `2d4h`, `1y12d`.
    static func duration(_ seconds: Int) -> String {
        func parts(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
            small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
        }
        if seconds < -1 { return "<invalid>" }
        if seconds < 0 { return "0s" }
        if seconds < 120 { return "\(seconds)s" }
        let minutes = seconds / 60
        if minutes < 10 { return parts(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        let hours = seconds / 3_600
        if hours < 8 { return parts(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if hours < 192 { return parts(days, "d", hours % 24, "h") }
        if days < 730 { return "\(days)d" }
        if days < 2_920 { return parts(days / 365, "y", days % 365, "d") }
        return "\(days / 365)y"
    }

    /// Days since 1970 of a date in the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
