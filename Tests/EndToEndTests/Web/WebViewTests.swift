import Foundation
import StructuredData
import Testing
import WebDriver

/// Projects, filters, search, activity and settings.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebViewTests {
    @Test(arguments: Screen.sizes) func aProjectIsMadeFilledArchivedAndDeleted(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.opensNavigation()
            try await browser.click("Add a project")
            try await browser.enter("Garden", into: "Name")
            try await browser.choose("Green", from: "Colour")
            try await browser.click("Save")
            try await page.isAt("Garden")
            try await page.add("Rake leaves")
            try await page.lists(["Rake leaves"])
            try await page.goTo("Inbox")
            try await page.add("Plant a tree +Garden", "Stay here")
            try await page.lists(["Stay here"])
            try await page.hover("Stay here")
            try await browser.click("Actions for “Stay here”")
            try await browser.click("Move to a project")
            try await browser.click("Garden")
            try await page.lists([])
            try await page.goTo("Garden")
            try await page.lists(["Rake leaves", "Plant a tree", "Stay here"])
            try await page.isSaved()

            try await browser.click("Project actions")
            try await browser.click("Edit the project")
            try await browser.enter("Orchard", into: "Name")
            try await browser.click("Save")
            try await page.isAt("Orchard")
            try await browser.show("project")
            try await browser.click("Project actions")
            try await browser.click("Archive the project")
            try await page.inNavigation { _ = try await browser.control("Archived") }
            try await browser.click("Project actions")
            try await browser.click("Take out of the archive")
            try await browser.click("Project actions")
            try await browser.click("Delete the project")
            try await page.isAt("Inbox")
            try await page.says("Project “Orchard” and its tasks moved to the bin", in: "undo-toast")
            try await browser.show("project-delete")
            try await browser.click("Undo")
            try await page.isAt("Orchard")
            try await page.lists(["Rake leaves", "Plant a tree", "Stay here"])
            try await browser.click("Project actions")
            try await browser.click("Delete the project")
            try await page.isAt("Inbox")
            // A task that is put back without its project has a place.
            try await page.goTo("Bin")
            try await page.hover("Rake leaves")
            try await browser.click("Actions for “Rake leaves”")
            try await browser.click("Put back")
            try await page.goTo("Inbox")
            try await page.lists(["Rake leaves"])
            try await page.inNavigation {
                _ = try await browser.control("Add a project")
                try await browser.holds { try await browser.current("Orchard", in: "side-nav") == nil }
            }
            try await page.goTo("Bin")
            try await page.says("A project comes back with its tasks", in: "deleted-projects")
            try await browser.show("bin")
            try await browser.click("Put back the project Orchard")
            try await page.isAt("Orchard")
            try await page.lists(["Plant a tree", "Stay here"])
            try await page.goTo("Bin")
            try await browser.holds { try await browser.all("deleted-projects button").isEmpty }
        }
    }

    /// As far behind and ahead of UTC as clocks go: never the same day.
    @Test(arguments: ["Pacific/Pago_Pago", "Pacific/Kiritimati"])
    func aDayIsTheSameInEveryViewWhereverOneIs(_ zone: String) async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            var (day, views): (String, [String: [String]]) = ("", [:])
            // Once more if the day should end there meanwhile.
            repeat {
                day = try Self.day(0, in: zone)
                try await Self.plan(zone, on: page)
                try await browser.reload()
                views = [:]
                for view in ["Today", "Upcoming"] {
                    try await page.goTo(view)
                    _ = try await browser.eventually("two tasks") { () async throws -> Bool? in
                        try await page.titles().count == 2 ? true : nil
                    }
                    views[view] = try await Self.lines(page)
                }
            } while try Self.day(0, in: zone) != day
            #expect(views["Today"] == ["Overdue", "due yesterday", "Today", "due today"])
            #expect(views["Upcoming"]?.count == 4)
            #expect(views["Upcoming"]?[0].hasPrefix("Today · ") == true && views["Upcoming"]?[1] == "due today")
            #expect(views["Upcoming"]?[2].hasPrefix("Tomorrow · ") == true && views["Upcoming"]?[3] == "due tomorrow")
            for (query, title) in [
                ("due:today", "due today"), ("due:overdue", "due yesterday"), ("due:tomorrow", "due tomorrow"),
            ] {
                try await page.goTo("Today")
                try await browser.click("Search", in: ".top")
                try await browser.enter(query, into: "Search tasks")
                try await page.lists([title])
            }
        }
    }

    @Test func aDayThatBeginsAtNoonEndsAtNoon() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            // In UTC such a day has the date that it is twelve hours further west.
            let west = "Etc/GMT+12"
            var (day, views): (String, [String: [String]]) = ("", [:])
            // Once more if the day should end there meanwhile.
            repeat {
                day = try Self.day(0, in: west)
                let next = try JSON.string(Self.day(1, in: west))
                try await Self.plan(
                    ["zone": "UTC", "dayStart": "12:00"],
                    [
                        ["title": "before noon", "due": ["date": next, "time": "11:59"]],
                        ["title": "at noon", "due": ["date": next, "time": "12:00"]],
                    ], on: page)
                try await browser.reload()
                views = [:]
                for (view, count) in [("Today", 1), ("Upcoming", 2)] {
                    try await page.goTo(view)
                    _ = try await browser.eventually("the tasks") { () async throws -> Bool? in
                        try await page.titles().count == count ? true : nil
                    }
                    views[view] = try await Self.lines(page)
                }
            } while try Self.day(0, in: west) != day
            #expect(views["Today"] == ["Today", "before noon"])
            #expect(views["Upcoming"]?.count == 4)
            #expect(views["Upcoming"]?[0].hasPrefix("Today · ") == true && views["Upcoming"]?[1] == "before noon")
            #expect(views["Upcoming"]?[2].hasPrefix("Tomorrow · ") == true && views["Upcoming"]?[3] == "at noon")
            // The server has the same day.
            try await browser.click("Search", in: ".top")
            try await browser.enter("due:today", into: "Search tasks")
            try await page.lists(["before noon"])
        }
    }

    @Test func aPageThatIsLeftOpenOvernightShowsTheNextDay() async throws {
        try await TodoPage.run { page in
            let browser = page.browser
            // Nobody can wait for a day; from one of these zones to the other it is one.
            let (east, west) = ("Pacific/Tongatapu", "Pacific/Pago_Pago")
            try await Self.plan(west, on: page)
            try await browser.reload()
            try await page.goTo("Inbox")
            try await page.lists(["due yesterday", "due today", "due tomorrow"])
            try await page.says("Tomorrow", in: "task-list .row:last-child .meta")
            try await Self.wake(in: east, page)
            try await page.says("Today", in: "task-list .row:last-child .meta")
            // What a query finds is the server's to say.
            try await browser.click("Search", in: ".top")
            try await browser.enter("due:today", into: "Search tasks")
            try await page.lists(["due tomorrow"])
            try await Self.wake(in: west, page)
            try await page.lists(["due today"])
        }
    }

    /// The page is looked at again, where it is another day.
    private static func wake(in zone: String, _ page: TodoPage) async throws {
        _ = try await page.browser.asyncScript(
            """
            const [zone] = arguments;
            const module = new URL("data/store.js", document.querySelector("script[type=module]").src);
            const { store } = await import(module);
            const headers = { "Content-Type": "application/json" };
            const answer = await fetch("/v1/me", { method: "PATCH", headers, body: JSON.stringify({ zone }) });
            store.me = await answer.json();
            document.dispatchEvent(new Event("visibilitychange"));
            """, .string(zone))
    }

    private static func day(_ distance: Int, in zone: String) throws -> String {
        let zone = try #require(TimeZone(identifier: zone))
        return (.now + Double(distance) * 86_400).formatted(
            Date.ISO8601FormatStyle(timeZone: zone).year().month().day())
    }

    /// Moves the person there, with a task of yesterday, of today and of tomorrow, as days are there; no others.
    private static func plan(_ zone: String, on page: TodoPage) async throws {
        let due = try [("yesterday", -1), ("today", 0), ("tomorrow", 1)].map { name, distance -> JSON in
            ["title": .string("due \(name)"), "due": ["date": .string(try day(distance, in: zone))]]
        }
        try await plan(["zone": .string(zone)], due, on: page)
    }

    /// Sets members of the person, and has these tasks and no others.
    private static func plan(_ person: JSON, _ tasks: [JSON], on page: TodoPage) async throws {
        let refused = try await page.browser.asyncScript(
            """
            const [person, tasks] = arguments;
            const send = async (method, path, body) =>
              fetch(path, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
            const answers = [await send("PATCH", "/v1/me", person)];
            for (const task of (await (await send("GET", "/v1/tasks")).json()).items) await send("DELETE", `/v1/tasks/${task.id}`);
            for (const task of tasks) answers.push(await send("POST", "/v1/tasks", task));
            return answers.filter((answer) => !answer.ok).map((answer) => answer.status);
            """, person, .array(tasks))
        #expect(refused == [])
    }

    /// Names of groups and titles of tasks, as they follow each other.
    private static func lines(_ page: TodoPage) async throws -> [String] {
        try await page.browser.script(
            """
            const rows = [...document.querySelectorAll("task-list .row")].filter((row) => row.checkVisibility());
            return rows.map((row) => (row.querySelector(".title") ?? row).textContent.trim());
            """
        ).array?.compactMap(\.string) ?? []
    }

    @Test(arguments: Screen.sizes) func theBarFiltersAndWhatItShowsIsKeptAsAFilter(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add(
                "Urgent thing !urgent #work", "High thing !high #home", "Plain thing", "Late thing 2026-01-05 !high")
            try await page.lists(["Urgent thing", "High thing", "Plain thing", "Late thing"])
            try await page.isSaved()
            try await browser.choose("High or more", from: "Priority")
            try await page.lists(["Urgent thing", "High thing", "Late thing"])
            try await browser.choose("home", from: "Tag")
            try await page.lists(["High thing"])
            try await browser.choose("Any", from: "Tag")
            try await browser.choose("No due date", from: "Due")
            try await page.lists(["Urgent thing", "High thing"])
            try await browser.show("filters")
            try await browser.reload()
            try await page.lists(["Urgent thing", "High thing"])
            try await browser.click("Save as a filter")
            try await browser.enter("Soon", into: "Name")
            try await browser.click("Save")
            try await page.isAt("Soon")
            try await page.lists(["Urgent thing", "High thing"])
            // Answers are no reason to ask again. There is nothing to wait for: nothing may happen.
            try await browser.script("performance.clearResourceTimings()")
            try await Task.sleep(for: .seconds(1))
            let asked =
                "return performance.getEntriesByType('resource').filter((each) => each.name.includes('/v1/tasks?')).length"
            #expect(try await browser.script(asked) == 0)
            try await browser.click("Complete “High thing”")
            try await page.lists(["Urgent thing"])
            try await browser.click("Edit the filter")
            try await browser.enter("thing -priority:none status:any sort:title", into: "Query")
            try await browser.click("Save")
            try await page.lists(["High thing", "Late thing", "Urgent thing"])
            try await browser.click("Delete the filter")
            try await page.isAt("Search")
            try await browser.click("Undo")
            try await page.isAt("Soon")
            try await page.lists(["High thing", "Late thing", "Urgent thing"])
            try await browser.click("Delete the filter")
            try await page.isAt("Search")
            try await page.opensNavigation()
            _ = try await browser.control("Add a project")
            try await browser.holds { try await browser.current("Soon", in: "side-nav") == nil }
        }
    }

    @Test(arguments: Screen.sizes)
    func searchFindsAsOneTypesAndExplainsWhatItDoesNotUnderstand(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.add("Alpha report", "Beta report", "Gamma")
            try await page.isSaved()
            try await browser.click("Search", in: ".top")
            try await page.isAt("Search")
            try await browser.write("report")
            try await page.lists(["Alpha report", "Beta report"])
            try await browser.write(" -beta")
            try await page.lists(["Alpha report"])
            try await browser.enter("priority>=hihg", into: "Search tasks")
            try await page.says("not hihg", in: "task-list")
            try await browser.show("search-error")
            try await browser.enter("no such words", into: "Search tasks")
            try await page.says("No task matches.", in: "task-list")
            // What was typed can be kept, as the navigation promises.
            try await browser.enter("report sort:title", into: "Search tasks")
            try await page.lists(["Alpha report", "Beta report"])
            try await browser.click("Save as a filter")
            try await browser.enter("Reports", into: "Name")
            try await browser.click("Save")
            try await page.isAt("Reports")
            try await page.lists(["Alpha report", "Beta report"])
        }
    }

    @Test(arguments: Screen.sizes) func theActivityTellsWhatWasDone(screen: Screen) async throws {
        try await TodoPage.run(screen.look) { page in
            let browser = page.browser
            try await page.add("Watch this")
            try await browser.click("Complete “Watch this”")
            try await page.isSaved()
            // The audit log follows the write, through the topic.
            _ = try await browser.eventually("the entry") { () async throws -> Bool? in
                try await page.goTo("Today")
                try await page.goTo("Activity")
                try await browser.holds("what is read") {
                    try await browser.find("activity-view").text.contains("Loading") == false
                }
                return try await browser.find("activity-view").text.contains("You completed") ? true : nil
            }
            try await page.says("You added Watch this", in: ".activity")
            try await browser.show("activity")
            try await browser.choose("Completions", from: "Show")
            _ = try await browser.eventually("one entry") { () async throws -> Bool? in
                try await browser.all(".activity li").count == 1 ? true : nil
            }
        }
    }

    @Test(arguments: Screen.sizes) func settingsAreKept(screen: Screen) async throws {
        let person = TodoPage.Person("Grace Hopper")
        try await TodoPage.run(screen.look, as: person) { page in
            let browser = page.browser
            try await page.goTo("Settings")
            try await browser.enter("Rear Admiral", into: "Name")
            try await browser.click("Save")
            try await page.says("Saved", in: "undo-toast")
            try await browser.choose("Dark", from: "Theme")
            let ground = try await browser.script("return getComputedStyle(document.body).backgroundColor")
            #expect(ground == "rgb(25, 26, 27)")
            try await browser.show("settings-dark")
            try await browser.reload()
            try await browser.holds { try await browser.control("Name").property("value") == "Rear Admiral" }
            try await browser.holds { try await browser.control("Theme").property("value") == "dark" }

            try await browser.enter("Backup", into: "Name of the new token")
            try await browser.click("Create a token")
            try await browser.holds { try await browser.find(".token").text.hasPrefix("todo_") }
            try await browser.click("Revoke Backup")
            _ = try await browser.eventually("no token") { () async throws -> Bool? in
                try await browser.current("Revoke Backup") == nil ? true : nil
            }
            try await browser.enter(person.password, into: "Current password")
            try await browser.enter("a new and longer password", into: "Password (8 characters or more)")
            try await browser.click("Change the password")
            try await page.says("The password is changed", in: "undo-toast")

            try await browser.click("Erase the account")
            try await browser.enter("wrong", into: "Password")
            try await browser.click("Erase the account")
            _ = try await browser.find("dialog .form-error:not(:empty)")
            try await browser.enter("a new and longer password", into: "Password")
            try await browser.click("Erase the account")
            _ = try await browser.control("Sign in")
        }
    }
}
