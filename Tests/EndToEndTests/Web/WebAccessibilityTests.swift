import Foundation
import StructuredData
import Testing
import WebDriver

/// WCAG 2.2 AA, as far as a program can tell: each view and sheet, light and dark, at a desk and on a phone.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebAccessibilityTests {
    @Test(arguments: Screen.allCases) func everyViewHoldsToTheRules(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            try await fill(page)
            for view in ["Inbox", "Today", "Upcoming", "Completed", "Activity", "Bin", "Settings"] {
                try await page.goTo(view)
                _ = try await page.browser.eventually("\(view) to be read") { () async throws -> Bool? in
                    try await page.browser.script("return /Reading|Loading/.test(document.body.innerText)") == false
                        ? true : nil
                }
                let text = try await page.browser.find("main").text
                #expect(!text.contains("could not be read"), "\(view)")
                try await check(page, "\(view), \(screen)")
            }
        }
    }

    @Test(arguments: Screen.allCases) func everySheetHoldsToTheRules(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await fill(page)
            try await page.goTo("Inbox")
            try await page.opensTask("Water plants")
            try await check(page, "editor, \(screen)")
            try await browser.click("Due: …")
            try await check(page, "due date, \(screen)")
            try await browser.press(Key.escape)
            try await page.closesDialog()
            try await page.hover("Water plants")
            try await browser.click("Actions for “Water plants”")
            try await check(page, "menu, \(screen)")
            try await browser.click("Select")
            try await check(page, "bulk bar, \(screen)")
            try await browser.click("Complete", in: "bulk-bar")
            _ = try await browser.control("Undo")
            try await check(page, "toast, \(screen)")
            try await browser.click("Keyboard shortcuts", in: ".top")
            try await check(page, "help, \(screen)")
            try await page.closesDialog()
            try await page.opensNavigation()
            try await check(page, "side bar, \(screen)")
            try await browser.click("Add a project")
            try await check(page, "project form, \(screen)")
        }
    }

    @Test(arguments: Screen.allCases) func whatIsAboutTimeHoldsToTheRules(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Water plants every friday 17:00 !urgent #garden", "Call Ada tomorrow 9:00")
            try await page.lists(["Water plants", "Call Ada"])
            try await page.isSaved()
            try await page.opensTask("Water plants")
            try await browser.click("Add a reminder")
            try await check(page, "reminder form, \(screen)")
            try await browser.click("1 day before")
            try await page.says("1 day before it is due", in: ".reminders")
            try await check(page, "editor of a series, \(screen)")
            try await browser.click("Repeat: …")
            _ = try await browser.find(".occurrences li")
            try await check(page, "repeat, \(screen)")
            try await browser.choose("Custom", from: "Repeats")
            try await check(page, "days of the week, \(screen)")
            try await browser.choose("month", from: "Unit")
            try await browser.choose("days of the month", from: "On")
            try await check(page, "days of the month, \(screen)")
            try await browser.choose("By a rule (RRULE)", from: "Repeats")
            try await browser.enter("FREQ=X", into: "Rule")
            _ = try await browser.find(".recurrence-form .form-error:not(:empty)")
            try await check(page, "a wrong rule, \(screen)")
            try await browser.click("Cancel")
            try await page.closesDialog()
            try await page.remind(of: "Call Ada")
            try await page.isRemindedOf(["Call Ada"])
            try await check(page, "reminder, \(screen)")
            try await browser.click("Snooze: Call Ada", in: "reminder-notices")
            try await check(page, "snooze, \(screen)")
            try await browser.click("Choose…")
            try await check(page, "snooze until, \(screen)")
            try await page.closesDialog()
            try await browser.click("Dismiss: Call Ada", in: "reminder-notices")
            try await page.hover("Water plants")
            try await browser.click("Actions for “Water plants”")
            try await browser.click("Move to the bin")
            try await check(page, "question of how far, \(screen)")
        }
    }

    @Test func whatIsChosenOrDoneIsSeenInTheColorsOfTheSystem() async throws {
        var look = Browser.Look.desktop
        look.hasForcedColors = true
        try await TodoPage.run(look) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Water plants every friday 17:00", "Done")
            try await browser.click("Complete “Done”")
            try await page.lists(["Water plants"])
            try await page.opensTask("Water plants")
            try await browser.click("Repeat: …")
            try await browser.choose("Custom", from: "Repeats")
            _ = try await browser.find(".toggle:has(:checked)")
            let grounds = try await browser.script(
                """
                const ground = (each) => getComputedStyle(each).backgroundColor;
                return new Set([...document.querySelectorAll(".toggle")].map(ground)).size;
                """)
            #expect(grounds == 2, "the day that is chosen, and the others")
            try await browser.click("Cancel")
            try await page.closesDialog()
            try await page.goTo("Completed")
            _ = try await page.row("Done")
            let isSeen = try await browser.script(
                """
                const box = document.querySelector(".complete[aria-checked=true]");
                const disc = getComputedStyle(box, "::before").backgroundColor;
                const mark = getComputedStyle(box.querySelector(".icon")).color;
                return disc !== getComputedStyle(document.body).backgroundColor && disc !== mark;
                """)
            #expect(isSeen == true)
        }
    }

    @Test func theSignInPageHoldsToTheRules() async throws {
        let url = try await TodoSite.url()
        for screen in Screen.allCases {
            try await Browser.run(screen.look) { browser in
                try await browser.go(to: url)
                _ = try await browser.control("Sign in")
                try await browser.holds { try await browser.focused().name == "E-mail address" }
                try await check(TodoPage(browser: browser, url: url), "sign-in, \(screen)")
            }
        }
    }

    @Test func assistiveTechnologyIsToldWhatThingsAre() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Parent", "Child")
            try await page.lists(["Parent", "Child"])
            try await browser.press(Key.escape)
            try await browser.press("j")
            try await browser.press([Key.alt, Key.right])
            _ = try await browser.control("Hide the subtasks of “Parent”")
            // What the server has answered draws the rows anew.
            try await page.isSaved()
            for (selector, role, name) in [
                ("main", "main", "Inbox"), ("side-nav nav", "navigation", "Views and projects"),
                (".grid", "treegrid", "Tasks of Inbox"), ("task-filters", "group", "Filters"),
                ("connection-state", "status", ""), ("quick-add input", "textbox", "Add a task"),
                (".row .complete", "checkbox", "Complete “Parent”"), ("#nav-inbox", "link", "Inbox"),
            ] {
                try await browser.holds("\(selector)") {
                    let element = try await browser.find(selector)
                    let (itsRole, itsName) = (try await element.role, try await element.name)
                    return itsRole == role && (name.isEmpty || itsName == name)
                }
            }
            try await page.browser.holds { try await page.row("Parent").role == "row" }
            try await page.browser.holds { try await page.row("Parent").name == "Parent" }
            try await page.browser.holds { try await page.row("Parent").property("ariaExpanded") == "true" }
            try await page.browser.holds { try await page.row("Child").property("ariaLevel") == "2" }
            try await browser.holds { try await browser.find("#nav-inbox").property("ariaCurrent") == "page" }
            try await browser.press("x")
            try await page.browser.holds { try await page.row("Child").property("ariaSelected") == "true" }
        }
    }

    @Test func tabLeadsThroughThePageInTheOrderOfReadingAndIsSeen() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("One", "Two")
            try await page.lists(["One", "Two"])
            try await page.isSaved()
            try await browser.reload()
            try await page.lists(["One", "Two"])
            try await browser.script("document.querySelector('.skip').focus()")
            var names: [String] = []
            for step in 0..<40 {
                if step > 0 { try await browser.press(Key.tab) }
                let focused = try await browser.focused()
                if try await focused.role == "main" { continue }
                names.append(try await focused.name)
                let outline = try await browser.script(
                    """
                    const style = getComputedStyle(document.activeElement);
                    const near = getComputedStyle(document.activeElement.parentElement);
                    return [style, near].some((each) => each.outlineStyle !== "none" && parseFloat(each.outlineWidth) > 0);
                    """)
                #expect(outline == true, "the focus on \(names.last ?? "") is not seen")
                if names.last?.hasPrefix("Actions for") == true { break }
            }
            let expected = [
                "Skip to the tasks", "Search", "Keyboard shortcuts", "Inbox", "Today", "Upcoming", "Search",
                "Completed",
                "Activity", "Bin", "Add a project", "Settings Ada Lovelace", "Add a task", "Add", "Status", "Priority",
                "Due", "Tag",
            ]
            #expect(Array(names.prefix(expected.count)) == expected)
            // One row takes part in the order, not each of ten thousand.
            let rest = Array(names.dropFirst(expected.count))
            #expect(rest.last == "Actions for “One”")
            #expect(!rest.contains { $0.contains("Two") })
        }
    }

    @Test func aSheetKeepsTheFocusAndGivesItBack() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("One")
            try await page.lists(["One"])
            try await browser.press(Key.escape)
            try await browser.press(Key.enter)
            _ = try await browser.find("dialog.editor")
            for _ in 0..<30 {
                try await browser.press(Key.tab)
                let isInside = try await browser.script(
                    "return document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
                )
                #expect(isInside == true)
            }
            try await browser.press(Key.escape)
            _ = try await browser.eventually("the focus on the row") { () async throws -> Bool? in
                try await browser.focused().role == "row" ? true : nil
            }
        }
    }

    private func fill(_ page: TodoPage) async throws {
        try await page.goTo("Inbox")
        try await page.add(
            "Water plants today !urgent #garden #home", "Call Ada tomorrow 9:00 !high", "Late 2026-01-05 !medium",
            "Read !low",
            "Done", "Thrown away")
        try await page.browser.click("Complete “Done”")
        try await page.hover("Thrown away")
        try await page.browser.click("Actions for “Thrown away”")
        try await page.browser.click("Move to the bin")
        try await page.lists(["Water plants", "Call Ada", "Late", "Read"])
        try await page.isSaved()
        // It goes by itself as well, and may be about to.
        try await page.browser.holds("no message") {
            try await page.browser.current("Dismiss")?.click()
            return try await page.browser.all(".toast").isEmpty
        }
    }

    /// Our own measurements, and axe-core's where it is installed.
    private func check(_ page: TodoPage, _ place: String) async throws {
        let wrong = try await page.browser.script(try Self.source("accessibility.js"))
        for problem in wrong.array ?? [] { Issue.record("\(place): \(problem.string ?? "")") }
        guard let axe = Self.axe else { return }
        try await page.browser.script(axe + "; window.axe = axe")
        let violations = try await page.browser.asyncScript(
            """
            const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
            const result = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
            return result.violations.map((each) => each.id + ": " + each.help + ": " + each.nodes.map((node) => node.html).join(" | "));
            """)
        for violation in violations.array ?? [] { Issue.record("\(place): \(violation.string ?? "")") }
    }

    private static func source(_ name: String) throws -> String {
        let file = Command.repository.appending(path: "Tests/EndToEndTests/Scripts/\(name)")
        return try String(contentsOf: file, encoding: .utf8)
    }

    /// axe-core, as `make setup-test` installs it.
    private static let axe: String? = {
        let folder = Command.repository.appending(path: ".build/python/lib").path
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        let script = files.first { $0.hasSuffix("axe_playwright_python/axe.min.js") }
        return script.map { Command.text(of: "\(folder)/\($0)") }
    }()
}
