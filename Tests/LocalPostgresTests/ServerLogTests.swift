import Foundation
import Testing

@testable import LocalPostgres

@Suite struct ServerLogTests {
    @Test func whatIsKeptIsBounded() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("log")
        let log = ServerLog(path: path, limit: 100_000)
        let (descriptor, copying) = try log.open()
        let line = Array("\(String(repeating: "x", count: 99))\n".utf8)
        for _ in 0..<10_000 { #expect(write(descriptor, line, line.count) == line.count) }
        let last = Array("2026-01-01 [7] FATAL:  the last word\n".utf8)
        #expect(write(descriptor, last, last.count) == last.count)
        close(descriptor)
        await copying.value
        for name in [path, "\(path).1"] {
            let size = try FileManager.default.attributesOfItem(atPath: name)[.size] as? Int ?? 0
            #expect((1...100_000).contains(size), "\(name)")
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("the last word\n"))
        #expect(log.complaint == "the last word")
    }

    @Test(arguments: [
        ("2026-11-21 [12] FATAL:  wrong ownership\n2026 [12] HINT:  chown it\n", ["wrong ownership"]),
        (
            "ok\ninitdb: error: could not create \"/x\": No space\nPANIC:  gone\n",
            ["could not create \"/x\": No space", "gone"]
        ),
        ("running\nkilled\n", ["killed"]), ("", []),
    ])
    func errorsAreFoundInTheOutput(output: String, errors: [String]) {
        #expect(ServerLog.errors(in: Array(output.utf8)) == errors)
    }
}
