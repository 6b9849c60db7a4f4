import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData

/// Creates, gets and watches, 16 connections at a time.
struct Measurement {
    let objects: Int
    let seconds: Int

    private static let connections = 16

    func run(program: String) async throws {
        let server = try ServerProcess(program: program)
        let client = Client(server)
        let idle = server.memory
        try await creates(server, client)
        print("memory: \(idle >> 20) MB idle, \(server.memory >> 20) MB with \(objects) ConfigMaps of 1 KB")
        try await gets(server, client)
        try await watchDelay(Client(server), Client(server))
    }

    private func creates(_ server: ServerProcess, _ client: Client) async throws {
        let start = ContinuousClock.now
        let processor = server.processorTime
        try await everyConnection { connection in
            for index in stride(from: connection, to: objects, by: Self.connections) {
                try await client.create("cm-\(index)", text: Self.kilobyte)
            }
        }
        report("creates", count: objects, since: start, server, processor)
    }

    private func gets(_ server: ServerProcess, _ client: Client) async throws {
        let start = ContinuousClock.now
        let processor = server.processorTime
        let end = start + .seconds(seconds)
        let counts = try await everyConnection { connection in
            var index = connection
            var count = 0
            while ContinuousClock.now < end {
                try await client.get("cm-\(index % objects)")
                index += Self.connections
                count += 1
            }
            return count
        }
        report("gets", count: counts.reduce(0, +), since: start, server, processor)
    }

    /// The time from just before a write to its event, at 500 writes a second.
    private func watchDelay(_ writer: Client, _ reader: Client) async throws {
        let rate = 500
        let count = rate * seconds
        let clock = ContinuousClock()
        let start = clock.now
        let watch = try await reader.watch()
        async let delays = Self.delays(watch, count: count, clock: clock, start: start)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                try await clock.sleep(until: start + .microseconds(index * 1_000_000 / rate))
                group.addTask {
                    let now = start.duration(to: clock.now)
                    try await writer.create("w-\(index)", text: String(Int(now / .microseconds(1))))
                }
            }
            try await group.waitForAll()
        }
        let sorted = try await delays.sorted()
        let median = sorted[sorted.count / 2] / 1_000
        let late = sorted[sorted.count * 99 / 100] / 1_000
        print("watch: \(sorted.count) events at \(rate)/s, delay p50 \(median) ms, p99 \(late) ms")
    }

    private static func delays(
        _ body: ResponseBody, count: Int, clock: ContinuousClock, start: ContinuousClock.Instant
    ) async throws -> [Double] {
        var delays: [Double] = []
        var buffer: [UInt8] = []
        for try await chunk in body {
            buffer += chunk
            let now = start.duration(to: clock.now) / .microseconds(1)
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let event = try JSON(parsing: buffer[..<end])
                buffer.removeSubrange(...end)
                guard let sent = event.at("object", "data", "text")?.string.flatMap({ Double($0) }) else { continue }
                delays.append(now - sent)
            }
            if delays.count >= count { break }
        }
        return delays
    }

    @discardableResult
    private func everyConnection<Value: Sendable>(
        _ work: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            for connection in 0..<Self.connections { group.addTask { try await work(connection) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func report(
        _ what: String, count: Int, since start: ContinuousClock.Instant, _ server: ServerProcess, _ before: Double
    ) {
        let duration = (ContinuousClock.now - start) / .seconds(1)
        let each = (server.processorTime - before) * 1_000_000 / Double(count)
        print("\(what): \(Int(Double(count) / duration))/s, \(Int(each)) µs of the server's processor each")
    }

    private static let kilobyte = String(repeating: "x", count: 1_000)
}

/// One client with up to 16 connections.
struct Client: Sendable {
    private let transport: CurlTransport
    private let collection: String
    private let headers: HTTPFields = [
        .authorization: "Bearer \(Server.token)", .contentType: "application/json", .userAgent: "bench",
    ]

    init(_ server: ServerProcess) {
        transport = CurlTransport(
            configuration: .init(
                tls: .init(trust: .authorities(pem: server.authorityPEM)), proxy: .none, maxConnectionsPerHost: 16,
                offersHTTP2: false))
        collection = "\(server.url)/api/v1/namespaces/default/configmaps"
    }

    func create(_ name: String, text: String) async throws {
        let body: JSON = ["metadata": ["name": .string(name)], "data": ["text": .string(text)]]
        try await send(.post, collection, .bytes(body.encoded()), expecting: .created)
    }

    func get(_ name: String) async throws { try await send(.get, "\(collection)/\(name)", .none, expecting: .ok) }

    /// A watch of what is made from now on.
    func watch() async throws -> ResponseBody {
        let list = try await transport.send(ClientRequest(url: "\(collection)?limit=1", headers: headers))
        let json = try JSON(parsing: try await list.body.collect(upTo: 1 << 20))
        let revision = json.at("metadata", "resourceVersion")?.string ?? ""
        return try await transport.send(
            ClientRequest(url: "\(collection)?watch=true&resourceVersion=\(revision)", headers: headers)
        ).body
    }

    private func send(
        _ method: HTTPRequest.Method, _ url: String, _ body: ClientRequest.Body, expecting status: HTTPResponse.Status
    ) async throws {
        let response = try await transport.send(ClientRequest(method: method, url: url, headers: headers, body: body))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        guard response.status == status else {
            throw Failure(text: "\(response.status): \(String(decoding: bytes, as: UTF8.self))")
        }
    }
}
