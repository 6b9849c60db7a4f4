import ChildProcess
import Foundation
import Glibc
import HTTPTransport
import Logging
import RealtimeService
import ServiceLifecycle
import Telemetry
import UnixSignals

/// A server in a process of its own.
struct BenchmarkServer {
    let name: String
    let port: Int
    /// Where events are delivered.
    let eventPath: String
    let process: ChildProcess

    /// This program, as the realtime service.
    static func ours(api: Int) async throws -> BenchmarkServer {
        let port = Int.random(in: 20_000..<25_000)
        var command = ChildProcess.Specification(
            path: "/proc/self/exe", arguments: ["serve"],
            environment: [
                "PORT": "\(port)", "TODO_API_URL": "http://127.0.0.1:\(api)", "TODO_BIND_ADDRESS": "127.0.0.1",
                "MAX_CONNECTIONS_PER_USER": "100000", "DRAIN_SECONDS": "0",
            ])
        command.path = CommandLine.arguments[0]
        command.signalWhenParentEnds = SIGKILL
        return BenchmarkServer(
            name: "RealtimeService", port: port, eventPath: "/events/task-events",
            process: try await started(command, port))
    }

    /// This program lies in `.build/<machine>/<mode>`.
    private static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "../../..").standardizedFileURL.path

    /// Node's `ws`, if it is installed: Debian's nodejs and node-ws, or a NODE_PATH that has it. Nil when it is not.
    static func peer() async throws -> BenchmarkServer? {
        let port = Int.random(in: 25_000..<30_000)
        guard let node = try? ChildProcess.find("node", in: "/usr/local/bin:/usr/bin") else { return nil }
        var command = ChildProcess.Specification(
            path: node, arguments: [Self.folder + "/Peers/ws/server.js"],
            environment: [
                "PORT": "\(port)",
                "NODE_PATH": ProcessInfo.processInfo.environment["NODE_PATH"] ?? "/usr/share/nodejs",
            ])
        command.signalWhenParentEnds = SIGKILL
        command.standardError = .null
        guard let process = try? await started(command, port) else { return nil }
        return BenchmarkServer(name: "node ws", port: port, eventPath: "/", process: process)
    }

    private static func started(_ command: ChildProcess.Specification, _ port: Int) async throws -> ChildProcess {
        let process = try await ChildProcess.start(command)
        let end = now() + 20
        while !isListening(port) {
            guard process.isRunning, now() < end else { throw Swarm.Failure("the server does not start") }
            try await Task.sleep(for: .milliseconds(20))
        }
        return process
    }

    private static func isListening(_ port: Int) -> Bool { (try? Swarm(count: 1, port: port).reach()) != nil }

    var residentKilobytes: Double {
        let pages = (try? String(contentsOfFile: "/proc/\(process.pid)/statm", encoding: .ascii))?
            .split(separator: " ").dropFirst().first.flatMap { Double($0) }
        return (pages ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) / 1000
    }

    /// Of all threads, in user and kernel mode.
    var processorMilliseconds: Double {
        // The second field, the name, is in brackets; 11 further on are two sums in ticks.
        let fields = (try? String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8))?
            .split(separator: ")").last?.split(separator: " ")
        let ticks = fields?[11...12].reduce(0) { $0 + (Double($1) ?? 0) } ?? 0
        return ticks * 1000 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    func stop() async { await process.stop(SIGKILL) }
}

/// What the child runs.
func serve() async throws {
    let registry = PrometheusRegistry()
    let logger = Logger(label: "realtime") { LineLogHandler(label: $0, level: .warning, format: .text) }
    let configuration = try RealtimeConfiguration(environment: ProcessInfo.processInfo.environment)
    let transport = CurlTransport(configuration: .init(proxy: .none, maxConnectionsPerHost: 64))
    let service = RealtimeService(
        configuration: configuration, transport: transport, registry: registry, logger: logger)
    try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm], logger: logger).run()
}
