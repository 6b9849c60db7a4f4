internal import HTTPTypes
public import StructuredData

/// Something in a page.
public struct Element: Sendable {
    let browser: Browser
    /// The reference of W3C WebDriver, section 12.2, which scripts take too.
    public let reference: JSON
    private var path: String { "\(browser.path)/element/\(reference[Self.key]?.string ?? "")" }

    static let key = "element-6066-11e4-a52e-4f735466cecf"

    init?(_ browser: Browser, _ reference: JSON?) {
        guard let reference, reference[Self.key]?.string != nil else { return nil }
        self.browser = browser
        self.reference = reference
    }

    public func click() async throws { _ = try await browser.driver.send(.post, "\(path)/click", [:]) }

    public func type(_ text: String) async throws {
        _ = try await browser.driver.send(.post, "\(path)/value", ["text": .string(text)])
    }

    /// As it is rendered.
    public var text: String {
        get async throws { try await browser.driver.send(.get, "\(path)/text").string ?? "" }
    }

    /// The ARIA role that the browser tells assistive technology.
    public var role: String {
        get async throws { try await browser.driver.send(.get, "\(path)/computedrole").string ?? "" }
    }

    /// The accessible name.
    public var name: String {
        get async throws { try await browser.driver.send(.get, "\(path)/computedlabel").string ?? "" }
    }

    public func property(_ name: String) async throws -> JSON {
        try await browser.driver.send(.get, "\(path)/property/\(name)")
    }
}

extension Browser {
    /// What is visible now and matches a selector.
    public func all(_ selector: String) async throws -> [Element] {
        let script =
            "return [...document.querySelectorAll(arguments[0])].filter((each) => each.checkVisibility({ visibilityProperty: true }))"
        return try await self.script(script, .string(selector)).array?.compactMap { Element(self, $0) } ?? []
    }

    /// Waits for it to be visible.
    public func find(_ selector: String) async throws -> Element {
        try await eventually("a visible \(selector)") { try await all(selector).first }
    }

    /// Waits for a control (a button, link, box or field) by what it is called: its label, or what it says. The whole
    /// name, or with `…` at the end its beginning.
    public func control(_ name: String, in selector: String = "body") async throws -> Element {
        try await eventually(try await "\(name) in \(selector); there are \(controlNames())") {
            try await current(name, in: selector)
        }
    }

    /// As `control`, now.
    public func current(_ name: String, in selector: String = "body") async throws -> Element? {
        Element(self, try await script(Self.finder + "return found", .string(selector), .string(name)))
    }

    private func controlNames() async throws -> String {
        try await script(Self.finder + "return controls.map(nameOf).join(' | ')", "body", "").string ?? ""
    }

    private static let finder = """
        const [selector, wanted] = arguments;
        const kinds = "button, a[href], input, select, textarea, summary, [role=menuitem], [role=menuitemradio]";
        const text = (node) => {
            const copy = node.cloneNode(true);
            for (const part of copy.querySelectorAll("[aria-hidden=true]")) part.remove();
            return copy.textContent.replace(/\\s+/g, " ").trim();
        };
        const nameOf = (each) => each.getAttribute("aria-label") || (each.labels?.length ? text(each.labels[0].querySelector("span") ?? each.labels[0]) : text(each));
        const host = [...document.querySelectorAll(":popover-open")].at(-1) ?? [...document.querySelectorAll("dialog[open]")].at(-1);
        const scope = selector === "body" && host ? [host, ...document.querySelectorAll("undo-toast")] : [...document.querySelectorAll(selector)];
        const controls = scope.flatMap((part) => [...part.querySelectorAll(kinds)]).filter((each) => each.checkVisibility({ visibilityProperty: true }));
        const isWanted = (each) => wanted.endsWith("…") ? nameOf(each).startsWith(wanted.slice(0, -1)) : nameOf(each) === wanted;
        const found = controls.find(isWanted) ?? null;

        """

    /// Clicks what is called so. A page that draws it anew at that moment is asked again.
    public func click(_ name: String, in selector: String = "body") async throws {
        _ = try await eventually(try await "\(name) to click; there are \(controlNames())") {
            () async throws -> Bool? in
            guard let control = try await current(name, in: selector) else { return nil }
            try await control.click()
            return true
        }
    }

    /// Replaces what is in a field.
    public func enter(_ text: String, into name: String, in selector: String = "body") async throws {
        let field = try await control(name, in: selector)
        // As a person does it: a field that is emptied first may say so.
        try await script("arguments[0].select()", field.reference)
        try await field.type(text)
    }

    /// Chooses the option of a `<select>` that says so.
    public func choose(_ option: String, from name: String, in selector: String = "body") async throws {
        let select = try await control(name, in: selector)
        let found = try await script(
            """
            const [select, wanted] = arguments;
            return [...select.options].find((each) => each.textContent === wanted) ?? null;
            """, select.reference, .string(option))
        guard let element = Element(self, found) else {
            throw WebDriverError(error: "no option", message: "\(option) of \(name)")
        }
        try await element.click()
    }

    /// What has the focus.
    public func focused() async throws -> Element {
        let element = Element(self, try await driver.send(.get, "\(path)/element/active"))
        guard let element else { throw WebDriverError(error: "no focus", message: "nothing has the focus") }
        return element
    }
}

extension Element {
    /// Puts the mouse over it, which shows what is only there for the mouse.
    public func hover() async throws {
        let move: JSON = ["type": "pointerMove", "origin": reference, "x": 0, "y": 0, "duration": 0]
        try await browser.command(
            "actions",
            [
                "actions": [
                    ["type": "pointer", "id": "pointer", "parameters": ["pointerType": "mouse"], "actions": [move]]
                ]
            ])
    }
}

extension Browser {
    /// An element that a script gave.
    public func element(_ reference: JSON) async throws -> Element {
        guard let element = Element(self, reference) else {
            throw WebDriverError(error: "no element", message: reference.text)
        }
        return element
    }

    /// Clicks what is called so with Shift held down.
    public func shiftClick(_ name: String) async throws {
        _ = try await eventually("\(name) to click") { () async throws -> Bool? in
            guard let control = try await current(name) else { return nil }
            try await shiftClick(control)
            return true
        }
    }

    private func shiftClick(_ element: Element) async throws {
        let key: (String) -> JSON = { ["type": .string($0), "value": .string(Key.shift)] }
        let pause: JSON = ["type": "pause", "duration": 0]
        let pointer: JSON = [
            pause, ["type": "pointerMove", "origin": element.reference, "x": 0, "y": 0, "duration": 0],
            ["type": "pointerDown", "button": 0], ["type": "pointerUp", "button": 0], pause,
        ]
        let keys: JSON = [key("keyDown"), pause, pause, pause, key("keyUp")]
        try await command(
            "actions",
            [
                "actions": [
                    ["type": "key", "id": "keys", "actions": keys],
                    ["type": "pointer", "id": "pointer", "parameters": ["pointerType": "mouse"], "actions": pointer],
                ]
            ])
    }
}
