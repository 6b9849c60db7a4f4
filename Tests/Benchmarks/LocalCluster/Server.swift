import APIServer
import Foundation
import Logging
import ServiceLifecycle

/// The measured server: in memory, on a free port. Prints the port and its authority, then serves until it is killed.
enum Server {
    static let token = "bench"

    static func run() async throws {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        var configuration = APIServer.Configuration()
        configuration.adminToken = token
        let server = try await APIServer(configuration: configuration, logger: logger)
        let authority = try CertificateAuthority()
        var listen = APIServerListener.Configuration()
        listen.port = 0
        let listener = APIServerListener(
            server: server, authority: authority, configuration: listen, logger: logger
        ) { port in
            let line = "\(port) \(Data(authority.certificatePEM.utf8).base64EncodedString())\n"
            FileHandle.standardOutput.write(Data(line.utf8))
        }
        try await ServiceGroup(services: [listener], logger: logger).run()
    }
}

/// The server in a process of its own.
final class ServerProcess {
    private let process = Process()
    let url: String
    let authorityPEM: [UInt8]

    init(program: String) throws {
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["serve"]
        process.standardOutput = pipe
        try process.run()
        var text = ""
        while !text.hasSuffix("\n") {
            let data = pipe.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failure(text: "\(program): the server did not start") }
            text += String(decoding: data, as: UTF8.self)
        }
        let parts = text.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, let pem = Data(base64Encoded: String(parts[1])) else {
            throw Failure(text: "the server said: \(text)")
        }
        url = "https://127.0.0.1:\(parts[0])"
        authorityPEM = Array(pem)
    }

    deinit { process.terminate() }

    /// Resident memory in bytes.
    var memory: Int {
        let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1_024
    }

    /// Seconds of processor time used so far.
    var processorTime: Double {
        let stat = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / 100
    }
}

struct Failure: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}
