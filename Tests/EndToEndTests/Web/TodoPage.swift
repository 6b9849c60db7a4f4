import Foundation
import StructuredData
import Testing
import WebDriver

/// Where the page is served.
enum TodoSite {
    /// `TODO_WEB_URL`, such as http://127.0.0.1:8080: an installation where everybody may make an account; else a
    /// `todo up` for all tests of this run.
    static func url() async throws -> String {
        if let given = ProcessInfo.processInfo.environment["TODO_WEB_URL"] { return given }
        return try await TodoUp.shared().address
    }

    static func port() async throws -> UInt16 {
        URL(string: try await url())?.port.map { UInt16($0) } ?? 80
    }
}

extension Trait where Self == ConditionTrait {
    static var needsBrowser: Self { .enabled(if: Chromedriver.missing == nil, "\(Chromedriver.missing ?? "")") }
}

enum Screen: String, CaseIterable {
    case desktop, dark, phone

    /// Where everything is to be done that a person may do.
    static let sizes: [Screen] = [.desktop, .phone]

    var look: Browser.Look {
        switch self {
        case .desktop: .desktop
        case .dark: .dark
        case .phone: .phone
        }
    }
}

/// The page in a window, with the words of a person who uses it.
struct TodoPage {
    let browser: Browser
    let url: String

    /// Somebody with an account of their own.
    struct Person {
        let name: String
        let email: String
        let password = "correct horse battery staple"

        init(_ name: String) {
            self.name = name
            email = "\(name.lowercased().replacing(" ", with: "."))-\(UInt64.random(in: 0 ... .max))@example.com"
        }
    }

    /// Opens a window, makes an account in it and runs `work`. At the end the page must have complained of nothing.
    static func run(
        _ look: Browser.Look = .desktop, as person: Person = Person("Ada Lovelace"), at url: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation, _ work: (TodoPage) async throws -> Void
    ) async throws {
        let url = if let url { url } else { try await TodoSite.url() }
        try await Browser.run(look) { browser in
            let page = TodoPage(browser: browser, url: url)
            try await page.signUp(person)
            try await work(page)
            let said = try await browser.messages().filter { !isExpected($0) }
            #expect(said.isEmpty, "\(said)", sourceLocation: sourceLocation)
        }
    }

    /// Opens a second window for somebody who has an account, and runs `work` in it.
    static func secondWindow(
        of person: Person, at url: String? = nil, _ work: (TodoPage) async throws -> Void
    ) async throws {
        let url = if let url { url } else { try await TodoSite.url() }
        try await Browser.run { browser in
            let page = TodoPage(browser: browser, url: url)
            try await browser.go(to: url)
            try await page.signIn(person)
            try await page.isAt("Today")
            try await work(page)
        }
    }

    /// The browser itself reports refused requests and cut connections, which tests make on purpose.
    private static func isExpected(_ message: String) -> Bool {
        message.contains("Failed to load resource") || message.contains("WebSocket connection to")
            || message.contains("username fields")
    }

    func signUp(_ person: Person) async throws {
        try await browser.go(to: url)
        try await browser.click("New here? Create an account")
        try await browser.enter(person.name, into: "Name")
        try await browser.enter(person.email, into: "E-mail address")
        try await browser.enter(person.password, into: "Password (8 characters or more)")
        try await browser.click("Create an account")
        try await isAt("Today")
    }

    func signIn(_ person: Person, password: String? = nil) async throws {
        try await browser.enter(person.email, into: "E-mail address")
        try await browser.enter(password ?? person.password, into: "Password")
        try await browser.click("Sign in")
    }

    /// Waits for the view of that name.
    func isAt(_ title: String) async throws {
        _ = try await browser.eventually("the view \(title)") { () async throws -> Bool? in
            try await browser.all("#view-title").first?.text == title ? true : nil
        }
    }

    /// Views and projects, which on a phone are in a drawer.
    func opensNavigation() async throws {
        if browser.look.isPhone, try await browser.all("nav").isEmpty { try await browser.click("Menu") }
    }

    /// Looks at those, and goes on where it was.
    func inNavigation(_ look: () async throws -> Void) async throws {
        try await opensNavigation()
        try await look()
        guard browser.look.isPhone else { return }
        try await browser.press(Key.escape)
        try await browser.holds("the drawer is closed") { try await browser.all("nav").isEmpty }
    }

    func goTo(_ view: String) async throws {
        try await opensNavigation()
        try await browser.click("\(view)…", in: "side-nav")
        try await isAt(view)
    }

    func add(_ lines: String...) async throws {
        for line in lines {
            let field = try await browser.control("Add a task")
            try await field.type(line + Key.enter)
        }
    }

    /// The titles in the list, in order.
    func titles() async throws -> [String] {
        try await browser.script(
            """
            const rows = [...document.querySelectorAll("task-list .row:not(.row-group)")].filter((row) => row.checkVisibility());
            return rows.map((row) => row.querySelector(".title")?.textContent ?? row.querySelector("input").value);
            """
        ).array?.compactMap(\.string) ?? []
    }

    /// Waits until the list is exactly this.
    func lists(
        _ titles: [String], within limit: Duration = Browser.patience, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var last: [String] = []
        do {
            _ = try await browser.eventually("the list \(titles)", within: limit) { () async throws -> Bool? in
                last = try await self.titles()
                return last == titles ? true : nil
            }
        } catch {
            Issue.record("\(titles) was expected, there is \(last)", sourceLocation: sourceLocation)
            throw error
        }
    }

    /// Waits for a text anywhere in what a selector finds.
    func says(_ text: String, in selector: String = "body", sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        var last = ""
        do {
            _ = try await browser.eventually("“\(text)” in \(selector)") { () async throws -> Bool? in
                last =
                    try await browser.script(
                        "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText).join(' ')",
                        .string(selector)
                    ).string ?? ""
                return last.replacing("\n", with: " ").contains(text) ? true : nil
            }
        } catch {
            Issue.record("“\(text)” was expected in \(selector), there is “\(last)”", sourceLocation: sourceLocation)
            throw error
        }
    }

    /// The row of a task.
    func row(_ title: String) async throws -> Element {
        try await browser.eventually("a task \(title)") {
            let found = try await browser.script(
                """
                const [title] = arguments;
                return [...document.querySelectorAll("task-list .row")].find((row) => row.querySelector(".title")?.textContent === title) ?? null;
                """, .string(title))
            return found.isNull ? nil : try await browser.element(found)
        }
    }

    /// Puts the mouse over a task, which shows what is only there for the mouse.
    func hover(_ title: String) async throws {
        _ = try await browser.eventually("a task \(title) under the mouse") { () async throws -> Bool? in
            try await row(title).hover()
            return true
        }
    }

    /// Drags a task below another by its handle.
    func drag(_ title: String, below target: String) async throws {
        _ = try await browser.eventually("\(title) to drag") { () async throws -> Bool? in
            if !browser.look.isPhone { try await row(title).hover() }
            let handle = try await browser.control("Move “\(title)”…", in: "task-list")
            try await browser.drag(handle, to: try await row(target), below: 16)
            return true
        }
    }

    func opensTask(_ title: String) async throws {
        try await browser.click(title, in: "task-list")
        _ = try await browser.find("dialog.editor")
    }

    func closesDialog() async throws {
        try await browser.click("Close")
        _ = try await browser.eventually("the end of the dialog") { () async throws -> Bool? in
            try await browser.all("dialog").isEmpty ? true : nil
        }
    }

    /// Waits until everything the person did is on the server.
    func isSaved() async throws {
        _ = try await browser.eventually("an empty outbox") { () async throws -> Bool? in
            try await browser.script(
                "return Object.keys(localStorage).some((key) => key.startsWith('todo.outbox')) ? null : true"
            ).bool
        }
        try await says("Live", in: "connection-state")
    }
}

extension Browser {
    /// Waits until it is so: a page draws what happened a moment later.
    func holds(
        _ what: String = "it", sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        do {
            _ = try await eventually(what) { () async throws -> Bool? in try await condition() ? true : nil }
        } catch {
            Issue.record(error, sourceLocation: sourceLocation)
            throw error
        }
    }
}
