import Foundation
import StructuredData
import Testing
import WebDriver

@testable import TodoWeb

/// The modules that need no server, in the browser that runs them: dates, quick add, order, Markdown, outbox, addresses;
/// and the page with a server that is part of the script.
@Suite(.enabled(if: Chromedriver.missing == nil, "\(Chromedriver.missing ?? "")"), .timeLimit(.minutes(10)))
struct ModuleTests {
    @Test(arguments: [
        ["units"], ["notices"], ["live"], ["outbox"], ["server", "page"], ["server", "addresses"],
        ["server", "answers"],
    ])
    func theUnitsOfThePageHold(scripts: [String]) async throws {
        let wrong = try await Self.run(scripts)
        for problem in try #require(wrong.array) { Issue.record("\(problem.string ?? "")") }
    }

    /// Each rule through the fields of the form and back, and through the form itself.
    @Test func noRuleIsChangedByBeingShown() async throws {
        let file = Self.tests.appending(path: "RecurrenceTests/Resources/recurrence.jsonl")
        let vectors = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
            try JSON(parsing: String($0))
        }
        #expect(vectors.count > 300)
        let result = try await Self.run(["recurrence"], .array(vectors))
        for problem in try #require(result["wrong"]?.array) { Issue.record("\(problem.string ?? "")") }
        // The fields are for what people choose, and the vectors mostly for what nobody would.
        #expect(result["known"]?.int.map { $0 > 90 && $0 < vectors.count } == true)
    }

    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// Runs scripts in the page as one; `vectors` is what it is given besides the address of the modules.
    private static func run(_ scripts: [String], _ vectors: JSON = .null) async throws -> JSON {
        let files = scripts.map { tests.appending(path: "TodoWebTests/Scripts/\($0).js") }
        let text = try files.map { try String(contentsOf: $0, encoding: .utf8) }.joined(separator: "\n")
        let assets = JSON.string("/assets/\(WebPage.shared.version)")
        return try await PageServer.run { server in
            try await Browser.run { browser in
                try await browser.go(to: server.url)
                return try await browser.asyncScript("const [assets, vectors] = arguments;\n" + text, assets, vectors)
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
