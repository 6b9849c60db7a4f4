import Foundation
import Testing

@Suite(.loadsProcessors) struct OtherClientsTests {
    static let python = Command.repository.appending(path: ".build/python/bin/python").path

    @Test func thePythonClientWorksUnchanged() async throws {
        #expect(FileManager.default.isExecutableFile(atPath: Self.python), "make test sets up the Python client")
        let cluster = try await TestCluster.shared()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "Scripts/python_client.py").path
        let result = try await Command.run(Self.python, [script, cluster.kubeconfig], seconds: 180)
        #expect(result.status == 0 && result.out.contains("everything worked"), "\(result)")
    }
}

/// The answers of a real kube-apiserver, recorded. The recording is not part of this repository; where it lies beside the
/// checkout it is compared.
@Suite(.loadsProcessors) struct ConformanceTests {
    static let folder = Command.repository.deletingLastPathComponent().appending(path: "shared/conformance")

    @Test(.enabled(if: FileManager.default.fileExists(atPath: folder.path), "no recording beside the checkout"))
    func everyRecordedCaseIsAnsweredAlike() async throws {
        let cluster = try await TestCluster.start()
        let script = Self.folder.appending(path: "kube_cases.py").path
        let golden = Self.folder.appending(path: "kube-golden.json").path
        let result = try await Command.run(
            OtherClientsTests.python,
            [script, "compare", cluster.kubeconfig, golden, "--need", "1.0", "--show", "116"],
            environment: ["HOME": TestRun.folder.path], seconds: 300)
        #expect(result.status == 0, "\(result)")
        try await cluster.stop()
    }
}
