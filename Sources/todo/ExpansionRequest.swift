import Recurrence
import StructuredData

/// What is asked of `todo recurrence expand`.
struct ExpansionRequest {
    struct Fault: Error {
        let message: String
    }

    private enum Form {
        case day, floating, zoned
    }

    private let set: RecurrenceSet
    private let form: Form
    private let limit: Int

    private static let limits = 1...1_000_000

    init(_ json: JSON) throws(Fault) {
        guard json.object != nil else { throw Fault(message: "expected an object with dtstart and rrule") }
        limit = json["limit"].map { $0.int ?? 0 } ?? 10
        guard Self.limits.contains(limit) else {
            throw Fault(message: "limit must be a whole number from 1 to \(Self.limits.upperBound)")
        }
        let start = try Self.text("dtstart", json)
        let exdates = try Self.texts("exdate", json)
        let rdates = try Self.texts("rdate", json)
        do {
            let rule = try RecurrenceRule(try Self.text("rrule", json))
            if let day = CivilDate(start) {
                form = .day
                set = try RecurrenceSet(
                    day: day, rule: rule, exdates: try exdates.map(Self.day), rdates: try rdates.map(Self.day))
            } else {
                let zone = try Self.zone(json, isUTC: start.hasSuffix("Z"))
                form = zone == nil ? .floating : .zoned
                set = try RecurrenceSet(
                    start: try Self.time(start), zone: zone, rule: rule,
                    excluding: try exdates.map { try Self.instant($0, in: zone) },
                    adding: try rdates.map { try Self.instant($0, in: zone) })
            }
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(message: "rrule: \(error)")
        }
    }

    /// The first instances, and whether there are no more.
    func expanded() -> (instances: [String], ended: Bool) {
        var iterator = set.occurrences.makeIterator()
        var instances: [String] = []
        while instances.count < limit {
            guard let occurrence = iterator.next() else { return (instances, true) }
            instances.append(text(occurrence))
        }
        return (instances, iterator.next() == nil)
    }

    private func text(_ occurrence: Occurrence) -> String {
        switch form {
        case .day: occurrence.date.text
        case .floating: occurrence.local.text
        case .zoned: LocalDateTime(seconds: occurrence.instant).text + "Z"
        }
    }

    // MARK: - Reading

    private static func text(_ name: String, _ json: JSON) throws(Fault) -> String {
        guard let text = json[name]?.string else { throw Fault(message: "\(name) must be a string") }
        return text
    }

    private static func texts(_ name: String, _ json: JSON) throws(Fault) -> [String] {
        guard let list = json[name], !list.isNull else { return [] }
        guard let items = list.array else { throw Fault(message: "\(name) must be a list of strings") }
        let texts = items.compactMap(\.string)
        guard texts.count == items.count else { throw Fault(message: "\(name) must be a list of strings") }
        return texts
    }

    private static func zone(_ json: JSON, isUTC: Bool) throws(Fault) -> ZoneTable? {
        guard let value = json["tzid"], !value.isNull else { return isUTC ? .utc : nil }
        guard !isUTC, let zone = value.string.flatMap(ZoneTable.named) else {
            let why =
                isUTC ? "dtstart ends in Z, so there can be no tzid" : "tzid must be an IANA zone, as Europe/Berlin"
            throw Fault(message: why)
        }
        return zone
    }

    private static func day(_ text: String) throws(Fault) -> CivilDate {
        if let day = CivilDate(text) { return day }
        throw Fault(message: "\"\(text)\" must be a day, as 2026-01-31, like dtstart")
    }

    /// On the wall of the zone, or with a Z in UTC (RFC 5545 section 3.8.5.1).
    private static func instant(_ text: String, in zone: ZoneTable?) throws(Fault) -> Int {
        let time = try time(text)
        guard text.hasSuffix("Z") else { return zone?.instant(of: time) ?? time.seconds }
        guard zone != nil else { throw Fault(message: "\"\(text)\" is in UTC, but dtstart is in no zone") }
        return time.seconds
    }

    private static func time(_ text: String) throws(Fault) -> LocalDateTime {
        if let time = LocalDateTime(text.hasSuffix("Z") ? String(text.dropLast()) : text) { return time }
        throw Fault(
            message: "\"\(text)\" must be a day and time, as 2026-01-31T09:00:00, or a day, as 2026-01-31")
    }
}
