import Foundation
import StructuredData
import Testing

/// The schemas of the kinds that we write objects of, in the folder that $SCHEMAS names or beside the checkout: they are
/// not part of this repository.
enum Schemas {
    static let folder =
        ProcessInfo.processInfo.environment["SCHEMAS"].map { URL(fileURLWithPath: $0) }
        ?? Command.repository.deletingLastPathComponent().appending(path: "shared/schemas")
    static let isThere = FileManager.default.isExecutableFile(atPath: folder.appending(path: "validate").path)

    /// What is wrong with the objects, strictly; empty when they are valid, or when there are no schemas.
    static func faults(in objects: [JSON]) async throws -> String {
        guard isThere else {
            print("the objects are not held against schemas: SCHEMAS does not name their folder")
            return ""
        }
        let definitions = Command.repository.appending(path: "crds/todo-operator.dev.yaml").path
        let result = try await Command.run(
            OtherClientsTests.python,
            [folder.appending(path: "validate").path, "--quiet", "--crd", definitions, "-"],
            input: YAML.write(documents: objects))
        return result.status == 0 ? "" : result.out + result.err
    }
}
