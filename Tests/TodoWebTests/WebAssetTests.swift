import Foundation
import Testing

@testable import TodoWeb

/// What is embedded is whole: nothing is asked for that is not there.
@Suite struct WebAssetTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private let folder = repository.appending(path: "Sources/Services/TodoWeb/Assets")
    private let sources = Dictionary(
        uniqueKeysWithValues: WebAsset.all.map { ($0.path, String(decoding: $0.bytes, as: UTF8.self)) })
    private var modules: [String: String] { sources.filter { $0.key.hasSuffix(".js") } }

    @Test func everyFileOfTheFolderIsEmbedded() throws {
        let files = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
            .filter { !folder.appending(path: $0).hasDirectoryPath && $0.contains(".") }
        #expect(WebAsset.all.map(\.path) == files.sorted(), "list the files in Embedded/TodoWebAssets.c")
        for asset in WebAsset.all {
            #expect(FileManager.default.contents(atPath: folder.appending(path: asset.path).path) == Data(asset.bytes))
        }
    }

    @Test func everyImportIsOfAModuleAndOfWhatItExports() throws {
        var count = 0
        for (path, source) in modules {
            for match in source.matches(of: /import\s+(?:\{([^}]*)\}\s+from\s+)?"([^"]+)";/) {
                let target = try #require(URL(string: String(match.2), relativeTo: URL(string: "http://page/\(path)")))
                    .absoluteURL.path.dropFirst()
                let module = try #require(modules[String(target)], "\(path) imports \(match.2)")
                for name in (match.1 ?? "").split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) })
                where !name.isEmpty {
                    let exports = try Regex("export (?:async )?(?:const|function|class) \(name)\\b").wordBoundaryKind(
                        .simple)
                    #expect(module.contains(exports), "\(target) exports no \(name), which \(path) imports")
                    let uses = source.matches(of: try Regex("\\b\(name)\\b").wordBoundaryKind(.simple)).count
                    #expect(uses > 1, "\(path) imports \(name) and does not use it")
                }
                count += 1
            }
        }
        #expect(count > 50)
    }

    @Test func thePageNamesWhatIsThereAndHintsEveryModule() {
        let page = WebPage.shared
        let index = String(decoding: page.index.bytes, as: UTF8.self)
        let named = index.matches(of: /(?:href|src)="\/assets\/([0-9a-f]+)\/([^"]+)"/)
        for match in named {
            #expect(match.1 == page.version)
            #expect(page.assets[String(match.2)] != nil, "\(match.2)")
        }
        #expect(
            modules.keys.allSatisfy { index.contains(#"rel="modulepreload" href="/assets/\#(page.version)/\#($0)""#) })
        #expect(!index.contains("{{"))
        #expect(!index.contains("<style") && !index.contains("style=") && !index.contains("<script>"))
    }

    /// The policy would stop them in a browser; here they do not even get that far.
    @Test(arguments: [
        "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser",
    ])
    func noModuleMakesHTMLOrCodeOfText(word: String) {
        for (path, source) in modules { #expect(!source.contains(word), "\(path)") }
    }

    @Test func everyTextIsThereAndUsed() throws {
        let catalogue = try #require(modules["texts.js"])
        let keys = Set(catalogue.matches(of: #/(?m)^  "([^"]+)": /#).map { String($0.1) })
        let users = modules.filter { $0.key != "texts.js" }.values.joined(separator: "\n")
        for match in users.matches(of: /\bt\("([^"]+)"/) {
            #expect(keys.contains(String(match.1)), "no text \(match.1)")
        }
        let literals = Set(users.matches(of: /"([a-z]+(?:\.[A-Za-z]+)+)"/).map { String($0.1) })
        let prefixes = users.matches(of: /`((?:[a-z]+\.)+)\$\{/).map { String($0.1) }
        for key in keys.subtracting(literals) {
            #expect(prefixes.contains { key.hasPrefix($0) }, "nothing says \(key)")
        }
        #expect(keys.count > 200)
    }

    @Test func everyClassOfTheStylesIsSomewhereInThePage() {
        let styles = sources.filter { $0.key.hasSuffix(".css") }
        let scripts = modules.values.joined(separator: "\n")
        for (path, style) in styles {
            let rules = style.replacing(/\/\*.*?\*\//.dotMatchesNewlines(), with: "").replacing(
                /\{[^{}]*\}/, with: "{}")
            for name in Set(rules.matches(of: /\.([a-z][a-z-]+)/).map { String($0.1) }) {
                // A priority's class is put together from its name.
                let isMade = name.hasPrefix("priority-") && scripts.contains("priority-${")
                #expect(isMade || scripts.contains(name), "\(path): .\(name)")
            }
        }
    }
}
