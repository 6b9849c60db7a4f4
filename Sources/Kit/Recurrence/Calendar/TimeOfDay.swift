/// What a clock on the wall shows, to the minute.
public struct TimeOfDay: Sendable, Hashable, Comparable {
    /// Since midnight, below 1440.
    public let minutes: Int

    public init?(minutes: Int) {
        guard (0..<1440).contains(minutes) else { return nil }
        self.minutes = minutes
    }

    /// `09:30`. Nil when the text is anything else.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [2, 2], let hour = decimal(parts[0]), let minute = decimal(parts[1]), minute < 60
        else { return nil }
        self.init(minutes: hour * 60 + minute)
    }

    public var text: String { "\(padded(minutes / 60, to: 2)):\(padded(minutes % 60, to: 2))" }

    public static let midnight = TimeOfDay(sinceMidnight: 0)

    public static func < (left: Self, right: Self) -> Bool { left.minutes < right.minutes }

    private init(sinceMidnight minutes: Int) { self.minutes = minutes }
}
