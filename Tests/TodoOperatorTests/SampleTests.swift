import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// What becomes of each sample, as a reviewer sees a change of it: how it differs from `minimal`, which is in
/// `Golden/minimal.yaml`: objects that are new, a merge patch for each that differs, and the names of those that it has
/// not. `UPDATE_GOLDEN=1 make test` writes the files.
@Suite struct SampleTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let samples = folder.deletingLastPathComponent().appending(path: "Support/Samples")

    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: samples.path))?
        .filter { $0.hasSuffix(".yaml") }.sorted() ?? []

    @Test(arguments: names)
    func theObjectsAreAsInTheGoldenFile(name: String) throws {
        let (objects, base) = (try Self.children(of: name), try Self.children(of: "minimal.yaml"))
        let missing = base.keys.filter { objects[$0] == nil }.sorted().map { "# no \($0)\n" }
        let changed = objects.keys.sorted().filter { objects[$0] != base[$0] }.compactMap { key -> JSON? in
            guard let old = base[key], let new = objects[key] else { return objects[key] }
            return [key: MergePatch.diff(from: old, to: new)]
        }
        let text = missing.joined() + (changed.isEmpty ? "" : YAML.write(documents: changed))
        let file = Self.folder.appending(path: "Golden/Samples/\(name)")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    @Test func thereAreManyAndEachHasItsFile() throws {
        #expect(Self.names.count >= 40)
        let golden = try FileManager.default.contentsOfDirectory(
            atPath: Self.folder.appending(path: "Golden/Samples").path)
        #expect(golden.sorted() == Self.names)
    }

    /// By kind and name.
    static func children(of sample: String) throws -> [String: JSON] {
        let documents = try YAML.parse(try String(contentsOf: samples.appending(path: sample), encoding: .utf8))
        let bindings = documents.filter { $0["kind"] == "KafkaTopicBinding" }
        let app = try #require(documents.first { $0["kind"] == "TodoApp" })
        let children = DesiredState.children(
            of: try TodoApp(validating: app),
            inputs: DesiredStateInputs(bindings: try bindings.map { try KafkaTopicBinding(validating: $0) }))
        return Dictionary(
            uniqueKeysWithValues: children.map {
                ("\($0["kind"]?.string ?? "") \($0.at("metadata", "name")?.string ?? "")", $0)
            })
    }
}
