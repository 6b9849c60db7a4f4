import ChildProcess
import Compression
import Foundation
import Testing

/// Read back by the system's gzip.
@Suite struct GzipTests {
    @Test(arguments: [0, 1, 1000, 300_000])
    func whatIsCompressedIsReadBackByGzip(length: Int) async throws {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) }
        #expect(try await unpacked(try #require(Gzip.compress(bytes))) == bytes)
    }

    @Test func textBecomesMuchSmaller() throws {
        let text = Array(String(repeating: "the same line again\n", count: 1000).utf8)
        #expect(try #require(Gzip.compress(text, level: 9)).count < text.count / 50)
    }

    private func unpacked(_ bytes: [UInt8]) async throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appending(path: "gzip-\(UInt64.random(in: 0 ... .max))")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        var gzip = ChildProcess.Specification(
            path: "/usr/bin/env", arguments: ["sh", "-c", "exec gzip -dc <\"$0\"", file.path])
        gzip.environment = ["PATH": "/usr/bin:/bin"]
        guard case .ended(let exit, let output) = try await ChildProcess.capture(gzip, deadline: .seconds(20)) else {
            Issue.record("gzip did not end")
            return []
        }
        #expect(exit == .exited(0))
        return output
    }
}
