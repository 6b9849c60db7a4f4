import Foundation
import Testing
import TodoResources

@Suite struct DocumentationTests {
    private static let catalogue = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/Operator/TodoOperator/TodoOperator.docc")

    private static func article(_ name: String) throws -> String {
        try String(contentsOf: catalogue.appending(path: "\(name).md"), encoding: .utf8)
    }

    @Test func everyReasonIsExplainedOnceAndNoOther() throws {
        let explained = try Self.article("Troubleshooting").matches(of: /(?m)^\| `(\w+)` \| \S/).map {
            String($0.output.1)
        }
        #expect(explained.sorted() == ConditionReason.allCases.map(\.rawValue).sorted())
    }

    @Test func everyArticleIsFoundFromTheFirstPage() throws {
        let listed = try Self.article("TodoOperator").matches(of: /<doc:(\w+)>/).map { String($0.output.1) }
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.catalogue.path)
            .filter { $0.hasSuffix(".md") && $0 != "TodoOperator.md" }
        #expect(listed.sorted() == files.map { String($0.dropLast(3)) }.sorted())
    }
}
