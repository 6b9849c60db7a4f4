import Foundation
import StructuredData
import Testing
import WebDriver

@testable import TodoWeb

/// The modules that need no server, in the browser that runs them: dates, quick add, order, Markdown, outbox, addresses.
@Suite(.enabled(if: Chromedriver.missing == nil, "\(Chromedriver.missing ?? "")"), .timeLimit(.minutes(2)))
struct ModuleTests {
    @Test func theUnitsOfThePageHold() async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Scripts/units.js")
        let text = try String(contentsOf: script, encoding: .utf8)
        try await PageServer.run { server in
            try await Browser.run { browser in
                try await browser.go(to: server.url)
                let wrong = try await browser.asyncScript(
                    "const [assets] = arguments;\n" + text, .string("/assets/\(WebPage.shared.version)"))
                for problem in try #require(wrong.array) { Issue.record("\(problem.string ?? "")") }
            }
        }
    }

    @Test func thePageBreaksNoRuleOfItsPolicyAndSaysWhenThereIsNoServer() async throws {
        try await PageServer.run { server in
            try await Browser.run { browser in
                try await browser.go(to: server.url)
                let alert = try await browser.find("[role=alert]")
                #expect(try await alert.text.contains("could not be loaded"))
                _ = try await browser.control("Try again")
                let said = try await browser.messages()
                #expect(
                    !said.contains { $0.contains("Content Security Policy") || $0.contains("TrustedHTML") }, "\(said)")
                // The policy is on: what it forbids does not run.
                let ran = try await browser.script(
                    """
                    const inline = document.createElement("script");
                    try { inline.textContent = "window.ran = true"; document.head.append(inline); } catch { return "refused"; }
                    return String(Boolean(window.ran));
                    """)
                #expect(ran == "refused" || ran == "false")
            }
        }
    }
}
