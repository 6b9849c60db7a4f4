import Concurrency
import Foundation
import HTTPTransport
import HTTPTypes
import Hummingbird
import Logging
import StructuredData
import TodoModel

/// Passes requests on as they are, and keeps when each came: so the time of a hop is that of the call itself.
final class Tap: Sendable {
    private let transport = CurlTransport(configuration: .init(proxy: .none, offersHTTP2: false))
    private let calls = Lock<[(at: Double, body: [UInt8])]>([])

    /// Serves on a free port, which it returns.
    func serve(before target: Int) async throws -> Int {
        let router = Router()
        for method in [HTTPRequest.Method.get, .post, .put, .delete] {
            router.on("**", method: method) { [self] request, _ in try await pass(request, to: target) }
        }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "tap") { _ in SwiftLogNoOpLogHandler() })
        Task { try await application.runService(gracefulShutdownSignals: []) }
        for await port in ports { return port }
        throw CancellationError()
    }

    private func pass(_ request: Request, to port: Int) async throws -> Response {
        let body = Array(try await request.body.collect(upTo: 64 << 20).readableBytesView)
        if !body.isEmpty { calls.withLock { $0.append((wallClock(), body)) } }
        let answer = try await transport.send(
            ClientRequest(
                method: request.method, url: "http://127.0.0.1:\(port)\(request.uri.string)",
                headers: request.headers.filter { $0.name != .contentLength && $0.name != .connection },
                body: body.isEmpty ? .none : .bytes(body)))
        let bytes = try await answer.body.collect(upTo: 64 << 20)
        return Response(
            status: answer.status, headers: answer.headers.filter { $0.name == .contentType },
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// When the event of each task, by its title, was first in a call; and the time that the event itself bears.
    func arrivals() -> [String: (call: Double, event: Double)] {
        var arrivals: [String: (call: Double, event: Double)] = [:]
        for (at, body) in calls.withLock({ $0 }) {
            guard let json = try? JSON(parsing: body) else { continue }
            for entry in json.array ?? json["entries"]?.array ?? [] {
                guard let title = entry.at("event", "data", "task", "title")?.string, arrivals[title] == nil,
                    let time = entry.at("event", "time")?.string.flatMap({ Instant($0) })
                else { continue }
                arrivals[title] = (at, Double(time.microsecondsSince1970) / 1e6)
            }
        }
        return arrivals
    }
}

/// Seconds since 1970, as PostgreSQL on the same machine has them.
func wallClock() -> Double { Date().timeIntervalSince1970 }
