internal import Foundation
internal import HTTPTypes
public import StructuredData

/// A window of a browser with a profile of its own, as a person has it before them. Close it at the end.
public final class Browser: Sendable {
    public struct Look: Sendable {
        public var width = 1280
        public var height = 800
        /// Touch instead of a mouse.
        public var isPhone = false
        public var isDark = false
        /// The few colours that the person has chosen in the system instead of those of the page.
        public var hasForcedColors = false

        public static let desktop = Look()
        public static let dark = Look(isDark: true)
        public static let phone = Look(width: 390, height: 844, isPhone: true)
    }

    /// How long something may take to appear, on a machine with much else to do; what has to be fast has limits of its own.
    public static let patience: Duration = .seconds(30)

    let driver: Chromedriver
    let path: String
    public let look: Look

    private init(driver: Chromedriver, session: String, look: Look) {
        self.driver = driver
        path = "/session/\(session)"
        self.look = look
    }

    public static func open(_ look: Look = .desktop) async throws -> Browser {
        let driver = try await Chromedriver.shared()
        // Of the height of a window that nobody sees, all of Chromium takes 87 for itself.
        let height = look.height + (driver.shell == nil ? 87 : 0)
        var arguments = [
            "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--lang=en-GB",
            "--force-prefers-reduced-motion", "--window-size=\(look.width),\(height)",
        ]
        if geteuid() == 0 { arguments.append("--no-sandbox") }
        if look.hasForcedColors { arguments.append("--force-high-contrast") }
        if look.isDark { arguments.append("--blink-settings=preferredColorScheme=0") }
        var options: JSON = ["args": .array(arguments.map(JSON.string))]
        options["binary"] = driver.shell.map(JSON.string)
        if look.isPhone {
            let metrics: JSON = [
                "width": .number(JSONNumber(look.width)), "height": .number(JSONNumber(look.height)), "pixelRatio": 2,
                "touch": true,
            ]
            options["mobileEmulation"] = ["deviceMetrics": metrics]
        }
        let session = try await driver.send(
            .post, "/session",
            [
                "capabilities": [
                    "alwaysMatch": [
                        "goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"],
                        "timeouts": ["script": 100_000],
                    ]
                ]
            ])
        return Browser(driver: driver, session: session["sessionId"]?.string ?? "", look: look)
    }

    /// Opens a window, runs `work` in it and closes it. What went wrong is thrown with what the page had said.
    public static func run<Result>(_ look: Look = .desktop, _ work: (Browser) async throws -> Result) async throws
        -> Result
    {
        let browser = try await open(look)
        do {
            let result = try await work(browser)
            try await browser.close()
            return result
        } catch {
            if let folder = ProcessInfo.processInfo.environment["TODO_SCREENSHOTS"] {
                try? await browser.screenshot(to: "\(folder)/failure-\(UInt32.random(in: 0 ... .max)).png")
            }
            let said = (try? await browser.messages()) ?? []
            try? await browser.close()
            throw said.isEmpty ? error : PageFailure(cause: error, said: said)
        }
    }

    public struct PageFailure: Error, CustomStringConvertible {
        public let cause: any Error
        public let said: [String]
        public var description: String { "\(cause); the page said: \(said.joined(separator: "\n"))" }
    }

    public func close() async throws { _ = try await driver.send(.delete, path) }

    public func go(to url: String) async throws { try await command("url", ["url": .string(url)]) }

    public func reload() async throws { try await command("refresh", [:]) }

    /// Makes a window wider or narrower, as a person does who turns a phone.
    public func resize(width: Int, height: Int) async throws {
        try await command(
            "window/rect", ["width": .number(JSONNumber(width)), "height": .number(JSONNumber(height))])
    }

    @discardableResult
    func command(_ name: String, _ body: JSON) async throws -> JSON {
        try await driver.send(.post, "\(path)/\(name)", body)
    }

    /// Runs the body of a function in the page; elements go in as they came out.
    @discardableResult
    public func script(_ body: String, _ arguments: JSON...) async throws -> JSON {
        try await command("execute/sync", ["script": .string(body), "args": .array(arguments)])
    }

    /// Runs the body of an asynchronous function and gives what it returns.
    public func asyncScript(_ body: String, _ arguments: JSON...) async throws -> JSON {
        let wrapped = """
            const done = arguments[arguments.length - 1];
            (async function () { \(body) }).apply(null, [...arguments].slice(0, -1))
                .then((value) => done({ value }), (error) => done({ error: String(error && error.stack || error) }));
            """
        let answer = try await command("execute/async", ["script": .string(wrapped), "args": .array(arguments)])
        if let error = answer["error"]?.string { throw WebDriverError(error: "script", message: error) }
        return answer["value"] ?? .null
    }

    /// Warnings and errors of the console since the last time.
    public func messages() async throws -> [String] {
        try await command("se/log", ["type": "browser"]).array?.compactMap { $0["message"]?.string } ?? []
    }

    /// As PNG.
    public func screenshot(to file: String) async throws {
        let text = try await driver.send(.get, "\(path)/screenshot").string ?? ""
        guard let image = Data(base64Encoded: text) else { return }
        try image.write(to: URL(fileURLWithPath: file))
    }

    /// Screen as it is, where somebody wants to look: into the folder named by `TODO_SCREENSHOTS`.
    public func show(_ name: String) async throws {
        guard let folder = ProcessInfo.processInfo.environment["TODO_SCREENSHOTS"] else { return }
        try await screenshot(to: "\(folder)/\(look.isPhone ? "phone-" : "")\(name).png")
    }

    /// Asks until there is a value. Throws what was wanted when a person would have given up.
    public func eventually<Value>(
        _ what: @autoclosure () async throws -> String, within limit: Duration = Browser.patience,
        _ ask: () async throws -> Value?
    ) async throws -> Value {
        let deadline = ContinuousClock.now + limit
        var last = ""
        while true {
            do {
                if let value = try await ask() { return value }
            } catch let error as WebDriverError where error.isStale {
                last = "; \(error)"
            }
            guard ContinuousClock.now < deadline else { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw WebDriverError(error: "never came", message: try await what() + last)
    }
}
