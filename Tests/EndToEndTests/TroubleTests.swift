import ChildProcess
import Foundation
import StructuredData
import Testing

/// Trouble of the machine: ports that are taken, folders and disks that take nothing. It is said in one line, and it ends
/// when the trouble does.
@Suite(.loadsProcessors, .inTime) struct TroubleTests {
    /// Again and again: what ends with connections open must end in order each time.
    @Test func anOperatorWhoseMetricsPortIsTakenSaysSo() async throws {
        let kubeconfig = try await TestCluster.shared().kubeconfig
        let socket = try ListeningSocket()
        for _ in 0..<12 {
            let result = try await Command.run(
                Command.todo,
                [
                    "operator", "--kubeconfig", kubeconfig, "--metrics-port", "\(socket.port)", "--log-level", "error",
                ])
            #expect(result.status == 1)
            #expect(
                result.err
                    == "todo: port \(socket.port) cannot be used: Address already in use; choose another with "
                    + "--metrics-port, 0 for none\n")
        }
    }

    @Test func aPortThatIsTakenWhileTodoUpStartsEndsIt() async throws {
        let folder = try TodoUpRefusalsTests.folder()
        let port = try ListeningSocket().port
        let up = try await BackgroundProcess.start(
            Command.todo, ["up", "--data-dir", folder.url.path, "--port", "\(port)"])
        _ = try await up.line(matching: /(starting PostgreSQL)/)
        let thief = try ListeningSocket(port: port)
        #expect(try await up.exit(within: .seconds(90)) == .exited(1))
        #expect(up.output.contains("port \(thief.port) of 127.0.0.1 cannot be used: "), "\(up.output)")
    }

    @Test func twoThingsCannotHaveOnePort() async throws {
        let result = try await Command.run(Command.todo, ["up", "--port", "17001", "--api-port", "17001"])
        #expect(result.status == 2)
        #expect(result.err == "todo: --port and --api-port must differ; see todo --help\n")
    }

    @Test func temporaryFilesGoWhereTheUserWantsThem() async throws {
        let folder = try TemporaryFolder()
        let kubeconfig = folder.url.appending(path: "kubeconfig").path
        func cluster(_ temporary: String) async throws -> BackgroundProcess {
            try await BackgroundProcess.start(
                Command.todo, ["cluster", "--port", "0", "--kubeconfig", kubeconfig], environment: ["TMPDIR": temporary]
            )
        }
        let up = try await cluster(folder.url.path)
        _ = try await up.line(matching: /(https:\/\/\S+) is up/)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.contains { $0.hasPrefix("todo-cluster-") })
        try await up.stop(SIGTERM)
        let refused = try await cluster("/proc/nowhere")
        #expect(try await refused.exit() == .exited(1))
        #expect(
            refused.output
                == "todo: cannot make a folder in /proc/nowhere: No such file or directory; set TMPDIR to one that can be "
                + "written, or choose a data folder\n")
    }

    /// A limit on the size of files stands for a full disk: writes come up short and then fail.
    @Test(.needsKubectl) func aDiskThatTakesNoMoreStopsWritesUntilItDoes() async throws {
        let folder = try TemporaryFolder()
        let arguments = [
            "cluster", "--port", "0", "--kubeconfig", folder.url.appending(path: "kubeconfig").path, "--data-dir",
            folder.url.appending(path: "data").path,
        ]
        // Ignored, the signal of the limit becomes the error EFBIG; `exec` keeps that and the process' number.
        let limited = try await BackgroundProcess.start(
            "/bin/bash",
            ["-c", "trap '' XFSZ; ulimit -S -f 600; echo number $$ one; exec \"$0\" \"$@\"", Command.todo] + arguments)
        let number = try await limited.line(matching: /number (\d+) one/)
        _ = try await limited.line(matching: /(https:\/\/\S+) is up/)
        func kubectl(_ verb: String, _ name: String) async throws -> CommandResult {
            let object: JSON = [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)],
                "data": ["text": .string(String(repeating: "x", count: 100_000))],
            ]
            return try await Command.run(
                Kubectl.installed[0], [verb, "-f", "-"], input: String(decoding: object.encoded(), as: UTF8.self),
                environment: ["KUBECONFIG": arguments[4], "HOME": folder.url.path])
        }
        var kept: [String] = []
        var refusal: CommandResult?
        for index in 0..<20 {
            let result = try await kubectl("create", "c\(index)")
            guard result.status == 0 else {
                refusal = result
                break
            }
            kept.append("c\(index)")
        }
        #expect(refusal?.err.contains("cannot store: cannot write ") == true, "\(String(describing: refusal))")
        #expect(refusal?.err.contains("File too large") == true)
        #expect(!kept.isEmpty)
        #expect(try await kubectl("get", kept[0]).status == 0)

        let raised = try await Command.run("prlimit", ["--pid", number, "--fsize=unlimited"])
        #expect(raised.status == 0, "\(raised)")
        _ = try await eventually("writes are taken again: \(limited.output)") {
            try await kubectl("create", "after").status == 0 ? true : nil
        }
        try await limited.stop(SIGKILL)
        let again = try await BackgroundProcess.start(Command.todo, arguments)
        _ = try await again.line(matching: /(https:\/\/\S+) is up/)
        for name in kept + ["after"] {
            let found = try await kubectl("get", name)
            #expect(found.status == 0, "\(found)")
        }
    }
}

/// Somebody else who listens on a port of every address.
final class ListeningSocket {
    private let descriptor: Int32
    let port: Int

    /// - Parameter port: 0 takes a free one.
    init(port: Int = 0) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let done = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard done else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
