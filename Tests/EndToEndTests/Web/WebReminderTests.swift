import Foundation
import StructuredData
import Testing
import WebDriver

/// Reminders: asked for, shown live, answered.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebReminderTests {
    @Test(arguments: Screen.sizes) func remindersAreAddedListedAndTakenBack(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Call Ada 2058-06-01 9:00")
            try await page.lists(["Call Ada"])
            try await page.isSaved()
            try await page.opensTask("Call Ada")
            try await browser.click("Add a reminder")
            try await browser.click("1 hour before")
            try await page.says("1 hour before it is due", in: ".reminders")
            try await browser.click("Add a reminder")
            try await browser.choose("before it starts", from: "Remind me")
            try await browser.click("Add a reminder")
            try await page.says("has no start date", in: ".popover .form-error")
            try await browser.choose("before it is due", from: "Remind me")
            try await browser.enter("2", into: "How long before")
            try await browser.choose("days", from: "Unit")
            try await browser.choose("every 15 minutes until done", from: "Again")
            try await browser.click("E-mail")
            try await browser.show("reminder-form")
            try await browser.click("Add a reminder")
            try await page.says("2 days before it is due again every 15 minutes until done · E-mail", in: ".reminders")
            try await browser.click("Add a reminder")
            try await browser.choose("at a time", from: "Remind me")
            let moment = try await browser.control("Day and time")
            try await browser.script("arguments[0].value = '2058-05-31T08:30'", moment.reference)
            try await browser.click("Add a reminder")
            try await page.says("31 May 2058, 08:30", in: ".reminders")
            try await browser.holds { try await browser.all(".reminders li").count == 3 }

            try await browser.reload()
            try await browser.click("Remove the reminder: 1 hour before it is due")
            _ = try await browser.eventually("two reminders") { () async throws -> Bool? in
                try await browser.all(".reminders li").count == 2 ? true : nil
            }
            try await browser.holds { try await browser.focused().name == "Add a reminder" }
        }
    }

    @Test func aReminderComesLiveAndIsSnoozedAndDismissed() async throws {
        let ada = TodoPage.Person("Ada Lovelace")
        try await TodoPage.run(as: ada) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Take the bread out", "Call Ada")
            try await page.lists(["Take the bread out", "Call Ada"])
            try await page.isSaved()
            try await TodoPage.secondWindow(of: ada) { other in
                try await other.says("Live", in: "connection-state")
                try await page.remind(of: "Take the bread out")
                try await page.remind(of: "Call Ada")
                for each in [page, other] {
                    try await each.says("Take the bread out", in: "reminder-notices [role=alert]")
                    try await each.says("Call Ada", in: "reminder-notices [role=alert]")
                }
                try await browser.show("notices")

                // What one window answers the other need not ask.
                try await browser.click("Snooze: Take the bread out", in: "reminder-notices")
                try await browser.click("10 minutes")
                try await page.says("You will be reminded again", in: "undo-toast")
                for each in [page, other] { try await each.isRemindedOf(["Call Ada"]) }
                try await browser.click("Dismiss: Call Ada", in: "reminder-notices")
                for each in [page, other] { try await each.isRemindedOf([]) }
            }
            // Neither comes back with the page.
            try await browser.reload()
            try await page.isAt("Inbox")
            try await page.isSaved()
            try await page.isRemindedOf([])
        }
    }

    @Test func whatWasMissedIsShownOnReturnAndDoneByKeys() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Missed", "Elsewhere")
            try await page.lists(["Missed", "Elsewhere"])
            try await page.isSaved()
            try await page.remind(of: "Missed")
            try await page.remind(of: "Elsewhere", channels: ["email"])
            try await browser.go(to: "about:blank")
            try await Task.sleep(for: .seconds(4))
            try await browser.go(to: page.url + "#/inbox")
            try await page.isRemindedOf(["Missed"])
            try await page.isSaved()
            // Wherever the focus is, one key leads to the reminder.
            try await browser.press(Key.escape)
            try await browser.press("r")
            try await browser.holds { try await browser.focused().name == "Missed" }
            try await browser.press(Key.tab)
            try await browser.holds { try await browser.focused().name == "Done: Missed" }
            try await browser.press(Key.enter)
            try await page.lists(["Elsewhere"])
            try await page.isRemindedOf([])
            try await page.isSaved()
            try await browser.reload()
            try await page.lists(["Elsewhere"])
            try await page.isRemindedOf([])
        }
    }

    @Test func aReminderIsReachedFromAnOpenSheet() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("One", "Two")
            try await page.lists(["One", "Two"])
            try await page.isSaved()
            try await page.remind(of: "Two")
            try await page.opensTask("One")
            try await page.isRemindedOf(["Two"])
            try await browser.holds { try await browser.all("dialog reminder-notices").count == 1 }
            try await browser.click("Snooze: Two", in: "reminder-notices")
            try await browser.click("Choose…")
            try await browser.click("Snooze")
            try await page.isRemindedOf([])
            _ = try await browser.find("dialog.editor")
        }
    }

    @Test(arguments: Screen.sizes) func quietHoursAndTheTimeForWholeDaysAreKept(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.goTo("Settings")
            try await browser.click("Quiet hours")
            try await time("08:15", page, "Of tasks without a time, remind me at")
            try await time("21:30", page, "From")
            try await time("21:30", page, "To")
            try await browser.choose("do not come", from: "Reminders in quiet hours")
            try await browser.click("Save", in: ".settings-section:nth-of-type(2)")
            try await page.says("must be another time", in: ".form-error")
            try await time("06:45", page, "To")
            try await browser.click("Save", in: ".settings-section:nth-of-type(2)")
            try await page.says("Saved", in: "undo-toast")
            try await browser.show("settings-reminders")
            try await browser.reload()
            let wanted = [
                ("Of tasks without a time, remind me at", "08:15"), ("From", "21:30"), ("To", "06:45"),
                ("Reminders in quiet hours", "drop"),
            ]
            for (name, value) in wanted {
                try await browser.holds("\(name)") {
                    try await browser.control(name).property("value") == .string(value)
                }
            }
            try await browser.click("Quiet hours")
            try await browser.click("Save", in: ".settings-section:nth-of-type(2)")
            try await page.says("Saved", in: "undo-toast")
            try await browser.reload()
            try await browser.holds { try await browser.control("Quiet hours").property("checked") == false }
        }
    }

    /// Fields for a time take keys by the language of the browser.
    private func time(_ text: String, _ page: TodoPage, _ name: String) async throws {
        let field = try await page.browser.control(name)
        try await page.browser.script("arguments[0].value = arguments[1]", field.reference, .string(text))
    }
}

extension TodoPage {
    /// Asks the server to remind of a task in two seconds, or later where those have passed when it is asked; the
    /// fields of the page go by the minute.
    func remind(of title: String, channels: [String] = []) async throws {
        let status = try await browser.asyncScript(
            """
            const [row, channels] = arguments;
            const headers = { "Content-Type": "application/json" };
            let status;
            for (const delay of [2000, 5000, 10000]) {
                const body = JSON.stringify({ at: new Date(Date.now() + delay).toISOString(), channels });
                ({ status } = await fetch(`/v1/tasks/${row.dataset.id}/reminders`, { method: "POST", headers, body }));
                if (status !== 422) break;
            }
            return status;
            """, try await row(title).reference, .array(channels.map { .string($0) }))
        #expect(status == 201)
    }

    /// Waits until just these are shown.
    func isRemindedOf(_ titles: [String]) async throws {
        _ = try await browser.eventually("reminders of \(titles)") { () async throws -> Bool? in
            let shown = try await browser.script(
                "return [...document.querySelectorAll('.notice-card')].map((each) => each.getAttribute('aria-label'))"
            ).array?.compactMap(\.string)
            return shown == titles ? true : nil
        }
    }
}
