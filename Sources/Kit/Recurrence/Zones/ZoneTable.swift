internal import Concurrency
internal import FoundationEssentials

/// The offsets of an IANA time zone for all of time, from the system's time zone database.
///
/// Instants are seconds since 1970 in UTC. A wall time that clocks leave out is read by the offset before the gap; one
/// that comes twice means the first (RFC 5545 section 3.3.5).
public final class ZoneTable: Sendable {
    /// As `Europe/Berlin`.
    public let name: String

    /// When each offset begins to hold, ascending; the first since ever. Two neighbours differ.
    private let starts: [Int]
    private let offsets: [Int]
    /// From here on the calendar's cycle of 400 years, which holds a whole number of weeks, stands for the table; nil
    /// when the last offset holds for ever.
    private let cyclesFrom: Int?

    private static let cycle = 146_097 * secondsPerDay

    public static let utc = ZoneTable(name: "UTC", transitions: [.init(instant: 0, offset: 0)], cyclesFrom: nil)

    init(name: String, transitions: [Transition], cyclesFrom: Int?) {
        self.name = name
        self.cyclesFrom = cyclesFrom
        var starts: [Int] = []
        var offsets: [Int] = []
        for transition in transitions {
            if starts.last == transition.instant {
                starts.removeLast()
                offsets.removeLast()
            }
            if offsets.last == transition.offset { continue }
            starts.append(starts.isEmpty ? ZoneInterval.distantPast : transition.instant)
            offsets.append(transition.offset)
        }
        self.starts = starts
        self.offsets = offsets
    }

    /// A change of the clocks to an offset.
    struct Transition {
        let instant: Int
        let offset: Int
    }

    // MARK: - Looking up

    public func interval(at instant: Int) -> ZoneInterval {
        let back = cycles(for: instant)
        return interval(number: index { starts[$0] <= instant - back }, shiftedBy: back)
    }

    /// The interval by whose offset, or by the one before it, a wall time is read.
    func interval(ofWall wall: Int) -> ZoneInterval {
        // Offsets are less than the month for which the table goes on beyond the point where cycles begin.
        let back = cycles(for: wall)
        return interval(number: index { $0 == 0 || starts[$0] + offsets[$0 - 1] <= wall - back }, shiftedBy: back)
    }

    /// In seconds ahead of UTC.
    public func offset(at instant: Int) -> Int { interval(at: instant).offset }

    public func local(at instant: Int) -> LocalDateTime {
        LocalDateTime(seconds: instant + offset(at: instant))
    }

    public func instant(of local: LocalDateTime) -> Int {
        let interval = interval(ofWall: local.seconds)
        return local.seconds
            - (interval.gap.contains(local.seconds) ? interval.previousOffset : interval.offset)
    }

    /// Whether clocks show this wall time at some instant.
    public func shows(_ local: LocalDateTime) -> Bool {
        !interval(ofWall: local.seconds).gap.contains(local.seconds)
    }

    private func cycles(for second: Int) -> Int {
        guard let cyclesFrom, second >= cyclesFrom else { return 0 }
        return ((second - cyclesFrom) / Self.cycle + 1) * Self.cycle
    }

    private func interval(number: Int, shiftedBy shift: Int) -> ZoneInterval {
        ZoneInterval(
            start: number == 0 ? ZoneInterval.distantPast : starts[number] + shift,
            end: number + 1 == starts.count ? ZoneInterval.distantFuture : starts[number + 1] + shift,
            offset: offsets[number], previousOffset: offsets[max(0, number - 1)])
    }

    /// The last index for which `holds`, which is true up to some index and then no more.
    @inline(__always) private func index(where holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return low
    }

    // MARK: - Finding

    private static let cache = Lock<[String: ZoneTable]>([:])
    private static let database = "/usr/share/zoneinfo"

    /// The zone of that name, kept after the first use; nil when this machine's database has none.
    public static func named(_ name: String) -> ZoneTable? {
        if name == "UTC" { return utc }
        if let known = cache.withLock({ $0[name] }) { return known }
        guard isWellFormed(name), let bytes = try? Data(contentsOf: URL(fileURLWithPath: "\(database)/\(name)")),
            let table = ZoneTable(name: name, file: Array(bytes))
        else { return nil }
        cache.withLock { $0[name] = table }
        return table
    }

    /// Words as the database uses them, never a path that leads elsewhere. What begins in lower case is no zone.
    private static func isWellFormed(_ name: String) -> Bool {
        name.utf8.count <= 64
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                part.first.map { ("A"..."Z").contains($0) } == true
                    && part.utf8.allSatisfy { byte in
                        switch byte {
                        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                            UInt8(ascii: "+"):
                            true
                        default: false
                        }
                    }
            }
    }
}

extension ZoneTable: CustomStringConvertible {
    public var description: String { name }
}
