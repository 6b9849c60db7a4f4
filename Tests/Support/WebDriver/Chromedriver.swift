import ChildProcess
import Concurrency
import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData

/// Chromium's own WebDriver server (`chromedriver`, of Debian's chromium-driver), one for the test process.
public final class Chromedriver: Sendable {
    /// Why browsers cannot be driven here; nil when they can.
    public static let missing: String? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let missing = ["chromium", "chromedriver"].filter { (try? ChildProcess.find($0, in: path)) == nil }
        return missing.isEmpty
            ? nil : "\(missing.joined(separator: " and ")) not found; run: apt-get install chromium chromium-driver"
    }()

    private static let running = Lock<Task<Chromedriver, any Error>?>(nil)

    /// It is started when first asked for.
    public static func shared() async throws -> Chromedriver {
        let starting = running.withLock { task in
            if let task { return task }
            let started = Task { try await Chromedriver() }
            task = started
            return started
        }
        return try await starting.value
    }

    let url: String
    /// Chromium without a window of its own (Debian's chromium-headless-shell), where it is installed in the version that
    /// is driven: it takes two thirds of the time.
    let shell: String?
    let transport = CurlTransport(configuration: .init(proxy: .none))
    private let process: ChildProcess

    private init() async throws {
        let environment = ProcessInfo.processInfo.environment
        let path = try ChildProcess.find("chromedriver", in: environment["PATH"] ?? "/usr/bin:/bin")
        shell = await Self.shell(for: path, environment)
        var specification = ChildProcess.Specification(path: path, arguments: ["--port=0"], environment: environment)
        specification.standardError = .null
        specification.signalWhenParentEnds = SIGTERM
        var started = try await Self.start(specification)
        // It wants the port that ::1 gives it of 127.0.0.1, too, and ends when a server or a connection has that.
        for _ in 0..<20 where started.port == nil && !started.process.isRunning {
            started = try await Self.start(specification)
        }
        guard let port = started.port else {
            started.process.kill()
            throw WebDriverError(error: "no start", message: "chromedriver did not start: \(started.output)")
        }
        process = started.process
        url = "http://127.0.0.1:\(port)"
    }

    /// Starts it, and waits up to a minute for its port.
    private static func start(
        _ specification: ChildProcess.Specification
    ) async throws -> (process: ChildProcess, port: Substring?, output: String) {
        let log = NSTemporaryDirectory() + "chromedriver-\(getpid()).log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        var specification = specification
        specification.standardOutput = .file(log)
        let process = try await ChildProcess.start(specification)
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            // Asked before its last words are read.
            let isOver = !process.isRunning || ContinuousClock.now > deadline
            let output = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
            let port = output.firstMatch(of: /started successfully on port (\d+)/)?.1
            if port != nil || isOver { return (process, port, output) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func shell(for driver: String, _ environment: [String: String]) async -> String? {
        func version(_ path: String) async -> Substring? {
            let asked = try? await ChildProcess.capture(
                .init(path: path, arguments: ["--version", "--no-sandbox"], environment: environment),
                deadline: .seconds(30))
            guard case .ended(_, let output) = asked else { return nil }
            return String(decoding: output, as: UTF8.self).firstMatch(of: /\d+(\.\d+){3}/)?.0
        }
        // Not that on PATH: it is a script, and what it runs goes on when chromedriver ends the script.
        guard let shell = try? ChildProcess.find("chromium-headless-shell", in: "/usr/lib/chromium"),
            let its = await version(shell), await version(driver) == its
        else { return nil }
        return shell
    }

    /// Sends a command (W3C WebDriver) and gives the `value` of its answer.
    func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        var request = ClientRequest(
            method: method, url: url + path, totalTimeout: .seconds(120), isIdempotent: false)
        if let body {
            request.headers = [.contentType: "application/json"]
            request.body = .bytes(body.encoded())
        }
        let response = try await transport.send(request)
        let answer = try JSON(parsing: try await response.body.collect(upTo: 64 << 20))
        let value = answer["value"] ?? .null
        guard response.status == .ok else {
            throw WebDriverError(error: value["error"]?.string ?? "", message: value["message"]?.string ?? "")
        }
        return value
    }
}

/// What the browser refused: `error` is a code of W3C WebDriver, section 6.6.
public struct WebDriverError: Error, CustomStringConvertible {
    public let error: String
    public let message: String
    public var description: String { "\(error): \(message)" }

    /// The page was drawn anew between finding an element and using it.
    var isStale: Bool {
        ["stale element reference", "element not interactable", "element click intercepted"].contains(error)
    }
}
