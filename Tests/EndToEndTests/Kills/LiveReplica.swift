import Concurrency
import StructuredData
import WebSocketClient

/// A connected client: it keeps what it is sent, and comes back with its cursor whenever the connection ends.
final class LiveReplica: Sendable {
    struct State {
        /// By id.
        var tasks: [String: JSON] = [:]
        var connections = 0
        /// Changes that came as they happened, and not at a catch-up.
        var liveEvents = 0
        /// What came although the cursor was past it.
        var repeated: [JSON] = []
        /// In the order of the server's cursor.
        fileprivate var cursor: [(stream: String, seq: Int)] = []
    }

    private let person: APIUser
    private let state = Lock(State())
    var now: State { state.withLock { $0 } }

    init(of person: APIUser) { self.person = person }

    /// Until cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await follow()
            // Nobody tells when what is down is back.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Returns when the connection ends.
    private func follow() async throws {
        let port = person.site.split(separator: ":").last.flatMap { Int($0) } ?? 0
        let client = try await WebSocketClient.connect(
            port, headers: ["Sec-WebSocket-Protocol: todo.v1, bearer.\(person.token)"])
        await withTaskCancellationHandler {
            let cursor = now.cursor.map { "\($0.stream):\($0.seq)" }.joined(separator: ",")
            try? await client.send(["type": "resume", "after": cursor.isEmpty ? .null : .string(cursor)])
            state.withLock { $0.connections += 1 }
            while true {
                switch await client.next() {
                case .message(let message): state.withLock { $0.take(message) }
                case .ping, .pong: break
                case .close, .end: return
                }
            }
        } onCancel: {
            Task { await client.disconnect() }
        }
    }
}

extension LiveReplica.State {
    fileprivate mutating func take(_ message: JSON) {
        switch message["type"]?.string {
        case "change":
            guard let change = message["change"] else { return }
            note(change, stream: change["user"], seq: change["seq"])
            guard change["type"] == "task" else { return }
            set(change["task"], change["id"])
        case "event":
            guard let data = message.at("event", "data") else { return }
            note(data, stream: data["user"], seq: data["seq"])
            advance(data["user"]?.string ?? "", to: data["seq"]?.int ?? 0)
            guard let task = data["task"] else { return }
            liveEvents += 1
            set(task, task["id"])
        case "ready":
            cursor = (message["cursor"]?.string ?? "").split(separator: ",").compactMap { entry in
                let parts = entry.split(separator: ":")
                return parts.count == 2 ? Int(parts[1]).map { (stream: String(parts[0]), seq: $0) } : nil
            }
        default: break
        }
    }

    private mutating func set(_ task: JSON?, _ id: JSON?) { tasks[id?.string ?? ""] = task }

    private mutating func note(_ change: JSON, stream: JSON?, seq: JSON?) {
        if let known = cursor.first(where: { $0.stream == stream?.string }), known.seq >= seq?.int ?? 0 {
            repeated.append(change)
        }
    }

    private mutating func advance(_ stream: String, to seq: Int) {
        if let index = cursor.firstIndex(where: { $0.stream == stream }) {
            cursor[index].seq = seq
        } else {
            cursor.append((stream, seq))
        }
    }
}
