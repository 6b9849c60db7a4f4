import Concurrency
import HTTPTypes
import ServiceHTTP
import ServiceLifecycle
import StructuredData
import TaskService
import Testing

/// Clients that take their time to read what they asked for.
@Suite(.timeLimit(.minutes(10))) struct SlowReaderTests {
    /// Tasks of some 18 KB, 25 in each portion; returns their ids. By default 12 MB: more than the kernel keeps for a connection.
    @discardableResult
    private static func fill(_ service: RunningService, portions: Int = 30) async throws -> [String] {
        var ids: [String] = []
        let text = JSON.string(String(repeating: "a", count: 18_000))
        let operations = (0..<25).map { number -> JSON in
            ["op": "create", "task": ["title": .string("\(number)"), "description": text]]
        }
        for _ in 0..<portions {
            let answer = try await service.send(.post, "/v1/tasks/bulk", ["operations": .array(operations)])
            #expect(answer.status == 200, "\(answer.text.prefix(300))")
            ids += answer.json["results"]?.array?.compactMap { $0.at("task", "id")?.string } ?? []
        }
        return ids
    }

    private static let export =
        "GET /v1/me/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(RunningService.token)\r\n"
        + "Connection: close\r\n\r\n"

    @Test func `who takes nothing of an answer is let go, who is slow is not`() async throws {
        var limits = ConnectionLimits()
        limits.progress = .seconds(5)
        try await Installation.with(limits: limits) { installation in
            try await Self.fill(installation.api)
            let port = installation.api.port
            let whole = try await runBlocking { try RawClient.ask(Self.export, port: port) }.utf8.count
            #expect(whole > 11 << 20)
            let stalled = try await runBlocking {
                let client = try RawClient(port: port, receiveBuffer: 4096)
                client.send(Self.export.utf8)
                client.pause(.seconds(15))
                return try client.rest().count
            }
            #expect(stalled < whole, "a client that comes back late finds the connection closed")
            let slow = try await runBlocking {
                let client = try RawClient(port: port, receiveBuffer: 64 << 10)
                client.send(Self.export.utf8)
                var count = 0
                while true {
                    let bytes = try client.receive(256 << 10)
                    guard !bytes.isEmpty else { return count }
                    count += bytes.count
                    client.pause(.milliseconds(5))
                }
            }
            #expect(slow == whole)
        }
    }

    /// Questions that are answered without a body; the last one ends the connection.
    private static func heads(_ count: Int) -> [UInt8] {
        let one = "HEAD /livez HTTP/1.1\r\nHost: x\r\n"
        return Array("\(String(repeating: one + "\r\n", count: count - 1))\(one)Connection: close\r\n\r\n".utf8)
    }

    /// Answers without a body were not looked at.
    @Test func `who asks and asks and reads nothing is let go, who is slow is not`() async throws {
        var limits = ConnectionLimits()
        limits.progress = .seconds(3)
        try await RunningService.with(configure: { $0.limits = limits }) { service in
            let stalled = try await runBlocking {
                let client = try RawClient(port: service.port, receiveBuffer: 4096, segment: 1400)
                client.send(Self.heads(50_000))
                client.pause(.seconds(10))
                return String(decoding: try client.rest(), as: UTF8.self).split(separator: "HTTP/1.1 ").count
            }
            #expect(stalled < 50_000)
            let answers = try await runBlocking {
                let client = try RawClient(port: service.port, receiveBuffer: 4096, segment: 1400)
                client.send(Self.heads(5000))
                var all: [UInt8] = []
                while true {
                    let bytes = try client.receive(16 << 10)
                    guard !bytes.isEmpty else { break }
                    all += bytes
                    client.pause(.milliseconds(50))
                }
                return String(decoding: all, as: UTF8.self).split(separator: "HTTP/1.1 ").count
            }
            #expect(answers == 5000)
        }
    }

    @Test func `everybody has one export at a time, and the next when that is over`() async throws {
        var limits = ConnectionLimits()
        limits.progress = .seconds(600)
        try await Installation.with(limits: limits) { installation in
            try await Self.fill(installation.api)
            let port = installation.api.port
            try await runBlocking {
                let slow = try RawClient(port: port, receiveBuffer: 64 << 10)
                slow.send(Self.export.utf8)
                #expect(String(decoding: try slow.receive(64), as: UTF8.self).hasPrefix("HTTP/1.1 200"))
                let refused = try RawClient.ask(Self.export, port: port)
                #expect(refused.hasPrefix("HTTP/1.1 429") && refused.contains("another export"), "\(refused)")
                let rest = String(decoding: try slow.rest().suffix(64), as: UTF8.self)
                #expect(rest.hasSuffix("}\r\n0\r\n\r\n"), "it goes on to its end: \(rest)")
                #expect(try RawClient.ask(Self.export, port: port).hasPrefix("HTTP/1.1 200"))
            }
        }
    }

    /// Asks for a megabyte, and has its first bytes.
    private static func beginBulk(
        _ service: RunningService, on tasks: [String], _ connection: String
    ) async throws -> RawClient {
        let operations = tasks.map { id -> JSON in ["op": "complete", "id": .string(id)] }
        let body = (["operations": .array(operations)] as JSON).encoded()
        let request = """
            POST /v1/tasks/bulk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(RunningService.token)\r
            Content-Type: application/json\r\nContent-Length: \(body.count)\r\nConnection: \(connection)\r\n\r\n
            """
        return try await runBlocking {
            let client = try RawClient(port: service.port, receiveBuffer: 4096, segment: 1400)
            client.send(Array(request.utf8) + body)
            while !client.hasNews { client.pause(.milliseconds(5)) }
            return client
        }
    }

    /// Once it had written an answer, a service that stopped took its connection for an idle one and closed it, and what the
    /// client had not taken by then was dropped. The same when it had been idle for too long, and for who is both.
    @Test(arguments: [ConnectionLimits().idle, .seconds(3)])
    func `who is slow gets the whole answer of a service that is told to stop`(_ idle: Duration) async throws {
        let database = try await RunningService.database()
        var tasks: [String] = []
        // By a service of its own: on a slow machine, that with a short limit closes connections that are about to be used.
        try await RunningService.with(database: database) { tasks = try await Self.fill($0, portions: 4) }
        try await RunningService.with(
            database: database,
            configure: {
                $0.stopDeadline = .seconds(300); $0.limits.idle = idle
            }
        ) { [tasks] service in
            let client = try await Self.beginBulk(service, on: tasks, "keep-alive")
            try await runBlocking { client.pause(.seconds(6)) }
            await service.group.triggerGracefulShutdown()
            let answer = try await runBlocking {
                client.pause(.seconds(1))
                return String(decoding: try client.rest(), as: UTF8.self)
            }
            let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
            let head = try #require(parts.first)
            let whole = try #require(try? /(?i)content-length: (\d+)/.firstMatch(in: head)?.output.1)
            #expect(parts.last?.utf8.count == Int(whole))
        }
    }

    @Test(arguments: ["keep-alive", "close"])
    func `a service that is told to stop waits for who is slow no longer than it may`(_ connection: String) async throws
    {
        let clock = ContinuousClock()
        let told = Lock((at: clock.now, client: RawClient?.none))
        try await RunningService.with(configure: { $0.stopDeadline = .seconds(3) }) { service in
            let tasks = try await Self.fill(service, portions: 4)
            let client = try await Self.beginBulk(service, on: tasks, connection)
            told.withLock { $0 = (clock.now, client) }
            await service.group.triggerGracefulShutdown()
        }
        #expect(clock.now - told.withLock { $0.at } < .seconds(25))
    }
}
