import Compression
import Concurrency
import Foundation
import ServiceHTTP
import StructuredData
import Testing

/// Clients that mean no good, at each service: they get 4xx or a closed connection, and the service goes on.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HostileClientTests {
    typealias Kind = Installation.Kind

    /// A request with a body that a service takes, up to the body.
    private static func post(_ kind: Kind, _ headers: String...) -> String {
        let path =
            switch kind {
            case .api: "/v1/tasks"
            case .audit: "/events/task-events"
            case .notification: "/v1/channels"
            }
        let lines =
            [
                "POST \(path) HTTP/1.1", "Host: x", "Authorization: Bearer \(RunningService.token)",
                "dapr-api-token: \(Installation.sidecarToken)", "Content-Type: application/json",
            ] + headers
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    private static func isRefused(_ answer: String) -> Bool { answer.isEmpty || answer.hasPrefix("HTTP/1.1 4") }

    /// Asks a few times: on a slow machine the database takes longer to answer than it may.
    private static func isReady(_ kind: Kind, _ installation: Installation) async throws -> Bool {
        let port = installation.port(of: kind)
        let text = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for _ in 0..<30 {
            if try await runBlocking({ try RawClient.ask(text, port: port) }).hasPrefix("HTTP/1.1 200") { return true }
            try await Task.sleep(for: .milliseconds(200))
        }
        return false
    }

    private static func residentBytes() -> Int {
        let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    @Test(arguments: Kind.allCases) func `what is no HTTP is closed, or refused`(_ kind: Kind) async throws {
        let texts = [
            "GET /v1/tasks HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET\r\n\r\n",
            "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "GET /v1/tasks?q=\u{ff} HTTP/1.1\r\nHost: x\r\n\r\n", "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /%00/../.. HTTP/1.1\r\nHost: x\r\n\r\n", "GET /%ff%fe?%c0%80=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ]
        var limits = ConnectionLimits()
        // Whose request a busy server does not get to within this time is cut off, too.
        limits.idle = .seconds(3)
        try await Installation.with(limits: limits) { installation in
            let port = installation.port(of: kind)
            try await withThrowingTaskGroup { group in
                for text in texts {
                    group.addTask {
                        let answer = try await runBlocking { try RawClient.ask(text, port: port) }
                        #expect(Self.isRefused(answer), "\(text.debugDescription): \(answer.prefix(200))")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await Self.isReady(kind, installation))
        }
    }

    @Test(arguments: Kind.allCases) func `invalid UTF-8 is refused wherever it stands`(_ kind: Kind) async throws {
        try await Installation.with { installation in
            let port = installation.port(of: kind)
            let body: [UInt8] = Array("{\"title\": \"".utf8) + [0xff, 0xc0, 0x80] + Array("\"}".utf8)
            let requests: [[UInt8]] = [
                Array(Self.post(kind, "Connection: close", "Content-Length: \(body.count)").utf8) + body,
                Array("GET /v1/\u{ff} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8),
                Array("GET /v1/".utf8) + [0xff, 0xc0] + Array(" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8),
                Array("GET /v1/audit HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ".utf8)
                    + [0xff, 0xc0] + Array("\r\n\r\n".utf8),
            ]
            for request in requests {
                let answer = try await runBlocking {
                    let client = try RawClient(port: port)
                    client.send(request)
                    return String(decoding: try client.rest(), as: UTF8.self)
                }
                // What the sidecar brings and cannot be read is dropped, for it would not get better.
                #expect(Self.isRefused(answer) || answer.hasSuffix(#"{"status":"DROP"}"#), "\(answer.prefix(300))")
            }
            #expect(try await Self.isReady(kind, installation))
        }
    }

    @Test(arguments: Kind.allCases) func `a flood of headers is refused`(_ kind: Kind) async throws {
        try await Installation.with { installation in
            let port = installation.port(of: kind)
            let flood = (0..<20_000).map { "X-\($0): \($0)\r\n" }.joined()
            let one = "X-Long: " + String(repeating: "a", count: 1 << 20) + "\r\n"
            for headers in [flood, one] {
                let answer = try await runBlocking {
                    try RawClient.ask("GET /v1/tasks HTTP/1.1\r\nHost: x\r\n\(headers)\r\n", port: port)
                }
                #expect(Self.isRefused(answer), "\(answer.prefix(200))")
            }
            #expect(try await Self.isReady(kind, installation))
        }
    }

    @Test(arguments: Kind.allCases) func `a hundred megabytes are not kept`(_ kind: Kind) async throws {
        try await Installation.with { installation in
            let port = installation.port(of: kind)
            // Those who keep nothing of it take no more than this; the sidecar's batches may have 64 MiB.
            let most = (kind == .audit ? 90 : 32) << 4
            for framing in ["Content-Length: \(100 << 20)", "Transfer-Encoding: chunked"] {
                let head = Self.post(kind, framing)
                let (taken, answer) = try await runBlocking {
                    let client = try RawClient(port: port)
                    client.send(head.utf8)
                    let piece = [UInt8](repeating: UInt8(ascii: " "), count: 64 << 10)
                    let chunk = framing.hasPrefix("T") ? Array("10000\r\n".utf8) + piece + Array("\r\n".utf8) : piece
                    var taken = 0
                    while taken < 1600, !client.hasNews, client.send(chunk) { taken += 1 }
                    return (taken, String(decoding: try client.receive(), as: UTF8.self))
                }
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 413"), "\(framing): \(answer.prefix(200))")
                #expect(taken < most, "\(framing)")
            }
            #expect(try await Self.isReady(kind, installation))
        }
    }

    @Test(arguments: Kind.allCases) func `who sends all before it reads is told 413`(_ kind: Kind) async throws {
        var limits = ConnectionLimits()
        (limits.upload, limits.idle, limits.farewell) = (.seconds(300), .seconds(300), .seconds(300))
        try await Installation.with(limits: limits) { installation in
            let port = installation.port(of: kind)
            let head = Self.post(kind, "Content-Length: \(100 << 20)", "Connection: close")
            let answer = try await runBlocking { try RawClient.pour(head, port: port) }
            #expect(answer?.hasPrefix("HTTP/1.1 413") == true, "\(answer?.prefix(200) ?? "cut off")")
        }
    }

    @Test(arguments: Kind.allCases) func `what is compressed is not unpacked`(_ kind: Kind) async throws {
        let bomb = try #require(Gzip.compress([UInt8](repeating: 0, count: 128 << 20)))
        #expect(bomb.count < 200_000)
        try await Installation.with { installation in
            let port = installation.port(of: kind)
            let before = Self.residentBytes()
            for (encoding, status) in [("gzip", "415"), ("identity", "400"), ("deflate, gzip", "415")] {
                let head = Self.post(
                    kind, "Content-Encoding: \(encoding)", "Content-Length: \(bomb.count)", "Connection: close")
                let answer = try await runBlocking {
                    let client = try RawClient(port: port)
                    client.send(Array(head.utf8) + bomb)
                    return String(decoding: try client.rest(), as: UTF8.self)
                }
                let isDropped = kind == .audit && answer.hasSuffix(#"{"status":"DROP"}"#)
                #expect(isDropped || answer.hasPrefix("HTTP/1.1 \(status)"), "\(encoding): \(answer.prefix(200))")
            }
            #expect(Self.residentBytes() - before < 100 << 20)
        }
    }
}
