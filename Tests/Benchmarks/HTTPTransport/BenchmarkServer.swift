import ChildProcess
import Foundation
import Glibc

/// nginx with one worker on the loopback that answers every request with the same JSON.
struct BenchmarkServer {
    static let bodyBytes = 148

    let url: String
    private let process: ChildProcess
    private let directory: String

    init() async throws {
        let directory = NSTemporaryDirectory() + "http-bench-\(getpid())"
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let port = Int.random(in: 20_000..<30_000)
        url = "http://127.0.0.1:\(port)/"
        let body = #"{"items":["\#(String(repeating: "x", count: Self.bodyBytes - 14))"]}"#
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        let configuration = """
            daemon off; master_process off; pid nginx.pid; error_log error.log;
            events { worker_connections 1024; }
            http {
                access_log off; keepalive_requests 100000000; default_type application/json;
                \(folders.map { "\($0)_temp_path \(directory)/\($0);" }.joined(separator: " "))
                server { listen 127.0.0.1:\(port); location / { return 200 '\(body)'; } }
            }
            """
        let file = "\(directory)/nginx.conf"
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
        var command = ChildProcess.Specification(
            path: try ChildProcess.find("nginx", in: "/usr/sbin:/usr/bin:/usr/local/bin"),
            arguments: ["-p", directory, "-c", file, "-e", "\(directory)/start.log"])
        command.signalWhenParentEnds = SIGKILL
        process = try await ChildProcess.start(command)
        while !isListening(port) {
            guard process.isRunning else { throw ServerDidNotStart() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func stop() async {
        await process.stop(SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func isListening(_ port: Int) -> Bool {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

struct ServerDidNotStart: Error, CustomStringConvertible {
    var description: String { "nginx did not start: install nginx-light, and see that a port above 20000 is free" }
}
