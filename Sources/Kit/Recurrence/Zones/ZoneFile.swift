/// A compiled zone of the time zone database (RFC 9636, TZif).
struct ZoneFile {
    private(set) var transitions: [ZoneTable.Transition]
    /// The rule for what comes after the last transition.
    let footer: String

    /// Nil when the bytes are no such file.
    init?(_ bytes: [UInt8]) {
        guard let first = Header(bytes, at: 0) else { return nil }
        var (header, wide) = (first, false)
        // Version 2 and later repeat everything with eight-byte times.
        if first.version >= UInt8(ascii: "2") {
            guard let second = Header(bytes, at: Header.size + first.dataSize(timeSize: 4)) else { return nil }
            (header, wide) = (second, true)
        }
        let end = header.dataStart + header.dataSize(timeSize: wide ? 8 : 4)
        guard header.typeCount > 0, end <= bytes.count else { return nil }
        transitions = header.transitions(in: bytes, timeSize: wide ? 8 : 4)
        guard Self.isSound(transitions) else { return nil }
        footer =
            wide
            ? String(decoding: bytes[end...].drop { $0 == newline }.prefix { $0 != newline }, as: UTF8.self) : ""
    }

    /// Ascending, with offsets as section 3.2 allows, before the year 36,812: no arithmetic with them overflows.
    private static func isSound(_ transitions: [ZoneTable.Transition]) -> Bool {
        transitions.allSatisfy { (-89_999...93_599).contains($0.offset) && $0.instant < 1 << 40 }
            && zip(transitions, transitions.dropFirst()).allSatisfy { $0.instant < $1.instant }
    }
}

private let newline = UInt8(ascii: "\n")

private struct Header {
    static let size = 44

    let version: UInt8
    let dataStart: Int
    let isUTCount, isStandardCount, leapCount, timeCount, typeCount, characterCount: Int

    init?(_ bytes: [UInt8], at start: Int) {
        guard bytes.count >= start + Self.size, bytes[start..<start + 4].elementsEqual("TZif".utf8) else { return nil }
        version = bytes[start + 4]
        let counts = (0..<6).map { bytes.bigEndian(at: start + 20 + $0 * 4, size: 4) }
        guard counts.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }) else { return nil }
        (isUTCount, isStandardCount, leapCount) = (counts[0], counts[1], counts[2])
        (timeCount, typeCount, characterCount) = (counts[3], counts[4], counts[5])
        dataStart = start + Self.size
    }

    func dataSize(timeSize: Int) -> Int {
        timeCount * (timeSize + 1) + typeCount * 6 + characterCount + leapCount * (timeSize + 4) + isStandardCount
            + isUTCount
    }

    /// The first holds since ever: time before all transitions is of type 0.
    func transitions(in bytes: [UInt8], timeSize: Int) -> [ZoneTable.Transition] {
        let typeIndexes = dataStart + timeCount * timeSize
        let types = typeIndexes + timeCount
        func offset(ofType type: Int) -> Int {
            bytes.bigEndian(at: types + min(type, typeCount - 1) * 6, size: 4)
        }
        var transitions = [ZoneTable.Transition(instant: ZoneInterval.distantPast, offset: offset(ofType: 0))]
        for index in 0..<timeCount {
            let instant = bytes.bigEndian(at: dataStart + index * timeSize, size: timeSize)
            guard instant > -1 << 56 else { continue }
            transitions.append(.init(instant: instant, offset: offset(ofType: Int(bytes[typeIndexes + index]))))
        }
        return transitions
    }
}

extension [UInt8] {
    /// A signed number.
    fileprivate func bigEndian(at start: Int, size: Int) -> Int {
        var value = Int(Int8(bitPattern: self[start]))
        for byte in self[start + 1..<start + size] { value = value << 8 | Int(byte) }
        return value
    }
}

extension ZoneTable {
    /// Nil when the bytes are no compiled zone.
    convenience init?(name: String, file bytes: [UInt8]) {
        guard let file = ZoneFile(bytes), let last = file.transitions.last else { return nil }
        guard let rule = PosixZoneRule(file.footer), rule.daylight != nil else {
            self.init(name: name, transitions: file.transitions, cyclesFrom: nil)
            return
        }
        // The rule holds from the last transition on. A cycle and two years of it stand for the rest of time.
        let known = max(last.instant, 0)
        let year = CalendarYear(containing: known / secondsPerDay).number
        let ruled = (year...year + 402).flatMap { rule.transitions(in: $0) }.filter { $0.instant > last.instant }
        self.init(
            name: name, transitions: file.transitions + ruled,
            cyclesFrom: CalendarYear(year + 402).firstDay * secondsPerDay)
    }
}
