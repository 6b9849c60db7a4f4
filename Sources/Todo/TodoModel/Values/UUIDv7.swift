public import FoundationEssentials

/// Makes UUIDs of version 7 (RFC 9562, section 5.7), each greater than the one before.
///
/// Within a millisecond the 12 bits after the time count up from a random start (section 6.2, method 1). When they run
/// out, and when the clock steps back, the time in the ids runs ahead of the clock.
public struct UUIDv7Generator: Sendable {
    private static let counterLimit: UInt16 = 0x0fff
    /// Leaves at least half the counter for the ids of the same millisecond.
    private static let largestStart: UInt16 = 0x07ff

    private var milliseconds: UInt64 = 0
    private var counter: UInt16 = 0

    public init() {}

    /// The next id, at an instant not before 1970.
    public mutating func next(at instant: Instant) -> UUID {
        var random = SystemRandomNumberGenerator()
        return next(at: instant, using: &random)
    }

    /// The next id, with random bits from `random`.
    public mutating func next(at instant: Instant, using random: inout some RandomNumberGenerator) -> UUID {
        let now = UInt64(clamping: instant.millisecondsSince1970)
        if now > milliseconds {
            milliseconds = now
            counter = .random(in: 0...Self.largestStart, using: &random)
        } else if counter < Self.counterLimit {
            counter += 1
        } else {
            milliseconds += 1
            counter = .random(in: 0...Self.largestStart, using: &random)
        }
        return Self.uuid(milliseconds: milliseconds, counter: counter, random: random.next())
    }

    private static func uuid(milliseconds: UInt64, counter: UInt16, random: UInt64) -> UUID {
        let high = milliseconds << 16 | 0x7000 | UInt64(counter)
        let low = 0x8000_0000_0000_0000 | random >> 2
        func byte(_ word: UInt64, _ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - 8 * index)) }
        return UUID(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3),
                byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7),
                byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3),
                byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            ))
    }
}
