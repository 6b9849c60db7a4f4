@testable import Recurrence

/// A compiled zone: whatever is taken for one has an offset for every instant, and every wall time means an instant.
func checkZoneFile(_ bytes: [UInt8]) {
    guard let zone = ZoneTable(name: "Fuzz", file: bytes) else { return }
    check(zone)
}

/// A POSIX rule: its changes of a year are in order and near that year, and a zone can be made of it.
func checkZoneRule(_ bytes: [UInt8]) {
    guard let rule = PosixZoneRule(String(decoding: bytes, as: UTF8.self)) else { return }
    let (week, day) = (167 * 3600, 24 * 3600)
    check(abs(rule.standard) < week && abs(rule.daylight?.offset ?? 0) < week, "\(rule)")
    for year in [1900, 1970, 2000, 2026, 2100] {
        let first = CalendarYear(year).firstDay * day
        let instants = rule.transitions(in: year).map(\.instant)
        check(instants == instants.sorted(), "\(rule)")
        check(instants.allSatisfy { abs($0 - first) < 366 * day + 2 * week }, "\(rule)")
    }
    let start = ZoneTable.Transition(instant: ZoneInterval.distantPast, offset: rule.standard)
    check(ZoneTable(name: "Fuzz", transitions: [start] + rule.transitions(in: 2026), cyclesFrom: nil))
}

private func check(_ zone: ZoneTable) {
    var interval = zone.interval(at: -4_000_000_000)
    for _ in 0..<200 {
        check(interval.start < interval.end, "\(interval)")
        for instant in [interval.start, interval.end - 1] where abs(instant) < 1 << 50 {
            check(zone.interval(at: instant) == interval, "\(instant) is not in \(interval)")
            let wall = zone.local(at: instant)
            // A wall time that comes twice means the first.
            let meant = zone.instant(of: wall)
            check(meant <= instant && zone.local(at: meant) == wall, "\(wall) means \(meant), not \(instant)")
        }
        guard interval.end < 1 << 50 else { break }
        interval = zone.interval(at: interval.end)
    }
}
