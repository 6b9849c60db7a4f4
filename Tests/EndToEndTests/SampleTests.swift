import Foundation
import StructuredData
import Testing

/// What the operator makes of the samples is what Strimzi, Dapr and Kubernetes take. Their schemas are not part of this
/// repository: `SCHEMAS` names the folder, else it lies beside the checkout.
@Suite(.loadsProcessors, .inTime) struct SampleTests {
    static let schemas =
        ProcessInfo.processInfo.environment["SCHEMAS"].map { URL(fileURLWithPath: $0) }
        ?? Command.repository.deletingLastPathComponent().appending(path: "shared/schemas")
    static let hasSchemas = FileManager.default.fileExists(atPath: schemas.appending(path: "validate").path)

    static let samples =
        (try? FileManager.default.contentsOfDirectory(
            at: Command.repository.appending(path: "Tests/Support/Samples"), includingPropertiesForKeys: nil))?
        .filter { $0.pathExtension == "yaml" }.map(\.path).sorted() ?? []

    /// A file for each sample, of its name, with the objects that are made of it.
    private func files() async throws -> [URL] { try await Self.rendering.value.files }

    private static let rendering = Task { try await render() }

    private static func render() async throws -> (folder: TemporaryFolder, files: [URL]) {
        try #require(Self.samples.count >= 40)
        let folder = try TemporaryFolder()
        var files: [URL] = []
        for sample in Self.samples {
            let result = try await Command.run(Command.todo, ["render", "-f", sample])
            try #require(result.status == 0, "\(result)")
            let file = folder.url.appending(path: URL(fileURLWithPath: sample).lastPathComponent)
            try result.out.write(to: file, atomically: true, encoding: .utf8)
            files.append(file)
        }
        return (folder, files)
    }

    @Test(.enabled(if: hasSchemas, "no schemas: set SCHEMAS to the folder that has them"))
    func everyObjectFitsTheSchemaOfItsKind() async throws {
        let result = try await Command.run(
            OtherClientsTests.python,
            [Self.schemas.appending(path: "validate").path, "--quiet"] + (try await files()).map(\.path), seconds: 120)
        #expect(result.status == 0, "\(result.out)\(result.err)")
        let own = try await Command.run(
            OtherClientsTests.python,
            [
                Self.schemas.appending(path: "validate").path, "--quiet", "--crd",
                Command.repository.appending(path: "crds").path,
            ] + Self.samples)
        #expect(own.status == 0, "\(own.out)\(own.err)")
    }

    /// The kinds as their projects publish them, where their schemas and kubectl are there.
    static func installKinds(in cluster: TestCluster) async throws {
        guard hasSchemas, let path = Kubectl.installed.last else {
            print(
                "the kinds of Strimzi, Dapr and others are the cluster's own: no kubectl, or no schemas (set SCHEMAS)")
            return
        }
        let kubectl = try Kubectl(path: path, kubeconfig: cluster.kubeconfig, namespace: "default")
        let projects = [
            "strimzi-1.2.0", "dapr-1.18.3", "keda-2.20.2", "gateway-api-1.6.1", "prometheus-operator-0.93.0",
        ]
        for project in projects {
            let result = try await kubectl.run([
                "apply", "--server-side", "--force-conflicts", "-f", schemas.appending(path: project).path,
            ])
            #expect(result.status == 0, "\(result)")
        }
    }

    /// The kinds as their projects publish them, in the embedded API server.
    @Test(
        .enabled(if: hasSchemas && !Kubectl.installed.isEmpty, "no kubectl, or no schemas: set SCHEMAS to their folder")
    )
    func everyObjectIsTakenByAServerThatHasTheKinds() async throws {
        let cluster = try await TestCluster.start(forAppsIn: "team")
        let kubectl = try Kubectl(
            path: try #require(Kubectl.installed.last), kubeconfig: cluster.kubeconfig, namespace: "team")
        try await Self.installKinds(in: cluster)
        // Most objects are the same in most samples.
        var distinct: Set<String> = []
        for file in try await files() {
            for object in try YAML.parse(try String(contentsOf: file, encoding: .utf8)) { distinct.insert(object.text) }
        }
        let objects = distinct.sorted().joined(separator: "\n---\n")
        let result = try await kubectl.run(
            ["apply", "--server-side", "--dry-run=server", "-f", "-"], input: objects, seconds: 120)
        #expect(result.status == 0, "\(result.err)")
        let own = try await kubectl.run(
            ["apply", "--dry-run=server", "-f", Command.repository.appending(path: "Tests/Support/Samples").path])
        #expect(own.status == 0, "\(own.err)")
        try await cluster.stop()
    }
}
