import StructuredData
import Testing
import WebDriver

/// The same on a phone: 390 x 844 points, by finger.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebPhoneTests {
    @Test func everythingIsWithinReachOfAThumb() async throws {
        try await TodoPage.run(.phone) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await browser.holds("the drawer is closed after a choice") { try await browser.all("nav").isEmpty }
            try await page.add("Buy milk #shop", "Call Ada tomorrow 9:00 !high", "Read")
            try await page.lists(["Buy milk", "Call Ada", "Read"])
            try await browser.show("inbox")
            try await browser.click("Menu")
            try await browser.show("drawer")
            try await browser.press(Key.escape)
            try await browser.holds { try await browser.focused().name == "Menu" }

            try await browser.click("Actions for “Read”")
            try await browser.show("menu")
            try await browser.click("Select")
            try await browser.click("Select “Buy milk”")
            try await page.says("2 selected", in: "bulk-bar")
            try await browser.click("Complete", in: "bulk-bar")
            try await page.lists(["Call Ada"])
            try await browser.click("Undo")
            try await page.lists(["Buy milk", "Call Ada", "Read"])

            try await page.drag("Buy milk", below: "Call Ada")
            try await page.lists(["Call Ada", "Buy milk", "Read"])

            try await page.opensTask("Call Ada")
            let width = try await browser.script(
                "return document.querySelector('dialog').getBoundingClientRect().width")
            #expect(width == 390, "the sheet is the whole screen")
            try await browser.show("editor")
            try await browser.enter("Call Ada Lovelace", into: "Title")
            try await page.closesDialog()
            try await page.lists(["Call Ada Lovelace", "Buy milk", "Read"])
            try await page.isSaved()
        }
    }

    /// A wide window has nothing that would close the drawer.
    @Test func aWindowThatIsMadeWiderWhileTheMenuIsOpenIsNotBlocked() async throws {
        var narrow = Browser.Look.desktop
        narrow.width = 600
        try await TodoPage.run(narrow) { page in
            let browser = page.browser
            try await page.add("Buy milk")
            try await page.lists(["Buy milk"])
            try await browser.click("Menu")
            _ = try await browser.find(".scroller[inert]")
            try await browser.resize(width: 1200, height: 800)
            try await page.opensTask("Buy milk")
        }
    }

    @Test func nothingIsWiderThanTheScreen() async throws {
        var narrow = Browser.Look.phone
        narrow.width = 320
        try await TodoPage.run(narrow) { page in
            let tag = String(repeating: "tag", count: 16)
            try await page.add(
                "Averyveryverylongwordthatdoesnotfitonthelineofaphoneatall today #\(tag) !urgent", "Soon tomorrow")
            for view in ["Inbox", "Today", "Upcoming", "Search", "Activity", "Settings"] {
                try await page.goTo(view)
                let width = try await page.browser.script(
                    """
                    const parts = [...document.querySelectorAll(".filter, .group-name")].filter((each) => each.checkVisibility());
                    const edges = parts.map((each) => Math.floor(each.getBoundingClientRect().right));
                    return Math.max(document.documentElement.scrollWidth, document.querySelector(".scroller").scrollWidth, ...edges);
                    """)
                #expect(width.int.map { $0 <= 320 } == true, "\(view) is \(width.text) wide")
            }
        }
    }
}
