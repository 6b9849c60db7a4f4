import StructuredData
import Testing
import WebDriver

/// Several windows at once, and a network that fails.
@Suite(.needsBrowser, .loadsProcessors, .inTime) struct WebLiveTests {
    /// What was asked for before is nobody's news after signing out, and keeps no later session from its own.
    @Test func newsThatWaitWhenSomebodySignsOutAreNotShown() async throws {
        try await TodoPage.run { page in
            let shown = try await page.browser.asyncScript(
                """
                const base = document.querySelector("script[type=module]").src;
                const { Live } = await import(new URL("data/live.js", base));
                const { Outbox } = await import(new URL("data/outbox.js", base));
                const isThere = async (condition) => {
                    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
                };
                const feeds = [];
                window.fetch = async (path) => {
                    // What is written gets no answer.
                    if (!path.startsWith("/v1/changes")) return new Promise(() => {});
                    if (new URL(path, base).searchParams.get("after") === "now") return Response.json({ cursor: "me:1" });
                    const task = { id: `from feed ${feeds.length}` };
                    await new Promise((resolve) => feeds.push(resolve));
                    return Response.json({ items: [{ type: "task", id: task.id, seq: 2, task }], cursor: "me:3", more: false });
                };
                const sockets = [];
                window.WebSocket = class {
                    constructor() { sockets.push(this); }
                    send() {}
                    close() {}
                };
                const shown = [];
                const outbox = new Outbox();
                const store = { outbox, me: { id: "me" }, putTasks: (tasks) => shown.push(...tasks.map((task) => task.id)) };
                const live = new Live(store);
                // A hole in the numbers: the feed is asked for what is in it.
                const makeHole = (number) => sockets[number].onmessage({
                    data: JSON.stringify({ type: "event", event: { id: `${number}`, type: "x", data: { user: "me", seq: 3 } } }),
                });

                await live.start();
                makeHole(0);
                await isThere(() => feeds.length === 1);
                outbox.open("me");
                outbox.add([{ op: "create", localId: "local", task: {} }], "make");
                await new Promise((resolve) => setTimeout(resolve));
                feeds[0]();
                await new Promise((resolve) => setTimeout(resolve, 50));
                const before = shown.length;
                live.stop();
                outbox.close();
                await live.start();
                makeHole(1);
                await isThere(() => feeds.length === 2);
                feeds[1]();
                await isThere(() => shown.includes("from feed 1"));
                return { before, shown };
                """)
            #expect(shown["before"] == 0)
            #expect(shown["shown"] == ["from feed 1"])
        }
    }

    @Test(arguments: Screen.sizes) func aSharedProjectIsThereForBothAndAViewerOnlyReads(screen: Screen) async throws {
        let grace = TodoPage.Person("Grace Hopper")
        try await TodoPage.run(screen.look, as: grace) { guest in
            try await TodoPage.run(screen.look) { owner in
                let browser = owner.browser
                try await owner.opensNavigation()
                try await browser.click("Add a project")
                try await browser.enter("Compiler", into: "Name")
                try await browser.click("Save")
                try await owner.isAt("Compiler")
                try await owner.add("Parse")
                try await browser.click("Project actions")
                try await browser.click("Share")
                try await browser.enter(grace.email, into: "E-mail address")
                try await browser.choose("May read", from: "Role")
                try await browser.click("Invite")
                try await owner.says("\(grace.email) was invited")
                try await browser.show("members")

                try await guest.goTo("Compiler")
                try await guest.lists(["Parse"])
                try await guest.browser.holds { try await guest.browser.current("Add a task") == nil }
                try await guest.browser.holds {
                    try await guest.browser.control("Complete “Parse”").property("disabled") == true
                }

                try await browser.choose("May edit", from: "Role of Grace Hopper")
                try await guest.add("Optimise")
                try await owner.closesDialog()
                try await owner.lists(["Parse", "Optimise"])
                try await guest.browser.click("Complete “Parse”")
                try await owner.lists(["Optimise"])

                // What is thrown away by mistake is there again for both, with what each may do in it.
                try await browser.click("Project actions")
                try await browser.click("Delete the project")
                try await guest.says("There is nothing here", in: "#view-title")
                // The guest may hear of it before the owner has the answer, and before it can be undone.
                try await owner.isAt("Inbox")
                try await browser.press([Key.control, "z"])
                for page in [owner, guest] {
                    try await page.isAt("Compiler")
                    try await page.lists(["Optimise"])
                }
                try await guest.add("Link")
                try await owner.lists(["Optimise", "Link"])

                try await browser.click("Project actions")
                try await browser.click("Share")
                try await browser.click("Remove Grace Hopper")
                try await guest.says("There is nothing here", in: "#view-title")
                try await guest.opensNavigation()
                _ = try await guest.browser.control("Add a project")
                try await guest.browser.holds { try await guest.browser.current("Compiler", in: "side-nav") == nil }
                try await owner.closesDialog()
            }
        }
    }

    @Test func whatIsDoneWithoutANetworkIsSavedWhenItIsBack() async throws {
        try await throughCable { page, ada, cable in
            let browser = page.browser
            try await page.add("Before")
            try await page.lists(["Before"])
            try await page.isSaved()
            try await TodoPage.secondWindow(of: ada) { other in
                try await other.goTo("Inbox")
                try await other.lists(["Before"])
                cable.unplug()
                try await page.add("During one", "During two")
                try await browser.click("Complete “Before”")
                try await browser.click("Complete “During two”")
                try await page.lists(["During one"])
                try await page.says("4 changes wait to be saved", in: "connection-state")
                try await browser.show("offline")
                try await other.add("Elsewhere")
                try await other.lists(["Before", "Elsewhere"])
                try cable.plugIn()
                try await page.isSaved()
                try await page.lists(["Elsewhere", "During one"])
                try await other.lists(["Elsewhere", "During one"])
                // Nothing was done twice.
                try await page.goTo("Completed")
                try await page.browser.holds { try await Set(page.titles()) == ["Before", "During two"] }
                try await page.browser.holds { try await page.titles().count == 2 }
            }
        }
    }

    @Test func whatIsTypedInARowThatSomebodyTakesAwayIsKept() async throws {
        let ada = TodoPage.Person("Ada Lovelace")
        try await TodoPage.run(as: ada) { page in
            let browser = page.browser
            try await page.goTo("Inbox")
            try await page.add("Write to Bob", "Stay")
            try await page.isSaved()
            try await TodoPage.secondWindow(of: ada) { other in
                try await other.goTo("Inbox")
                try await other.lists(["Write to Bob", "Stay"])
                try await browser.press(Key.escape)
                try await browser.press("e")
                try await browser.write("Write to Bob and Eve")
                try await other.browser.click("Complete “Write to Bob”")
                try await page.lists(["Stay"])
                try await page.isSaved()
                try await other.goTo("Completed")
                try await other.lists(["Write to Bob and Eve"])
            }
        }
    }

    @Test func whatWaitsOutlivesThePage() async throws {
        try await throughCable { page, _, cable in
            cable.unplug()
            try await page.add("Do not lose me", "Nor me")
            try await page.browser.click("Complete “Nor me”")
            try await page.says("3 changes wait to be saved", in: "connection-state")
            try cable.plugIn()
            try await page.browser.reload()
            try await page.isSaved()
            try await page.lists(["Do not lose me"])
            try await page.browser.reload()
            try await page.lists(["Do not lose me"])
        }
    }

    /// Neither the person's own changes before nor somebody else's text take away what was written without a network.
    @Test func aDescriptionThatWaitedIsSavedOrGivenBack() async throws {
        try await throughCable { page, ada, cable in
            let browser = page.browser
            try await page.add("Write")
            try await page.isSaved()
            cable.unplug()
            try await page.opensTask("Write")
            try await browser.choose("Urgent", from: "Priority")
            try await browser.click("Add a description…")
            try await browser.control("Description").type("From the train")
            try await page.closesDialog()
            try cable.plugIn()
            try await page.isSaved()
            try await TodoPage.secondWindow(of: ada) { other in
                try await other.goTo("Inbox")
                try await other.opensTask("Write")
                try await other.says("From the train", in: ".markdown")
                cable.unplug()
                try await page.opensTask("Write")
                try await browser.click("Edit the description")
                try await browser.control("Description").type(", mine")
                try await page.closesDialog()
                try await other.browser.click("Edit the description")
                try await other.browser.control("Description").type(", theirs")
                try await other.closesDialog()
                try await other.isSaved()
                try cable.plugIn()
                try await page.says("Your description is kept here")
                try await page.says("From the train, theirs", in: ".markdown")
                try await page.hasDraft("From the train, mine")
                // It is nobody's description until the person chooses, and not lost either.
                try await page.closesDialog()
                try await page.isSaved()
                try await browser.reload()
                try await page.opensTask("Write")
                try await page.hasDraft("From the train, mine")
                try await page.says("From the train, theirs", in: ".markdown")
                try await browser.show("draft")
                try await browser.click("Save my draft")
                try await page.says("From the train, mine", in: ".markdown")
                try await other.opensTask("Write")
                try await other.says("From the train, mine", in: ".markdown")
            }
        }
    }

    @Test func subtasksGoAlongWithTheirTaskWithoutANetworkToo() async throws {
        try await throughCable { page, _, cable in
            let browser = page.browser
            try await page.add("Trip", "Rest")
            try await page.opensTask("Trip")
            try await browser.control("Add a subtask").type("Pack" + Key.enter)
            try await page.says("Pack", in: ".subtasks")
            try await page.closesDialog()
            try await page.lists(["Trip", "Pack", "Rest"])
            try await page.isSaved()
            cable.unplug()
            try await page.opensTask("Trip")
            try await browser.click("Move to the bin")
            try await page.lists(["Rest"])
            try cable.plugIn()
            try await page.isSaved()
            try await page.lists(["Rest"])
        }
    }

    @Test func whatTheServerDidWithoutSayingSoIsNotDoneAgain() async throws {
        try await throughCable { page, ada, cable in
            try await page.isSaved()
            try await TodoPage.secondWindow(of: ada) { other in
                try await other.goTo("Inbox")
                cable.loseAnswers()
                try await page.add("Once")
                try await other.lists(["Once"])
                cable.unplug()
                try cable.plugIn()
                try await page.isSaved()
                try await page.lists(["Once"])
                try await other.lists(["Once"])
            }
            try await page.browser.reload()
            try await page.lists(["Once"])
        }
    }

    @Test func whatIsUndoneWhileTheNetworkIsAwayStaysUndone() async throws {
        try await throughCable { page, _, cable in
            try await page.add("Keep")
            try await page.isSaved()
            cable.unplug()
            try await page.browser.click("Complete “Keep”")
            try await page.browser.click("Undo")
            try await page.lists(["Keep"])
            try cable.plugIn()
            try await page.isSaved()
            try await page.lists(["Keep"])
        }
    }

    @Test func whatTheServerDidWithoutSayingSoIsUndoneThereToo() async throws {
        try await throughCable { page, ada, cable in
            try await page.add("Keep")
            try await page.isSaved()
            try await TodoPage.secondWindow(of: ada) { other in
                try await other.goTo("Inbox")
                try await other.lists(["Keep"])
                cable.loseAnswers()
                try await page.browser.click("Complete “Keep”")
                try await other.lists([])
                // The offer to undo it goes by itself after some seconds; the key stays.
                try await page.browser.press([Key.control, "z"])
                // Nobody waits for the answer that is under way.
                try await page.lists(["Keep"])
                cable.unplug()
                try cable.plugIn()
                try await page.isSaved()
                try await page.lists(["Keep"])
                try await other.lists(["Keep"])
            }
            try await page.browser.reload()
            try await page.lists(["Keep"])
        }
    }

    /// A page at the inbox, with a cable between it and the server.
    private func throughCable(_ work: (TodoPage, TodoPage.Person, Cable) async throws -> Void) async throws {
        let ada = TodoPage.Person("Ada Lovelace")
        let cable = try Cable(to: try await TodoSite.port())
        try await TodoPage.run(as: ada, at: "http://127.0.0.1:\(cable.port)") { page in
            try await page.goTo("Inbox")
            try await work(page, ada, cable)
        }
    }
}

extension TodoPage {
    /// Waits for a description in the sheet that is not saved.
    fileprivate func hasDraft(_ text: String) async throws {
        try await browser.holds("the draft") {
            try await browser.control("Description").property("value") == .string(text)
        }
    }
}
