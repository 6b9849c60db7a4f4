import StructuredData
import Testing
import WebDriver

/// Ten thousand tasks in one project are as quick as a hundred.
@Suite(.needsBrowser, .inTime) struct WebBigListTests {
    @Test func tenThousandTasksAreAsQuickAsAHundred() async throws {
        try await LoadGate.shared.alone {
            try await TodoPage.run { page in
                let browser = page.browser
                try await browser.click("Add a project")
                try await browser.enter("Small", into: "Name")
                try await browser.click("Save")
                try await page.isAt("Small")
                try await fill(page, 100)
                try await page.says("100 tasks", in: ".list-count")
                let small = try await measure(page)

                try await page.goTo("Inbox")
                try await fill(page, 10_000)
                let start = ContinuousClock.now
                try await browser.reload()
                _ = try await page.row("Task 0")
                let first = ContinuousClock.now - start
                _ = try await browser.eventually("10,000 tasks", within: .seconds(60)) { () async throws -> Bool? in
                    try await browser.find(".list-count").text == "10,000 tasks" ? true : nil
                }
                let all = ContinuousClock.now - start
                let rows =
                    try await browser.script("return document.querySelectorAll('task-list .row').length").int ?? 0
                #expect(rows < 60, "only what is in sight is in the document")
                let big = try await measure(page)
                print(
                    "10,000 tasks (100): first row after \(first.inSeconds), all after \(all.inSeconds); a screen drawn in",
                    "\(big.draw) (\(small.draw)) ms; completed on the screen after \(big.complete) (\(small.complete)) ms"
                )
                #expect(big.draw < 2 * small.draw + 5)
                #expect(big.complete < 2 * small.complete + 100)
                try await browser.press(Key.escape)
                try await browser.press("j", Key.end)
                _ = try await page.row("Task 9999")
                try await page.isSaved()
            }
        }
    }

    /// Adds so many tasks to the project that is shown: by a script for each request, for a script may not take for ever.
    private func fill(_ page: TodoPage, _ count: Int) async throws {
        for start in stride(from: 0, to: count, by: 500) {
            _ = try await page.browser.asyncScript(
                """
                const [start, count] = arguments;
                const project = location.hash.startsWith("#/project/") ? location.hash.slice(10) : undefined;
                const operations = Array.from({ length: count }, (_, index) => ({
                    op: "create", task: { title: `Task ${start + index}`, project, tags: index % 5 ? [] : ["five"] },
                }));
                const headers = { "Content-Type": "application/json", "Idempotency-Key": `fill-${start}-${Math.random()}` };
                const body = JSON.stringify({ mode: "atomic", operations });
                const response = await fetch("/v1/tasks/bulk", { method: "POST", headers, body });
                if (!response.ok) throw new Error(await response.text());
                """, .number(JSONNumber(start)), .number(JSONNumber(min(500, count - start))))
        }
    }

    /// Milliseconds to draw a screen after a jump in the list (median), and until a completed task is gone from it.
    private func measure(_ page: TodoPage) async throws -> (draw: Double, complete: Double) {
        let figures = try await page.browser.asyncScript(
            """
            const scroller = document.querySelector(".scroller");
            const list = document.querySelector("task-list");
            const frame = () => new Promise(requestAnimationFrame);
            const times = [];
            for (let step = 0; step < 121; step++) {
                scroller.scrollTop = step % 2 ? scroller.scrollHeight : 0;
                const start = performance.now();
                list.draw();
                list.getBoundingClientRect();
                times.push(performance.now() - start);
                await frame();
            }
            const first = document.querySelector(".row .title").textContent;
            const start = performance.now();
            document.querySelector(".row .complete").click();
            while (document.querySelector(".row .title").textContent === first) await frame();
            const round = (time) => Math.round(time * 10) / 10;
            return { draw: round(times.sort((a, b) => a - b)[60]), complete: round(performance.now() - start) };
            """)
        return (figures["draw"]?.double ?? .infinity, figures["complete"]?.double ?? .infinity)
    }
}
