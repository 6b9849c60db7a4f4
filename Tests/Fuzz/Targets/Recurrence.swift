import Recurrence

/// A rule, a cron expression or a length of time: printed it reads as the same again, an error points into the text, and
/// whatever the rule, its first instances are found at once.
func checkRecurrence(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    func pointsInside(_ error: RecurrenceError) {
        check((0...text.unicodeScalars.count).contains(error.offset), "\(error)")
    }
    do {
        let rule = try RecurrenceRule(text)
        check((try? RecurrenceRule(rule.text)) == rule, "printed as \(rule.text)")
        if let start = LocalDateTime("2026-01-31T09:30:00"),
            let set = try? RecurrenceSet(start: start, zone: ZoneTable.named("Europe/Berlin"), rule: rule)
        {
            var last = Int.min
            for occurrence in set.occurrences.prefix(3) {
                check(occurrence.instant > last, "out of order")
                last = occurrence.instant
            }
            _ = rule.summary(start: start)
        }
    } catch { pointsInside(error) }
    do { _ = try CronExpression(text).next(after: 1_800_000_000, in: nil) } catch { pointsInside(error) }
    do {
        let duration = try CalendarDuration(text)
        check((try? CalendarDuration(duration.text)) == duration, "printed as \(duration.text)")
    } catch { pointsInside(error) }
}
