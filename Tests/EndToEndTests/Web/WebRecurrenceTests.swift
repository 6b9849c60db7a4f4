import Foundation
import StructuredData
import Testing
import WebDriver

/// Tasks that repeat.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebRecurrenceTests {
    @Test func oneLineMakesATaskThatRepeatsAndCompletingItBringsTheNext() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            let field = try await browser.control("Add a task")
            try await field.type("Water plants every day 17:00")
            try await page.says("Understood: Today 17:00 · every day", in: "quick-add")
            try await field.type(Key.enter)
            try await page.says("every day at 17:00", in: ".row .meta")
            try await page.isSaved()
            try await browser.click("Complete “Water plants”")
            try await page.says("Tomorrow 17:00", in: ".row .meta")
            try await page.lists(["Water plants"])

            // Taken back, there is one again, and it is today's. The offer goes by itself after some seconds; the key stays.
            try await browser.press([Key.control, "z"])
            try await page.says("Today 17:00", in: ".row .meta")
            try await page.lists(["Water plants"])
            try await page.isSaved()
            try await browser.reload()
            try await page.lists(["Water plants"])
            try await page.says("Today 17:00", in: ".row .meta")
        }
    }

    @Test func aWeekdayOfTheMonthIsSaidInOneLineAndChosenInTheSheet() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            let field = try await browser.control("Add a task")
            try await field.type("Board every 1st friday 10:00")
            try await page.says("10:00 · every 1st friday of the month", in: "quick-add")
            try await field.type(Key.enter)
            try await page.says("every first Friday at 10:00", in: ".row .meta")
            try await page.lists(["Board"])
            try await page.isSaved()
            try await page.opensTask("Board")
            try await browser.click("Repeat: every…")
            try await browser.holds("one of those to choose") {
                try await browser.control("Repeats").property("value") == "monthWeekday"
            }
            try await page.says("Fri, ", in: ".occurrences")
        }
    }

    @Test(arguments: Screen.sizes) func aRuleIsChosenSeenAndKept(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Report 2058-01-31 9:00")
            try await page.lists(["Report"])
            try await page.isSaved()
            try await page.opensTask("Report")
            try await browser.click("Repeat: Does not repeat")
            try await browser.choose("Every month on day 31", from: "Repeats")
            try await page.says("Thu, 31 Jan 2058 09:00", in: ".occurrences")
            // Months without a 31st are left out, or end with it.
            try await dates(page, ["31 Jan 2058", "31 Mar 2058", "31 May 2058"])
            try await browser.choose("take the last day", from: "In a month without that day")
            try await dates(page, ["31 Jan 2058", "28 Feb 2058", "31 Mar 2058"])
            try await browser.holds { try await browser.all(".occurrences li").count == 10 }

            try await browser.choose("Custom", from: "Repeats")
            try await browser.choose("a weekday of the month", from: "On")
            try await browser.choose("last", from: "Which one")
            try await browser.choose("Thursday", from: "Day of the week")
            try await browser.choose("after so many", from: "Ends")
            try await page.says("10 times", in: ".recurrence-text")
            let bottom = "return document.querySelector('.recurrence-form .primary').getBoundingClientRect().bottom"
            let before = try await browser.script(bottom)
            try await browser.enter("3", into: "How many")
            try await dates(page, ["31 Jan 2058", "28 Feb 2058", "28 Mar 2058"])
            try await page.says("3 times", in: ".recurrence-text")
            #expect(try await browser.script(bottom) == before, "the button has moved from under the finger")
            try await page.says("Then it ends.", in: ".occurrences")
            try await page.says("last Thursday", in: ".recurrence-text")
            try await browser.show("repeat")
            try await browser.click("Set")
            try await page.says("last Thursday", in: "task-recurrence")
            try await page.closesDialog()
            try await page.says("last Thursday", in: ".row .meta-repeat")
            try await page.isSaved()

            try await browser.reload()
            try await page.opensTask("Report")
            try await browser.click("Repeat: every…")
            try await browser.holds("one of those to choose") {
                try await browser.control("Repeats").property("value") == "monthWeekday"
            }
            try await browser.holds { try await browser.control("How many").property("value") == "3" }
            try await browser.click("Cancel")
            try await browser.click("Repeat: every…")
            try await browser.choose("Does not repeat", from: "Repeats")
            try await browser.click("Set")
            _ = try await browser.control("Repeat: Does not repeat")
        }
    }

    @Test func aRuleThatTheFieldsCannotSayIsKeptAsText() async throws {
        let rule = "FREQ=YEARLY;BYDAY=MO;BYWEEKNO=20"
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Odd 2058-05-13")
            try await page.lists(["Odd"])
            try await page.isSaved()
            try await page.opensTask("Odd")
            try await browser.click("Repeat: Does not repeat")
            try await browser.choose("By a rule (RRULE)", from: "Repeats")
            try await browser.enter("FREQ=FORTNIGHTLY", into: "Rule")
            try await page.says("DAILY, WEEKLY, MONTHLY, YEARLY", in: ".recurrence-form .form-error")
            try await browser.click("Set")
            _ = try await browser.eventually("the focus on what is no rule, and not set") { () async throws -> Bool? in
                try await browser.focused().name == "Rule" ? true : nil
            }
            try await browser.enter("RRULE:\(rule)", into: "Rule")
            try await dates(page, ["13 May 2058", "12 May 2059", "10 May 2060"])
            try await browser.click("Set")
            try await page.says("week 20", in: "task-recurrence")
            try await page.closesDialog()
            try await page.isSaved()
            try await browser.reload()
            try await page.opensTask("Odd")
            try await browser.click("Repeat: every…")
            try await browser.holds { try await browser.control("Rule").property("value") == .string(rule) }
        }
    }

    @Test func aChangeReachesAsFarAsThePersonSays() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Stretch every day")
            try await page.lists(["Stretch"])
            try await page.isSaved()
            // By keys: the question is not answered by the key that asked it.
            try await browser.press(Key.escape)
            try await browser.press("e")
            try await browser.write("Once only\n")
            try await page.says("Change a task that repeats", in: "dialog")
            try await browser.show("scope")
            try await browser.click("Only this one")
            try await page.lists(["Once only"])
            try await browser.click("Complete “Once only”")
            try await page.lists(["Stretch"])
            try await page.isSaved()

            try await page.opensTask("Stretch")
            try await browser.holds { try await browser.control("Changes are for").property("value") == "following" }
            try await browser.choose("High", from: "Priority")
            try await page.closesDialog()
            try await page.isSaved()
            let row = try await page.row("Stretch").property("id")
            try await browser.click("Complete “Stretch”")
            _ = try await browser.eventually("the next one") { () async throws -> Bool? in
                try await page.row("Stretch").property("id") != row ? true : nil
            }
            try await browser.holds { try await browser.all(".meta-priority.priority-high").count == 1 }
        }
    }

    @Test func oneIsSkippedAndTheSeriesIsEnded() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Stretch every day")
            try await page.says("Today", in: ".row .meta-due")
            try await page.isSaved()
            try await page.hover("Stretch")
            try await browser.click("Actions for “Stretch”")
            try await browser.click("Skip this one")
            try await page.says("Skipped: the next one comes", in: "undo-toast")
            try await page.says("Tomorrow", in: ".row .meta-due")
            try await page.lists(["Stretch"])
            try await page.isSaved()

            try await page.hover("Stretch")
            try await browser.click("Actions for “Stretch”")
            try await browser.click("Move to the bin")
            try await browser.press(Key.escape)
            try await page.lists(["Stretch"])
            try await page.hover("Stretch")
            try await browser.click("Actions for “Stretch”")
            try await browser.click("Move to the bin")
            try await browser.click("All of them")
            try await page.lists([])
            try await page.isSaved()
            try await browser.reload()
            try await page.lists([])
        }
    }

    /// Waits until the preview begins with these.
    private func dates(_ page: TodoPage, _ expected: [String]) async throws {
        _ = try await page.browser.eventually("the dates \(expected)") { () async throws -> Bool? in
            let shown = try await page.browser.script(
                "return [...document.querySelectorAll('.occurrences li')].map((each) => each.textContent)"
            ).array?.compactMap(\.string)
            let pairs = zip(shown ?? [], expected)
            return shown.map { $0.count >= expected.count } == true && pairs.allSatisfy { $0.contains($1) } ? true : nil
        }
    }
}
