import Testing
import TodoModel

@Suite struct TaskQueryErrorTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let text: String
        /// The part of the text that the error must point at.
        let place: String
        let message: String
        var testDescription: String { text }

        init(_ text: String, _ place: String, _ message: String) {
            self.text = text
            self.place = place
            self.message = message
        }
    }

    @Test(arguments: [
        Mistake(
            "ü priority:hihg", "hihg", "priority takes none, low, medium, high or urgent, not hihg; did you mean high?"),
        Mistake("priority:high..lo", "lo", "did you mean low?"), Mistake("priority:5", "5", "priority takes none"),
        Mistake("statsu:open", "statsu", "statsu is not a field; did you mean status?"),
        Mistake("see https://a.b", "https", "put it in quotes to search for it as text"),
        Mistake("due:tomorow", "tomorow", "did you mean tomorrow?"),
        Mistake("due:2026-02-29", "2026-02-29", "there is no day 2026-02-29 in the calendar"),
        Mistake("due:2026-1-1", "2026-1-1", "a date is written as year-month-day"),
        Mistake("due:today..2026-13-01", "2026-13-01", "no day"),
        Mistake("due:7d", "7d", "a shift begins with + or -"), Mistake("due:+7x", "+7x", "d, w, m or y"),
        Mistake("due:+99999d", "+99999d", "at most 4000"), Mistake("due:now", "now", "now is an instant"),
        Mistake("due:..", "..", "a range needs at least one end"),
        Mistake("due<a..b", "<", "a range cannot be compared"),
        Mistake("due:2026-03-02..2026-03-01", "2026-03-02..2026-03-01", "ends before it begins"),
        Mistake("estimate:2h..1h", "2h..1h", "ends before it begins"),
        Mistake("created:none", "none", "every task has a created date"), Mistake("due:", "due:", "due needs a value"),
        Mistake("a tag:\"\"", "tag:\"\"", "tag needs a value"), Mistake("status>open", ">", "write status:open"),
        Mistake("estimate:30", "30", "30m, 2h or 1h30m"), Mistake("is:recurring", "recurring", "subtask or deleted"),
        Mistake("parent:x", "x", "parent takes the id of a task"),
        Mistake("project:\"a\"*", "*", "for tags only"), Mistake("a (b or c", "(", "not closed"),
        Mistake("a) b", ")", "closes none"), Mistake("a ()", "(", "no term between"),
        Mistake("a or", "or", "both sides"),
        Mistake("or a", "or", "both sides"), Mistake("a and", "and", "both sides"),
        Mistake("a - b", "-", "right after"),
        Mistake("a not", "not", "right after"), Mistake("\"a b", "\"a b", "not closed"),
        Mistake("a &", "&", "no letter"),
        Mistake("\"?!\"", "\"?!\"", "no letter"), Mistake("sort:du", "du", "did you mean due?"),
        Mistake("sort:due,-title,due", "due", "twice"), Mistake("sort:due,", "", "sort takes due"),
        Mistake("sort:due sort:title", "sort:title", "sort is given twice"),
        Mistake("(a sort:due)", "sort:due", "outside"),
        Mistake("-sort:due", "sort:due", "write sort:-due"), Mistake("a\u{0}b", "\u{0}", "control characters"),
    ])
    func aMistakeIsPointedAt(mistake: Mistake) throws {
        let error = try #require(throws: TaskQueryError.self) { try TaskQuery(parsing: mistake.text) }
        #expect(error.message.contains(mistake.message), "\(error.message)")
        let scalars = Array(mistake.text.unicodeScalars)[error.offset..<error.offset + error.length]
        #expect(String(String.UnicodeScalarView(scalars)) == mistake.place)
        #expect(String(decoding: Array(mistake.text.utf8)[error.utf8Range], as: UTF8.self) == mistake.place)
    }

    @Test func whatIsTooMuchIsRefusedWhereItBecomesTooMuch() throws {
        let long = try #require(throws: TaskQueryError.self) {
            try TaskQuery(parsing: String(repeating: "ü", count: 3_000_000))
        }
        #expect((long.offset, long.utf8Range.lowerBound) == (2000, 4000))
        let many = try #require(throws: TaskQueryError.self) {
            try TaskQuery(parsing: String(repeating: "a ", count: 101))
        }
        #expect((many.offset, many.length) == (200, 1))
        for nesting in ["(", "-", "not "] {
            let deep = try #require(throws: TaskQueryError.self) {
                try TaskQuery(parsing: String(repeating: nesting, count: 300) + "a")
            }
            #expect(deep.offset == 50 * nesting.count)
            #expect(deep.message.contains("nested too deep"))
        }
    }
}
