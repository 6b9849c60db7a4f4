import Foundation
import StructuredData
import Testing
import WebDriver

/// What a person does with tasks, by mouse, at a desk.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebTaskTests {
    @Test func aPersonMakesAnAccountLeavesAndComesBack() async throws {
        let ada = TodoPage.Person("Ada Lovelace")
        try await TodoPage.run(as: ada) { page in
            try await page.add("Remember me")
            try await page.lists(["Remember me"])
            try await page.isSaved()
            try await page.browser.reload()
            try await page.lists(["Remember me"])
            try await page.goTo("Settings")
            try await page.browser.click("Sign out")
            try await page.signIn(ada, password: "not the password")
            try await page.says("The address or the password is wrong.")
            try await page.signIn(ada)
            try await page.isAt("Settings")
            try await page.goTo("Today")
            try await page.lists(["Remember me"])
        }
    }

    @Test func oneLineBecomesATaskWithAllThatItSays() async throws {
        try await TodoPage.run { page in
            try await page.goTo("Inbox")
            let field = try await page.browser.control("Add a task")
            try await field.type("Call Ada tomorrow 14:30 !high #phone")
            try await page.says("Understood: Tomorrow 14:30 · High · #phone", in: "quick-add")
            try await field.type(Key.enter)
            try await page.lists(["Call Ada"])
            try await page.says("phone High Tomorrow 14:30", in: ".row .meta")
            try await page.isSaved()
            try await page.browser.reload()
            try await page.says("phone High Tomorrow 14:30", in: ".row .meta")
            try await page.browser.show("inbox")
        }
    }

    @Test func theTitleIsChangedInPlaceAndTheRestInTheSheet() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Write")
            try await page.lists(["Write"])
            _ = try await page.row("Write").click()
            try await browser.press(Key.escape)
            try await page.hover("Write")
            try await browser.click("Edit the title", in: "task-list")
            try await browser.write(" the report")
            try await browser.press(Key.enter)
            try await page.lists(["the report"])

            try await page.opensTask("the report")
            try await browser.choose("Urgent", from: "Priority")
            try await browser.click("Due: No due date")
            try await browser.enter("2058-05-31 9:00", into: "Date or time")
            try await browser.click("Set")
            try await browser.enter("1h 30", into: "Estimate")
            try await browser.control("Add a tag").type("home" + Key.enter)
            try await browser.click("Add a description…")
            try await browser.control("Description").type("Some **bold** words <b>not</b> [x](javascript:alert(1))")
            try await browser.control("Add a subtask").type("First" + Key.enter + "Second" + Key.enter)
            try await page.says("Some bold words <b>not</b> [x](javascript:alert(1))", in: ".markdown")
            try await browser.holds { try await browser.all(".markdown strong").count == 1 }
            try await browser.holds { try await browser.all(".markdown a, .markdown b").isEmpty }
            try await browser.show("editor")
            try await page.closesDialog()
            try await page.lists(["the report", "First", "Second"])
            try await page.isSaved()

            try await browser.reload()
            try await page.lists(["the report", "First", "Second"])
            try await page.opensTask("the report")
            try await browser.holds { try await browser.control("Estimate").property("value") == "1 h 30 min" }
            _ = try await browser.control("Due: 31 May 2058 09:00")
            _ = try await browser.control("Remove the tag home")
            try await browser.holds { try await browser.control("Priority").property("value") == "urgent" }
            try await page.says("First Second", in: ".subtasks")
        }
    }

    @Test func whatIsBeingTypedOutlivesThePage() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Write")
            try await page.isSaved()
            try await page.opensTask("Write")
            try await browser.click("Add a description…")
            try await browser.control("Description").type("Not finished")
            try await browser.reload()
            try await page.says("Not finished", in: "dialog .markdown")
            try await browser.enter("Write more", into: "Title")
            try await browser.reload()
            try await page.lists(["Write more"])
            try await page.isSaved()
        }
    }

    /// As on a phone, where the button to go back is the one at hand.
    @Test(arguments: Screen.sizes) func anOpenTaskIsLeftByGoingBackAndFoundByItsLink(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Call Ada", "Call Bob")
            try await page.isSaved()
            try await page.opensTask("Call Bob")
            try await page.closesDialog()
            try await page.opensTask("Call Ada")
            let link = try await browser.script("return location.href").string ?? ""
            try await browser.script("history.back()")
            try await browser.holds("the sheet is closed") { try await browser.all("dialog").isEmpty }
            try await page.isAt("Inbox")
            try await browser.script("history.back()")
            try await page.isAt("Today")

            try await browser.go(to: "about:blank")
            try await browser.go(to: link)
            try await browser.holds { try await browser.control("Title").property("value") == "Call Ada" }
            try await page.closesDialog()
            try await page.isAt("Inbox")
            try await page.lists(["Call Ada", "Call Bob"])
        }
    }

    @Test func whatIsDoneOrThrownAwayCanBeTakenBack() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("One", "Two", "Three")
            try await browser.click("Complete “Two”")
            try await page.lists(["One", "Three"])
            try await browser.show("toast")
            try await browser.click("Undo")
            try await page.lists(["One", "Two", "Three"])

            try await browser.click("Complete “One”")
            try await page.lists(["Two", "Three"])
            try await page.goTo("Completed")
            try await page.lists(["One"])
            try await page.isSaved()
            try await browser.reload()
            try await page.lists(["One"])
            try await browser.click("Reopen “One”")
            try await page.lists([])

            try await page.goTo("Inbox")
            try await page.hover("Three")
            try await browser.click("Actions for “Three”")
            try await browser.click("Move to the bin")
            try await page.lists(["One", "Two"])
            try await page.isSaved()
            try await page.goTo("Bin")
            try await page.lists(["Three"])
            try await page.hover("Three")
            try await browser.click("Actions for “Three”")
            try await browser.click("Put back")
            try await page.lists([])
            try await page.goTo("Inbox")
            try await page.lists(["One", "Two", "Three"])
        }
    }

    @Test func tasksAreOrderedByDraggingThem() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("A", "B", "C", "D")
            try await page.lists(["A", "B", "C", "D"])
            try await page.drag("A", below: "C")
            try await page.lists(["B", "C", "A", "D"])
            try await page.drag("D", below: "B")
            try await page.lists(["B", "D", "C", "A"])
            try await page.isSaved()
            try await browser.reload()
            try await page.lists(["B", "D", "C", "A"])
        }
    }

    @Test func manyAreChangedAtOnce() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("A", "B", "C", "D")
            try await page.hover("A")
            try await browser.click("Select “A”")
            try await browser.shiftClick("Select “C”")
            try await page.says("3 selected", in: "bulk-bar")
            try await browser.show("bulk")
            try await browser.click("Priority", in: "bulk-bar")
            try await browser.click("High")
            try await page.says("3 tasks changed", in: "undo-toast")
            try await browser.holds { try await browser.all(".meta-priority.priority-high").count == 3 }
            try await browser.click("Due", in: "bulk-bar")
            try await browser.click("Tomorrow")
            try await browser.holds { try await browser.all(".meta-due").count == 3 }
            try await browser.click("Tag", in: "bulk-bar")
            try await browser.control("Add a tag").type("many" + Key.enter)
            try await browser.press(Key.escape)
            try await browser.holds { try await browser.all(".row .tag").count == 3 }
            try await browser.click("Complete", in: "bulk-bar")
            try await page.lists(["D"])
            try await browser.click("Undo")
            try await page.lists(["A", "B", "C", "D"])
            try await page.isSaved()
            try await browser.reload()
            try await page.lists(["A", "B", "C", "D"])
            try await browser.holds { try await browser.all(".meta-due").count == 3 }
        }
    }
}
