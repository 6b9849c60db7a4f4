import Concurrency
import Dapr
import DaprSidecar
import Foundation
import KubernetesClient
import Logging
import StructuredData
import TodoModel
import TodoStore
import TopicLog

/// What `api` does with the outbox, by a sidecar of its own: portions of 1,000, looked for every 50 ms.
final class Relay: Sendable {
    private let outbox: Outbox
    private let host: DaprHost
    private let client: DaprClient
    private let published = Lock<[(body: [UInt8], at: Instant)]>([])

    init(folder: String, outbox: Outbox) async throws {
        self.outbox = outbox
        var logger = Logger(label: "dapr")
        logger.logLevel = .critical
        host = try DaprHost(
            topics: .init(folder: "\(folder)/topics"), stateFolder: "\(folder)/state", secrets: { _, _, _ in nil },
            schedules: { _ in { _ in nil } }, logger: logger)
        let component: JSON = [
            "metadata": ["name": "todo-pubsub", "namespace": "default"],
            "spec": ["type": "pubsub.kafka", "version": "v1", "metadata": []],
        ]
        host.update(DaprResources(components: [KubernetesObject(component)]))
        let pod = SidecarPod(
            uid: "1", name: "api-1", namespace: "default", appID: "todo-api", appPort: nil, address: "127.0.0.1")
        client = DaprClient(.init(endpoint: "http://127.0.0.1:\(try await host.start(pod))"))
    }

    var count: Int { published.withLock { $0.count } }

    /// From due to published, of all since the last time, sorted.
    func take() -> [Duration] {
        let all = published.withLock { published in
            defer { published = [] }
            return published
        }
        return all.compactMap { body, at in
            guard let json = try? JSON(parsing: body), let due = json.at("data", "reminder", "fireAt")?.string else {
                return nil
            }
            return Instant(due).map { $0.duration(to: at) }
        }.sorted()
    }

    private func publish(_ entries: [Outbox.Entry], to topic: String) async throws -> Set<Int64> {
        let events = entries.map { OutgoingEvent(body: $0.body, partitionKey: $0.user.uuidString.lowercased()) }
        let rejected = Set(try await client.publish(events, to: topic, of: "todo-pubsub").map(\.index))
        let now = Instant.now()
        let taken = entries.enumerated().filter { !rejected.contains($0.offset) }.map(\.element)
        published.withLock { $0 += taken.map { ($0.body, now) } }
        return Set(taken.map(\.id))
    }

    func run() async throws {
        while !Task.isCancelled {
            let outcome = try await outbox.drain(limit: 1000) { entries in
                try await withThrowingTaskGroup(of: Set<Int64>.self) { group in
                    for call in Outbox.Entry.calls(for: entries) {
                        group.addTask { try await self.publish(call.entries, to: call.topic) }
                    }
                    return try await group.reduce(into: []) { $0.formUnion($1) }
                }
            }
            if case .published(let count, _) = outcome, count > 0 { continue }
            try await Task.sleep(for: .milliseconds(outcome == .firing ? 10 : 50))  // as the relay does
        }
    }
}
