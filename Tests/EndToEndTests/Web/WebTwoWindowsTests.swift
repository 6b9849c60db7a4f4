import StructuredData
import Testing
import WebDriver

/// Two windows side by side. The second that a change may take is measured without other tests.
@Suite(.needsBrowser, .inTime) struct WebTwoWindowsTests {
    @Test func whatOneWindowDoesTheOtherShowsWithinASecond() async throws {
        try await LoadGate.shared.alone {
            let ada = TodoPage.Person("Ada Lovelace")
            try await TodoPage.run(as: ada) { one in
                try await one.goTo("Inbox")
                try await one.says("Live", in: "connection-state")
                try await TodoPage.secondWindow(of: ada) { two in
                    try await two.goTo("Inbox")
                    try await two.says("Live", in: "connection-state")
                    try await one.add("Hello from one")
                    try await two.lists(["Hello from one"], within: .seconds(1))
                    try await two.add("And back from two")
                    try await one.lists(["Hello from one", "And back from two"], within: .seconds(1))
                    try await two.browser.click("Complete “Hello from one”")
                    try await one.lists(["And back from two"], within: .seconds(1))
                    // Both on one task: what one changes shows in the sheet that the other has open.
                    try await one.opensTask("And back from two")
                    try await two.opensTask("And back from two")
                    try await two.browser.choose("Urgent", from: "Priority")
                    _ = try await one.browser.eventually("the priority", within: .seconds(1)) {
                        () async throws -> Bool? in
                        try await one.browser.control("Priority").property("value") == "urgent" ? true : nil
                    }
                    try await one.closesDialog()
                    try await two.closesDialog()
                    // A filter has no event of its own; the next change brings it.
                    try await two.goTo("Search")
                    try await two.browser.enter("priority:urgent", into: "Search tasks")
                    try await two.lists(["And back from two"])
                    try await two.goTo("Inbox")
                    try await two.browser.choose("Urgent", from: "Priority")
                    try await two.browser.click("Save as a filter")
                    try await two.browser.enter("Burning", into: "Name")
                    try await two.browser.click("Save")
                    try await two.isAt("Burning")
                    try await two.browser.click("Complete “And back from two”")
                    _ = try await one.browser.control("Burning", in: "side-nav")
                    try await one.lists([])
                }
            }
        }
    }
}
