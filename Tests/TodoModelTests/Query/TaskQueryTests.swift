import Foundation
import Testing
import TodoModel

@Suite struct TaskQueryTests {
    @Test func theExampleOfTheManualIsReadInWhole() throws {
        let query = try TaskQuery(
            parsing: """
                due:today..+7d priority>=high (tag:home or tag:garden) -project:work "exact words" status:open
                sort:due,-priority
                """)
        #expect(
            query
                == TaskQuery(
                    filter: .all([
                        .term(.date(.due, .between(.today, .shifted(7, .day)))),
                        .term(.priority(.compared(.greaterOrEqual, .high))),
                        .any([.term(.tag(.name("home"))), .term(.tag(.name("garden")))]),
                        .not(.term(.project(.name("work")))), .term(.phrase("exact words")),
                        .term(.status(.open)),
                    ]), sort: [TaskSortKey(.due), TaskSortKey(.priority, isDescending: true)]))
    }

    @Test(arguments: [
        ("milk", TaskTerm.word("milk", isPrefix: false)),
        ("gard*", .word("gard", isPrefix: true)),
        ("10:30", .word("10:30", isPrefix: false)),
        ("a-b", .word("a-b", isPrefix: false)),
        (#""say \"or\" \\""#, .phrase(#"say "or" \"#)),
        ("due:2026-03-01", .date(.due, .compared(.equal, .day(CivilDate(daysSince1970: 20513))))),
        ("start=2024-02-29", .date(.start, .compared(.equal, .day(CivilDate(daysSince1970: 19782))))),
        ("due<TOMORROW", .date(.due, .compared(.less, .shifted(1, .day)))),
        ("due:<=yesterday", .date(.due, .compared(.lessOrEqual, .shifted(-1, .day)))),
        ("created>-2w", .date(.created, .compared(.greater, .shifted(-2, .week)))),
        ("updated>=+1m", .date(.updated, .compared(.greaterOrEqual, .shifted(1, .month)))),
        ("due:+1y..", .date(.due, .compared(.greaterOrEqual, .shifted(1, .year)))),
        ("due:..now", .date(.due, .compared(.lessOrEqual, .now))),
        ("due:mon..sunday", .date(.due, .between(.weekday(.monday), .weekday(.sunday)))),
        ("completed:month", .date(.completed, .compared(.equal, .current(.month)))),
        ("due:none", .date(.due, .missing)), ("start:any", .date(.start, .present)), ("due:overdue", .overdue),
        ("priority:none", .priority(.compared(.equal, .none))), ("priority>2", .priority(.compared(.greater, .medium))),
        ("priority:low..high", .priority(.between(.low, .high))),
        ("status:Cancelled", .status(.cancelled)), ("status:any", .status(nil)),
        ("tag:none", .tag(.missing)), ("tag:\"none\"", .tag(.name("none"))), ("tag:ho*", .tag(.prefix("ho"))),
        ("tag:\"at ho\"*", .tag(.prefix("at ho"))), ("tag:\"ho*\"", .tag(.name("ho*"))),
        ("project:\"Spring cleaning\"", .project(.name("Spring cleaning"))), ("project:none", .project(.missing)),
        ("estimate:30m", .estimate(.compared(.equal, 30))), ("estimate<=1h30m", .estimate(.compared(.lessOrEqual, 90))),
        ("estimate:..2h", .estimate(.compared(.lessOrEqual, 120))), ("estimate:none", .estimate(.missing)),
        ("is:subtask", .flag(.subtask)), ("IS:deleted", .flag(.deleted)), ("has:description", .flag(.description)),
        ("parent:none", .parent(.missing)),
    ])
    func aTermIsRead(text: String, term: TaskTerm) throws {
        #expect(try TaskQuery(parsing: text).filter == .term(term))
    }

    @Test func anIdIsAProjectsIdUnlessItIsQuoted() throws {
        let id = UUID()
        #expect(try TaskQuery(parsing: "project:\(id)").filter == .term(.project(.id(id))))
        #expect(try TaskQuery(parsing: "project:\"\(id)\"").filter == .term(.project(.name(id.uuidString))))
        #expect(try TaskQuery(parsing: "parent:\(id)").filter == .term(.parent(.id(id))))
    }

    @Test(arguments: [
        ("a b or c d", "a b or c d"), ("(a b) c", "a b c"), ("a and (b or c)", "a (b or c)"), ("NOT a", "-a"),
        ("-(-a)", "a"), ("--a", "a"), ("not (a or b)", "-(a or b)"), ("((a))", "a"), ("a or (b or c)", "a or b or c"),
        ("a sort:title b", "a b sort:title"), ("a or b sort:-due", "a or b sort:-due"), (" \t\n", ""),
        ("due:tomorrow", "due:tomorrow"), ("due:+1d", "due:tomorrow"), ("due:-0d", "due:today"),
        ("estimate:90m", "estimate:1h30m"), ("priority:4", "priority:urgent"),
    ])
    func theCanonicalFormSaysTheSameInFewerWays(text: String, canonical: String) throws {
        #expect(try TaskQuery(parsing: text).description == canonical)
    }

    @Test func whatAViewMustAddIsKnown() throws {
        #expect(try TaskQuery(parsing: "a or -status:done").filter.mentionsStatus)
        #expect(try !TaskQuery(parsing: "a or is:deleted").filter.mentionsStatus)
        #expect(try TaskQuery(parsing: "a or is:deleted").filter.mentionsBin)
        #expect(try !TaskQuery(parsing: "deleted").filter.mentionsBin)
    }

    @Test func theLimitsAreReachedButNotPassed() throws {
        let terms = Array(repeating: "a", count: TaskQuery.termLimit).joined(separator: " ")
        #expect(
            try TaskQuery(parsing: terms).filter
                == .all(Array(repeating: .term(.word("a", isPrefix: false)), count: 100)))
        let depth = TaskQuery.depthLimit
        let nested = String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth)
        #expect(try TaskQuery(parsing: nested).description == "a")
        let long = String(repeating: "a", count: TaskQuery.lengthLimit)
        #expect(try TaskQuery(parsing: long).description == long)
    }

    @Test func aQueryThatIsPrintedIsReadAsTheSameQuery() throws {
        var generator = RandomTaskQuery(seed: 3)
        for _ in 0..<20_000 {
            let query = generator.query()
            let text = query.description
            guard text.unicodeScalars.count <= TaskQuery.lengthLimit else { continue }
            let read = try TaskQuery(parsing: text)
            #expect(read == query, "\(text)")
            #expect(read.description == text)
        }
    }
}
