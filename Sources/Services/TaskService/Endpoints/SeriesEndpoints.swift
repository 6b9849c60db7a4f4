internal import FoundationEssentials
internal import HTTPTypes
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/recurrence/preview`, `/v1/tasks/{id}/occurrences`: when something will be due.
enum SeriesEndpoints {
    static let all = [preview, occurrences]

    private static let counts = 1...100
    private static let usualCount = 10

    private static let preview = Endpoint(
        method: .post, path: "/v1/recurrence/preview", name: "previewRecurrence",
        summary: "Say in English what a rule means, and list its first instances.", body: .json("RecurrencePreview"),
        isRepeatable: false, outcomes: [.init(status: .ok, schema: "OccurrenceList")]
    ) { call in
        let request = try PreviewRequest(call.body)
        var iterator = request.set.occurrences.makeIterator()
        var found: [Occurrence] = []
        while found.count < request.count, let occurrence = iterator.next() { found.append(occurrence) }
        let isEnd = found.count < request.count || iterator.next() == nil
        return answer(request.text, found.map { ($0.local, $0.instant) }, request.start, ended: isEnd)
    }

    private static let occurrences = Endpoint(
        method: .get, path: "\(TaskEndpoints.path)/{id}/occurrences", name: "listOccurrences",
        summary:
            "When the instances after this one will be due, as if each were done in time; none if it does not repeat.",
        query: [
            .init(
                name: "limit", schema: ["type": "integer", "minimum": 1, "maximum": 100, "default": 10],
                explanation: "At most so many.")
        ], outcomes: [.init(status: .ok, schema: "OccurrenceList")]
    ) { call in
        let limit = try call.integer("limit", in: counts, default: usualCount)
        let task = try await call.database.tasks.get(call.id(), for: call.user())
        guard let series = task.recurrence else {
            return Answer(.ok, ["text": "", "occurrences": [], "ended": true])
        }
        let zone = series.start.zone.flatMap(ZoneTable.named)
        let found = series.following(limit + 1).map { ($0, zone?.instant(of: $0) ?? $0.seconds) }
        return answer(series.text, Array(found.prefix(limit)), series.start, ended: found.count <= limit)
    }

    private static func answer(
        _ text: String, _ occurrences: [(local: LocalDateTime, instant: Int)], _ start: Due, ended: Bool
    ) -> Answer {
        let items = occurrences.map { local, instant -> JSON in
            let due = Due(date: local.date, time: start.time == nil ? nil : local.time, zone: start.zone)
            let at =
                start.zone != nil
                ? LocalDateTime(seconds: instant).text + "Z" : start.time == nil ? local.date.text : local.text
            return ["due": due.json, "at": .string(at)]
        }
        return Answer(.ok, ["text": .string(text), "occurrences": .array(items), "ended": .bool(ended)])
    }
}

/// What is asked of `/v1/recurrence/preview`.
private struct PreviewRequest {
    let set: RecurrenceSet
    let start: Due
    let text: String
    let count: Int

    private static let longestList = 1000

    /// Throws naming every member that is wrong or unknown.
    init(_ json: JSON) throws(ValidationError) {
        var reader = try MemberReader(json, of: "a preview")
        let draft = try Self.draft(&reader)
        let (start, wall, isDue) = try Self.start(&reader)
        count = reader.integer("count", in: 1...100) ?? 10
        let exdates = Self.times("exdates", &reader, isAllDay: start.time == nil)
        let rdates = Self.times("rdates", &reader, isAllDay: start.time == nil)
        if !draft.fits(start) { reader.fail("recurrence.rule", "needs a due time: it is of hours, minutes or seconds") }
        try reader.finish()
        self.start = start
        text = draft.rule.summary(start: wall, isAllDay: start.time == nil) + draft.basis.text
        let rule = isDue ? Series(id: UUID(), draft, due: start).countedRule : draft.rule
        do {
            set =
                start.time == nil
                ? try RecurrenceSet(
                    day: start.date, rule: rule, exdates: exdates.map(\.date), rdates: rdates.map(\.date))
                : try RecurrenceSet(
                    start: wall, zone: start.zone.flatMap(ZoneTable.named), rule: rule, exdates: exdates,
                    rdates: rdates)
        } catch {
            throw ValidationError([.init("recurrence.rule", "\(error)")])
        }
    }

    private static func draft(_ reader: inout MemberReader) throws(ValidationError) -> Series.Draft {
        if reader.value("recurrence") == nil { reader.fail("recurrence", "is required: {\"rule\": \"FREQ=DAILY\"}") }
        return try reader.series() ?? Series.Draft(rule: .daily)
    }

    /// `due`, which is an instance already, or `start` and `zone`.
    private static func start(
        _ reader: inout MemberReader
    ) throws(ValidationError) -> (Due, LocalDateTime, isDue: Bool) {
        let (due, text, zone) = (try reader.due(), reader.string("start"), reader.zone("zone"))
        if let due { return (due, due.wall, isDue: true) }
        let day = text.flatMap { CivilDate($0) }
        let wall = text.flatMap { LocalDateTime($0) } ?? day.map { LocalDateTime(date: $0) }
        if reader.value("due") == nil, wall == nil {
            reader.fail("due", "is required; or start, as 2026-01-31T09:00:00 or 2026-01-31")
        }
        let start = wall ?? LocalDateTime(seconds: 0)
        return (Due(date: start.date, time: day == nil ? start.time : nil, zone: zone), start, isDue: false)
    }

    private static func times(_ name: String, _ reader: inout MemberReader, isAllDay: Bool) -> [LocalDateTime] {
        guard let value = reader.value(name) else { return [] }
        let items = value.array ?? []
        let times = items.compactMap { item in
            item.string.flatMap { text in
                isAllDay ? CivilDate(text).map { LocalDateTime(date: $0) } : LocalDateTime(text)
            }
        }
        if value.array == nil || times.count != items.count || items.count > longestList {
            let form = isAllDay ? "days, as 2026-01-31" : "wall times, as 2026-01-31T09:00:00"
            reader.fail(name, "must be a list of at most \(longestList) \(form), like due")
        }
        return times
    }
}
