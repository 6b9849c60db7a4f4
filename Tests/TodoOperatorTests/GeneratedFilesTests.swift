import Foundation
import Testing

@testable import TodoOperator

@Suite struct GeneratedFilesTests {
    /// The checkout that the tests were built from.
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test(arguments: GeneratedFiles.all)
    func theFileInTheRepositoryIsWhatTheCodeMakes(path: String, text: String) throws {
        let written = try String(contentsOf: Self.repository.appending(path: path), encoding: .utf8)
        #expect(written == text, "run `make manifests`")
    }
}
