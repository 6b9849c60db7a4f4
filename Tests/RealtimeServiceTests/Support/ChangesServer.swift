import Concurrency
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import StructuredData
import TodoModel

@testable import RealtimeService

/// `GET /v1/me` and `GET /v1/changes` as the API answers them, over a list of changes instead of a database.
final class ChangesServer: Sendable {
    struct Change {
        let stream: UUID
        let seq: Int
        let members: Set<UUID>
        let title: String
    }

    struct State {
        var people: [String: UUID] = [:]
        /// Tokens that were revoked elsewhere: good until somebody asks anew.
        var revoked: Set<String> = []
        var changes: [UUID: [Change]] = [:]
        var isDown = false
        var requests = 0
        /// Answers of `/v1/changes` wait for `release`.
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    let state = Lock(State())
    let port: Int
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    private init(port: Int, group: ServiceGroup, running: Task<Void, any Error>, router: Relay) {
        self.port = port
        self.group = group
        self.running = running
        router.server.withLock { $0 = self }
    }

    private final class Relay: Sendable {
        let server = Lock<ChangesServer?>(nil)
    }

    static func start() async throws -> ChangesServer {
        let relay = Relay()
        let router = Router()
        router.get("/v1/me") { request, _ in try await relay.server.withLock { $0 }?.me(request) ?? notFound }
        router.get("/v1/changes") { request, _ in
            try await relay.server.withLock { $0 }?.changes(request) ?? notFound
        }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0), backlog: 4096),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(services: [application], logger: logger)
        let running = Task { try await group.run() }
        let port = await ports.first { _ in true } ?? 0
        return ChangesServer(port: port, group: group, running: running, router: relay)
    }

    func stop() async throws {
        release()
        await group.triggerGracefulShutdown()
        try await running.value
    }

    private static let notFound = Response(status: .notFound)
}

// MARK: What happens

extension ChangesServer {
    /// Somebody with this token, which is also good as a cookie.
    func person(_ token: String) -> UUID {
        let id = UUID()
        state.withLock { $0.people[token] = id }
        return id
    }

    /// A change in the database, and the event that tells of it.
    @discardableResult
    func write(
        _ title: String, by owner: UUID, for members: [UUID] = [], kind: TodoEvent.Kind = .taskCreated
    ) -> TodoEvent {
        let all = [owner] + members
        let seq = state.withLock { state in
            let seq = (state.changes[owner]?.last?.seq ?? 0) + 1
            state.changes[owner, default: []].append(
                Change(stream: owner, seq: seq, members: Set(all), title: title))
            return seq
        }
        return .sample(owner, seq, kind: kind, members: all, body: ["title": .string(title)])
    }

    func release() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }
}

// MARK: What is answered

extension ChangesServer {
    private func person(_ request: Request) throws -> UUID {
        let token =
            request.headers[.authorization]?.split(separator: " ").last.map(String.init)
            ?? request.headers[.cookie]?.split(separator: "=").last.map(String.init) ?? ""
        return try state.withLock { state in
            state.requests += 1
            if state.isDown { throw HTTPError(.serviceUnavailable) }
            let isRevoked = state.revoked.contains(token) && request.headers[.cacheControl] == "no-cache"
            guard !isRevoked, let person = state.people[token] else { throw HTTPError(.unauthorized) }
            return person
        }
    }

    private func me(_ request: Request) async throws -> Response {
        Self.json(["id": .string(try person(request).text)])
    }

    private func changes(_ request: Request) async throws -> Response {
        let person = try person(request)
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.isHeld { state.held.append(continuation) }
                return state.isHeld
            }
            if !isHeld { continuation.resume() }
        }
        let after = request.uri.queryParameters["after"].flatMap { StreamCursor(String($0)) } ?? StreamCursor()
        let limit = request.uri.queryParameters["limit"].flatMap { Int($0) } ?? 100
        return Self.json(try page(for: person, after: after, limit: limit))
    }

    private func page(for person: UUID, after: StreamCursor, limit: Int) throws -> JSON {
        let all = state.withLock { $0.changes }
        var cursor = StreamCursor()
        var items: [JSON] = []
        var hasMore = false
        let shared = all.keys.filter { stream in
            stream != person && all[stream]?.contains { $0.members.contains(person) } == true
        }
        for stream in [person] + shared {
            let start = after[stream] ?? 0
            guard start <= all[stream]?.count ?? 0 else { throw HTTPError(.gone) }
            cursor.advance(stream, to: start)
            for change in all[stream]?.dropFirst(start) ?? [] {
                if change.members.contains(person) {
                    if items.count == limit {
                        hasMore = true
                        break
                    }
                    items.append([
                        "type": "task", "seq": JSON(change.seq), "user": .string(stream.text),
                        "task": ["title": .string(change.title)],
                    ])
                }
                cursor.advance(stream, to: change.seq)
            }
        }
        return ["items": .array(items), "cursor": .string(cursor.text), "more": .bool(hasMore)]
    }

    private static func json(_ json: JSON) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: json.encoded())))
    }
}
