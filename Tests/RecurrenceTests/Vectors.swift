import Foundation
import Recurrence
import StructuredData
import Testing

/// A case of `Resources/recurrence.jsonl`: RFC 5545's own examples, edge cases and random rules, on which several
/// implementations agree.
struct Vector: CustomTestStringConvertible, Sendable {
    let json: JSON

    var id: String { json["id"]?.string ?? "" }
    var testDescription: String { id }
    var start: String { json["dtstart"]?.string ?? "" }
    var rule: String { json["rrule"]?.string ?? "" }
    var zone: String? { json["tzid"]?.string }
    var exdates: [String] { texts("exdate") }
    var rdates: [String] { texts("rdate") }
    var limit: Int { json["limit"]?.int ?? 1 }
    var expected: [String] { texts("expect") }
    var isRefused: Bool { json["error"]?.bool == true }

    private func texts(_ name: String) -> [String] { (json[name]?.array ?? []).compactMap(\.string) }

    static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/recurrence.jsonl")

    static let all: [Vector] = {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? JSON(parsing: $0) }.map { Vector(json: $0) }
    }()

    /// The set that the case is about.
    func set() throws -> RecurrenceSet {
        let rule = try RecurrenceRule(rule)
        if let day = CivilDate(start) {
            return try RecurrenceSet(
                day: day, rule: rule, exdates: exdates.compactMap { CivilDate($0) },
                rdates: rdates.compactMap { CivilDate($0) })
        }
        let table = zone.map { ZoneTable.named($0) } ?? (start.hasSuffix("Z") ? .utc : nil)
        return try RecurrenceSet(
            start: time(start), zone: table, rule: rule, exdates: exdates.map(time), rdates: rdates.map(time))
    }

    /// An instance as the case writes it.
    func text(_ occurrence: Occurrence) -> String {
        if start.utf8.count == 10 { return occurrence.date.text }
        return zone == nil && !start.hasSuffix("Z")
            ? occurrence.local.text : LocalDateTime(seconds: occurrence.instant).text + "Z"
    }

    private func time(_ text: String) throws -> LocalDateTime {
        guard let time = LocalDateTime(text.filter { $0 != "Z" }) else { throw CocoaError(.coderInvalidValue) }
        return time
    }
}
