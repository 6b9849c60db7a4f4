import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoResources

/// The checkout that the tests were built from.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite struct SampleTests {
    @Test func everySampleIsValid() throws {
        let folder = repository.appending(path: "manifests/samples")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files where file.lastPathComponent != "kustomization.yaml" {
            for document in try YAML.parse(String(contentsOf: file, encoding: .utf8)) {
                switch document["kind"]?.string {
                case TodoGroup.todoApp.kind: _ = try TodoApp(validating: document)
                case TodoGroup.kafkaTopicBinding.kind: _ = try KafkaTopicBinding(validating: document)
                case TodoGroup.reminderSchedule.kind: _ = try ReminderSchedule(validating: document)
                default: Issue.record("\(file.lastPathComponent): \(document["kind"] ?? .null)")
                }
            }
        }
    }
}
