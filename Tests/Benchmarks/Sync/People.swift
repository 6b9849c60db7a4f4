import Concurrency
import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData
import WebSocketClient

/// What a round of writes gave; times are wall-clock seconds, keys are titles.
struct Load: Sendable {
    /// When each write was due.
    var due: [String: Double] = [:]
    var answered: [String: Double] = [:]
    var received: [String: Double] = [:]
    let perSecond: Int
}

/// Pairs that share a project: the one writes, the other listens.
final class People: Sendable {
    private struct Writer: Sendable {
        let token: String
        let project: String
    }

    private static let transport = CurlTransport(configuration: .init(proxy: .none, offersHTTP2: false))
    private let site: String
    private let writers: [Writer]
    /// When the event of each task was at its reader.
    private let received = Lock<[String: Double]>([:])

    private init(site: String, writers: [Writer]) {
        self.site = site
        self.writers = writers
    }

    static func make(pairs: Int, at installation: Installation) async throws -> People {
        let site = installation.site
        var writers: [Writer] = []
        var readers: [String] = []
        for number in 0..<pairs {
            let (writer, reader) = (try await account("writer-\(number)", site), try await account("r-\(number)", site))
            let project = try await send(site, .post, "/v1/projects", ["name": "Shared"], token: writer)["id"]?.string
            let path = "/v1/projects/\(project ?? "")/members"
            let guest: JSON = ["email": .string("r-\(number)@example.com"), "role": "viewer"]
            _ = try await send(site, .post, path, guest, token: writer)
            writers.append(Writer(token: writer, project: project ?? ""))
            readers.append(reader)
        }
        let people = People(site: site, writers: writers)
        for reader in readers { try await people.listen(as: reader) }
        return people
    }

    /// Gives a token.
    private static func account(_ name: String, _ site: String) async throws -> String {
        let login: JSON = ["email": .string("\(name)@example.com"), "password": "correct horse battery staple"]
        _ = try await send(site, .post, "/v1/accounts", login)
        return try await send(site, .post, "/v1/sessions", login)["token"]?.string ?? ""
    }

    private static func send(
        _ site: String, _ method: HTTPRequest.Method, _ path: String, _ body: JSON, token: String = ""
    ) async throws -> JSON {
        var headers: HTTPFields = [.contentType: "application/json"]
        if !token.isEmpty { headers[.authorization] = "Bearer \(token)" }
        if let key = HTTPField.Name("Idempotency-Key") { headers[key] = UUID().uuidString }
        let answer = try await transport.send(
            ClientRequest(method: method, url: site + path, headers: headers, body: .bytes(body.encoded())))
        let bytes = try await answer.body.collect(upTo: 1 << 20)
        guard (200..<300).contains(answer.status.code) else {
            throw Failure("\(path): \(answer.status) \(String(decoding: bytes, as: UTF8.self))")
        }
        return try JSON(parsing: bytes)
    }

    /// Returns when the connection is live.
    private func listen(as token: String) async throws {
        let port = site.split(separator: ":").last.flatMap { Int($0) } ?? 0
        let client = try await WebSocketClient.connect(
            port, headers: ["Sec-WebSocket-Protocol: todo.v1, bearer.\(token)"])
        try await client.send(["type": "resume", "after": .null])
        while case .message(let message) = await client.next(), message["type"] != "ready" {}
        Task {
            while case .message(let message) = await client.next() {
                let now = wallClock()
                // A change comes instead of the event where realtime saw a gap and asked the API.
                let task = message.at("event", "data", "task") ?? message.at("change", "task")
                guard let title = task?["title"]?.string else { continue }
                received.withLock { $0[title] = now }
            }
        }
    }

    /// Writes at that rate whatever comes of it, and waits until all has arrived, or for ten seconds.
    func write(perSecond rate: Int, for seconds: Int, as name: String) async throws -> Load {
        let load = Lock(Load(perSecond: rate))
        let (start, begun) = (ContinuousClock.now, wallClock())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<rate * seconds {
                try await Task.sleep(until: start + .seconds(1) * number / rate)
                let (title, writer) = ("\(name) \(number)", writers[number % writers.count])
                load.withLock { $0.due[title] = begun + Double(number) / Double(rate) }
                group.addTask { [site] in
                    let task: JSON = ["title": .string(title), "project": .string(writer.project)]
                    let body: JSON = ["operations": [["op": "create", "task": task]]]
                    _ = try await Self.send(site, .post, "/v1/tasks/bulk", body, token: writer.token)
                    let now = wallClock()
                    load.withLock { $0.answered[title] = now }
                }
            }
            try await group.waitForAll()
        }
        var result = load.withLock { $0 }
        for _ in 0..<500 {
            result.received = received.withLock { all in all.filter { result.due[$0.key] != nil } }
            if result.received.count == result.due.count { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        return result
    }
}
