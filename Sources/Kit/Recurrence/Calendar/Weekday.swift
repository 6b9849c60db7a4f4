/// A day of the week, numbered as ISO 8601 does.
public enum Weekday: Int, Sendable, Hashable, CaseIterable, Comparable {
    case monday = 1
    case tuesday, wednesday, thursday, friday, saturday, sunday

    /// The two letters of RFC 5545: `MO`.
    public var code: String { Self.codes[index] }

    /// In English, with a capital: `Monday`.
    public var name: String { Self.names[index] }

    /// - Parameter code: in capitals.
    init?(code: String) {
        guard let index = Self.codes.firstIndex(of: code) else { return nil }
        self.init(index: index)
    }

    /// Monday is 0. Other numbers are taken modulo 7.
    init(index: Int) { self = Self.allCases[index.modulo(7)] }

    /// Monday is 0.
    var index: Int { rawValue - 1 }

    static let codes = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    private static let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
