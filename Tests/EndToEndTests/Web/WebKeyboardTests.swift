import StructuredData
import Testing
import WebDriver

/// The same without a mouse: nothing is clicked here but what makes the account.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebKeyboardTests {
    @Test func aKeyAtTheMomentAtWhichATaskGetsItsIDIsNotLost() async throws {
        try await TodoPage.run { page in
            try await page.goTo("Inbox")
            try await page.add("One")
            try await page.isSaved()
            // The answer comes once the row is drawn; the key before it is drawn anew.
            _ = try await page.browser.asyncScript(
                """
                const module = new URL("data/store.js", document.querySelector("script[type=module]").src);
                const { store } = await import(module);
                const send = window.fetch;
                window.fetch = async (...request) => {
                    const answer = await send(...request);
                    await new Promise((resolve) => setTimeout(resolve, 500));
                    return answer;
                };
                store.outbox.addEventListener("answer", () => {
                    const row = document.querySelector("task-list .row:not(.row-group)");
                    row.focus();
                    row.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
                }, { once: true });
                """)
            try await page.add("Two")
            try await page.lists(["One", "Two"])
            try await page.isSaved()
            try await rowHasFocus(page, "Two")
        }
    }

    @Test func everythingIsDoneByKeys() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            // Written at once: the second key must not come late.
            try await browser.write("gi")
            try await page.isAt("Inbox")
            try await browser.press("n")
            try await hasFocus(page, "Add a task")
            for title in ["A", "B", "C", "D"] { try await browser.write(title + "\n") }
            try await page.lists(["A", "B", "C", "D"])
            try await browser.press(Key.escape)
            try await rowHasFocus(page, "A")

            try await browser.press("j", Key.down, "k")
            try await rowHasFocus(page, "B")
            try await browser.press([Key.alt, Key.down])
            try await page.lists(["A", "C", "B", "D"])
            try await rowHasFocus(page, "B")
            try await browser.press([Key.alt, Key.right])
            try await levels(page, ["1 A", "1 C", "2 B", "1 D"])
            try await browser.press([Key.alt, Key.left])
            try await levels(page, ["1 A", "1 C", "1 B", "1 D"])

            try await browser.press("e")
            try await browser.write("Bee\n")
            try await page.lists(["A", "C", "Bee", "D"])
            try await rowHasFocus(page, "Bee")
            try await browser.press("p", "h", Key.enter)
            try await page.says("High", in: ".row .meta")
            try await rowHasFocus(page, "Bee")
            try await browser.press("d")
            try await hasFocus(page, "Date or time")
            try await browser.write("tomorrow\n")
            try await page.says("Tomorrow", in: ".row .meta")
            try await browser.press("t")
            try await browser.write("key\n")
            try await browser.press(Key.escape)
            try await page.says("key", in: ".row .tag")
            try await rowHasFocus(page, "Bee")

            try await browser.press(Key.enter)
            _ = try await browser.find("dialog.editor")
            try await hasFocus(page, "Title")
            try await browser.press(Key.escape)
            try await rowHasFocus(page, "Bee")

            try await browser.press("x")
            try await browser.press([Key.shift, Key.down])
            try await page.says("2 selected", in: "bulk-bar")
            try await browser.press("c")
            try await page.lists(["A", "C"])
            try await browser.press([Key.control, "z"])
            try await page.lists(["A", "C", "Bee", "D"])
            try await browser.press([Key.control, "a"])
            try await page.says("4 selected", in: "bulk-bar")
            try await browser.press(Key.escape)
            try await browser.press(Key.end)
            try await rowHasFocus(page, "D")
            try await browser.press(Key.delete)
            try await page.lists(["A", "C", "Bee"])
            try await rowHasFocus(page, "Bee")

            try await browser.press("?")
            try await page.says("Keyboard shortcuts", in: "dialog")
            try await browser.show("help")
            try await browser.press(Key.escape)
            try await rowHasFocus(page, "Bee")
            // On a row "t" alone is for tags.
            try await browser.write("gt")
            try await page.isAt("Today")
            try await browser.press("/")
            try await page.isAt("Search")
            try await hasFocus(page, "Search tasks")
            try await page.isSaved()
        }
    }

    /// The news of what is undone may come before the answer: nothing flickers, and no selection is lost.
    @Test func whatIsUndoneOnItsWayDoesNotComeBackForAMoment() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Bee", "Dee")
            try await page.lists(["Bee", "Dee"])
            try await page.isSaved()
            _ = try await browser.script(
                """
                const send = window.fetch;
                const isUndone = new Promise((resolve) => (window.letGo = resolve));
                window.fetch = async (...request) => {
                    await isUndone;
                    const answer = await send(...request);
                    await new Promise((resolve) => setTimeout(resolve, 1000));
                    return answer;
                };
                """)
            try await browser.press(Key.escape)
            try await rowHasFocus(page, "Bee")
            try await browser.press("c")
            try await page.lists(["Dee"])
            try await browser.press([Key.control, "z"], [Key.control, "a"])
            try await page.says("2 selected", in: "bulk-bar:not([hidden])")
            try await browser.script("letGo()")
            try await page.isSaved()
            try await page.says("2 selected", in: "bulk-bar:not([hidden])")
            try await page.lists(["Bee", "Dee"])
        }
    }

    @Test func singleLettersAreQuietWhenTheyAreTurnedOff() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Stay")
            try await page.goTo("Settings")
            try await browser.click("Single-letter shortcuts")
            try await page.goTo("Inbox")
            try await page.lists(["Stay"])
            try await browser.press("j", "c", "?", "n")
            try await page.lists(["Stay"])
            try await browser.holds { try await browser.all("dialog").isEmpty }
            // What is no letter still works: Tab leads to the list, Space completes.
            try await tabTo(page, "Stay")
            try await browser.press(Key.space)
            try await page.lists([])
        }
    }

    /// The browser tells of each digit.
    @Test func aYearThatIsTypedIsOneChange() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Plan")
            try await page.isSaved()
            let task = "return (await (await fetch('/v1/tasks')).json()).items[0]"
            let version = try #require(try await browser.asyncScript(task)["version"]?.int)
            try await browser.press(Key.escape)
            try await rowHasFocus(page, "Plan")
            try await browser.press(Key.enter)
            try await browser.script("arguments[0].focus()", try await browser.control("Start").reference)
            try await browser.write("03032030")
            try await browser.press(Key.escape)
            try await rowHasFocus(page, "Plan")
            try await page.isSaved()
            let planned = try await browser.asyncScript(task)
            #expect(planned["start"] == "2030-03-03")
            #expect(planned["version"]?.int == version + 1)
        }
    }

    @Test func aPanelThatTabLeavesCoversNothing() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("One")
            try await page.lists(["One"])
            try await browser.press(Key.escape)
            try await rowHasFocus(page, "One")
            try await browser.press("d")
            try await hasFocus(page, "Date or time")
            try await browser.press([Key.shift, Key.tab])
            try await browser.holds { try await browser.all(".popover").isEmpty }
            try await browser.press("j")
            try await rowHasFocus(page, "One")
        }
    }

    private func tabTo(_ page: TodoPage, _ title: String) async throws {
        for _ in 0..<60 {
            try await page.browser.press(Key.tab)
            let row = try await page.browser.script(
                "return document.activeElement.closest('[role=row]') === document.activeElement")
            if row == true { return }
        }
        Issue.record("Tab never came to \(title)")
    }

    private func hasFocus(_ page: TodoPage, _ name: String) async throws {
        _ = try await page.browser.eventually("the focus on \(name)") { () async throws -> Bool? in
            try await page.browser.focused().name == name ? true : nil
        }
    }

    private func rowHasFocus(_ page: TodoPage, _ title: String) async throws {
        _ = try await page.browser.eventually("the focus on the row \(title)") { () async throws -> Bool? in
            let script =
                "const row = document.activeElement; return row.getAttribute('role') === 'row' ? row.querySelector('.title').textContent : ''"
            return try await page.browser.script(script).string == title ? true : nil
        }
    }

    private func levels(_ page: TodoPage, _ expected: [String]) async throws {
        _ = try await page.browser.eventually("the levels \(expected)") { () async throws -> Bool? in
            let script =
                "return [...document.querySelectorAll('task-list .row')].map((row) => row.ariaLevel + ' ' + row.querySelector('.title').textContent)"
            return try await page.browser.script(script).array?.compactMap(\.string) == expected ? true : nil
        }
    }
}
