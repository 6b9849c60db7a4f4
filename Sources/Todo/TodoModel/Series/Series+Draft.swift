public import Recurrence
public import StructuredData

extension Series {
    /// What a person says of how a task repeats.
    public struct Draft: Sendable, Hashable {
        public var rule: RecurrenceRule
        public var basis: Basis
        public var overdue: Overdue
        public var overdueLimit: Int

        public init(
            rule: RecurrenceRule, basis: Basis = .due, overdue: Overdue = .next, overdueLimit: Int = 10
        ) {
            self.rule = rule
            self.basis = basis
            self.overdue = overdue
            self.overdueLimit = overdueLimit
        }
    }
}

/// Which instances of a series an edit or a deletion means. An edit of one that is closed is of that one alone.
public enum SeriesScope: String, Sendable, Hashable, CaseIterable {
    /// Only this one: the next is as if nothing had been changed.
    case this
    /// This one and those after it, which become a series of their own: as in a calendar, a later edit of one before
    /// does not reach them.
    case following
    /// This one and those after it in its series; what is done stays as it was.
    case all
}

extension MemberReader {
    /// Problems inside are told as `recurrence.rule` and so on.
    public mutating func series() throws(ValidationError) -> Series.Draft? {
        guard let json = value("recurrence") else { return nil }
        guard json.object != nil else {
            fail("recurrence", "must be an object such as {\"rule\": \"FREQ=WEEKLY;BYDAY=MO\"}")
            return nil
        }
        do {
            return try Series.Draft(json)
        } catch {
            for problem in error.fields { fail("recurrence.\(problem.field)", problem.message) }
            return nil
        }
    }

    mutating func scope() -> SeriesScope? { choice("scope", SeriesScope.allCases.map { ($0.rawValue, $0) }) }

    /// A rule that can be read; the message says where it cannot.
    public mutating func rule(_ name: String) -> RecurrenceRule? {
        guard let text = string(name) else { return nil }
        do {
            return try RecurrenceRule(text)
        } catch {
            fail(name, "\(error)")
            return nil
        }
    }
}

extension Series.Draft {
    /// Only `rule` must be there; what the server sets is ignored. Throws naming every member that is wrong or unknown.
    public init(_ json: JSON) throws(ValidationError) {
        var reader = try MemberReader(json, of: "a recurrence", ignoring: ["series", "occurrence", "text"])
        if reader.value("rule") == nil { reader.fail("rule", "is required, as in FREQ=WEEKLY;BYDAY=MO") }
        var rule = reader.rule("rule") ?? RecurrenceRule.daily
        if let skip = reader.choice("monthEnd", [("skip", RecurrenceRule.Skip.omit), ("clamp", .backward)]) {
            rule.skip = skip
        }
        self.init(
            rule: rule, basis: reader.choice("basis", Series.Basis.allCases.map { ($0.rawValue, $0) }) ?? .due,
            overdue: reader.choice("overdue", Series.Overdue.allCases.map { ($0.rawValue, $0) }) ?? .next,
            overdueLimit: reader.integer("overdueLimit", in: Series.overdueLimits) ?? 10)
        try reader.finish()
    }

    /// Whether the rule fits what is due: hours need a time.
    public func fits(_ due: Due) -> Bool { due.time != nil || rule.frequency >= .daily }
}

extension Series {
    /// The member `recurrence` of a task.
    public var json: JSON {
        [
            "rule": .string(rule.text), "basis": .string(basis.rawValue),
            "monthEnd": rule.skip == .backward ? "clamp" : "skip", "overdue": .string(overdue.rawValue),
            "overdueLimit": JSON(overdueLimit), "series": JSON(id), "occurrence": .string(occurrenceText),
            "text": .string(text),
        ]
    }
}
