import Concurrency
import Glibc
import ServiceHTTP
import Testing

/// Clients that take their time, and too many of them, at each service.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SlowClientTests {
    typealias Kind = Installation.Kind

    /// What the server says to a client that sends `head`, then a byte each 50 ms until the connection is closed, for
    /// more than three minutes at most.
    private static func drip(_ head: String, port: Int) async throws -> String {
        try await runBlocking {
            let client = try RawClient(port: port)
            client.send(head.utf8)
            for _ in 0..<4000 where client.send([UInt8(ascii: "a")]) {
                client.pause(.milliseconds(50))
                // Read only when it is the end: who drips does not stop for an answer.
            }
            return String(decoding: try client.rest(), as: UTF8.self)
        }
    }

    private static let authorization = "Host: x\r\nAuthorization: Bearer \(RunningService.token)\r\n"
    private static let paths: [Kind: String] = [
        .api: "/v1/tasks", .audit: "/events/task-events", .notification: "/v1/channels",
    ]
    private static let length = "Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{"

    @Test(arguments: Kind.allCases) func `a body that comes drop by drop ends in time`(_ kind: Kind) async throws {
        var limits = ConnectionLimits()
        limits.upload = .milliseconds(600)
        limits.idle = .seconds(5)
        try await Installation.with(limits: limits) { installation in
            let token = "dapr-api-token: \(Installation.sidecarToken)\r\n"
            let begin = ContinuousClock.now
            let known = try await Self.drip(
                "POST \(Self.paths[kind] ?? "") HTTP/1.1\r\n\(Self.authorization)\(token)\(Self.length)",
                port: installation.port(of: kind))
            #expect(known.hasPrefix("HTTP/1.1 408") || known.isEmpty, "\(known)")
            let stranger = try await Self.drip(
                "POST \(Self.paths[kind] ?? "") HTTP/1.1\r\nHost: x\r\n\(Self.length)",
                port: installation.port(of: kind))
            #expect(stranger.hasPrefix("HTTP/1.1 401") || stranger.isEmpty, "\(stranger)")
            #expect(begin.duration(to: .now) < .seconds(180))
        }
    }

    @Test(arguments: Kind.allCases) func `who goes on after the last answer is let go`(_ kind: Kind) async throws {
        var limits = ConnectionLimits()
        (limits.upload, limits.idle) = (.seconds(600), .seconds(600))
        limits.farewell = .milliseconds(600)
        try await Installation.with(limits: limits) { installation in
            let begin = ContinuousClock.now
            let answer = try await Self.drip(
                "POST \(Self.paths[kind] ?? "") HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(Self.length)",
                port: installation.port(of: kind))
            #expect(answer.hasPrefix("HTTP/1.1 401") || answer.isEmpty, "\(answer)")
            #expect(begin.duration(to: .now) < .seconds(180))
        }
    }

    @Test(arguments: Kind.allCases) func `headers that come drop by drop end in time`(_ kind: Kind) async throws {
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(600)
        try await Installation.with(limits: limits) { installation in
            let begin = ContinuousClock.now
            let answer = try await Self.drip(
                "GET /v1/tasks HTTP/1.1\r\nHost: x\r\nX-Long: ", port: installation.port(of: kind))
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            #expect(begin.duration(to: .now) < .seconds(180))
        }
    }

    @Test(arguments: Kind.allCases) func `a client that stalls in a request is let go`(_ kind: Kind) async throws {
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(200)
        try await Installation.with(limits: limits) { installation in
            let port = installation.port(of: kind)
            for text in ["", "GET /v1", "POST /v1/tasks HTTP/1.1\r\n\(Self.authorization)Content-Length: 9\r\n\r\n{"] {
                let answer = try await runBlocking { try RawClient.ask(text, port: port) }
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            }
        }
    }

    @Test(arguments: Kind.allCases) func `beyond the limit of connections there is 503`(_ kind: Kind) async throws {
        var limits = ConnectionLimits()
        // The services ask each other, too.
        limits.connections = 12
        limits.farewell = .seconds(300)
        try await Installation.with(limits: limits) { installation in
            let port = installation.port(of: kind)
            let request = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            try await runBlocking {
                var open: [RawClient] = []
                for _ in 0..<12 {
                    let client = try RawClient(port: port)
                    client.pause(.milliseconds(20))
                    open.append(client)
                }
                let refused = String(decoding: try RawClient(port: port).rest(), as: UTF8.self)
                #expect(refused.hasPrefix("HTTP/1.1 503") && refused.contains("too many connections"), "\(refused)")
                let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(100 << 20)\r\n\r\n"
                let late = try RawClient.pour(head, port: port)
                #expect(late?.hasPrefix("HTTP/1.1 503") == true, "\(late ?? "cut off")")
                open.removeAll()
                var answer = ""
                for _ in 0..<200 where !answer.hasPrefix("HTTP/1.1 200") {
                    answer = try RawClient.ask(request, port: port)
                    usleep(10_000)
                }
                #expect(answer.hasPrefix("HTTP/1.1 200"), "there is room again")
            }
        }
    }
}
