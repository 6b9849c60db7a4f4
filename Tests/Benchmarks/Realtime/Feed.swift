import Concurrency
import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import StructuredData

/// The API as the service needs it: people, and one stream that is shared with all of them.
final class Feed: Sendable {
    /// Every number of the stream has as many digits, so that all messages are of one length.
    static let firstSeq = 1_000_000

    let people: [String]
    private let count = Lock(0)

    init(people: Int) { self.people = (0..<people).map { _ in Self.id() } }

    private static func id() -> String { UUID().uuidString.lowercased() }

    /// The number of the last change.
    var last: Int { Self.firstSeq + count.withLock { $0 } }

    /// A change, and the sidecar's delivery of its event.
    func write() -> [UInt8] {
        let seq = count.withLock { count in
            count += 1
            return Self.firstSeq + count
        }
        let task = Self.id()
        let time = "2026-01-31T09:26:53.589793Z"
        let event: JSON = [
            "specversion": "1.0", "id": .string(Self.id()), "type": "dev.todo-operator.task.created",
            "source": .string("/users/\(people[0])"), "subject": .string(task), "time": .string(time),
            "datacontenttype": "application/json", "partitionkey": .string(people[0]), "seq": .string("\(seq)"),
            "data": [
                "user": .string(people[0]), "actor": .string(people[0]), "seq": JSON(seq),
                "members": .array(people.map { .string($0) }), "task": Self.task(task, seq),
            ],
        ]
        let delivery: JSON = [
            "id": "1", "type": "com.dapr.event.sent.bulk", "topic": "task-events", "pubsubname": "todo-pubsub",
            "entries": [["entryId": "0", "event": event, "contentType": "application/cloudevents+json"]],
        ]
        return delivery.encoded()
    }

    private static func task(_ id: String, _ seq: Int) -> JSON {
        ["id": .string(id), "title": "Water the plants on the balcony", "status": "open", "seq": JSON(seq)]
    }

    /// Serves `/v1/me` and `/v1/changes`; returns the port.
    func serve() async -> Int {
        let router = Router()
        router.get("/v1/me") { [self] request, _ in Self.answer(["id": .string(person(request))]) }
        router.get("/v1/changes") { [self] request, _ in Self.answer(changes(request)) }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0), backlog: 4096),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "feed") { _ in SwiftLogNoOpLogHandler() })
        Task { try await application.run() }
        return await ports.first { _ in true } ?? 0
    }

    /// Tokens are numbers.
    private func person(_ request: Request) -> String {
        let token = request.headers[.authorization]?.split(separator: " ").last.flatMap { Int($0) } ?? 0
        return people[token % people.count]
    }

    private func changes(_ request: Request) -> JSON {
        let me = person(request)
        let last = last
        let after = request.uri.queryParameters["after"]?.split(separator: ",")
            .first { $0.hasPrefix(people[0]) }?.split(separator: ":").last.flatMap { Int($0) }
        let items = ((after ?? last) + 1..<max(last, after ?? last) + 1).map { seq -> JSON in
            let id = Self.id()
            return [
                "type": "task", "seq": JSON(seq), "user": .string(people[0]), "id": .string(id),
                "deleted": false, "task": Self.task(id, seq),
            ]
        }
        let own = me == people[0] ? "" : "\(me):0,"
        return ["items": .array(items), "cursor": .string("\(own)\(people[0]):\(last)"), "more": false]
    }

    private static func answer(_ json: JSON) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: json.encoded())))
    }
}
