import Concurrency
import Foundation
import KubernetesClient
import StructuredData
import Testing

/// Every state of the objects of one type in a namespace, in the order in which a watcher sees them.
final class StateRecorder: Sendable {
    struct Seen: Sendable {
        let object: KubernetesObject
        let isDeleted: Bool
    }

    private let seen: Lock<[Seen]>
    private let task: Task<Void, Never>

    /// Records from now on.
    static func start(_ client: KubernetesClient, _ type: ResourceType, namespace: String) async throws
        -> StateRecorder
    {
        let version = try await client.list(type, namespace: namespace).resourceVersion
        let seen = Lock<[Seen]>([])
        return StateRecorder(seen: seen, task: Task { await record(client, type, namespace, version, into: seen) })
    }

    private init(seen: Lock<[Seen]>, task: Task<Void, Never>) {
        self.seen = seen
        self.task = task
    }

    deinit { task.cancel() }

    private static func record(
        _ client: KubernetesClient, _ type: ResourceType, _ namespace: String, _ start: String,
        into seen: Lock<[Seen]>
    ) async {
        var version = start
        while !Task.isCancelled {
            // A watch that ends is opened again where it was.
            guard
                let stream = try? await client.watch(
                    type, namespace: namespace, options: WatchOptions(resourceVersion: version))
            else { continue }
            var events = stream.makeAsyncIterator()
            while let event = try? await events.next() {
                switch event {
                case .added(let object), .modified(let object):
                    version = object.resourceVersion
                    seen.withLock { $0.append(Seen(object: object, isDeleted: false)) }
                case .deleted(let object):
                    version = object.resourceVersion
                    seen.withLock { $0.append(Seen(object: object, isDeleted: true)) }
                case .bookmark(let newer, _): version = newer
                case .error, .undecodable: break
                }
            }
        }
    }

    var all: [Seen] { seen.withLock { $0 } }

    /// The states from a change until the first one that is as wanted.
    func states(
        of name: String, after change: () async throws -> Void, until isReached: @Sendable (Seen) -> Bool,
        within limit: Duration = .seconds(90), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [KubernetesObject] {
        let start = all.count
        try await change()
        func states() -> [Seen] { all.dropFirst(start).filter { $0.object.name == name } }
        return try await eventually(
            within: limit, "\(name), which is \(states().last?.object.json.text ?? "as it was")",
            sourceLocation: sourceLocation
        ) {
            let states = states()
            guard let end = states.firstIndex(where: isReached) else { return nil }
            return states[...end].map(\.object)
        }
    }
}

/// What the conditions of an object went through.
struct Story: CustomStringConvertible {
    /// `KafkaReady=False/WaitingForStrimzi`, each when it came to be so.
    private(set) var turns: [String] = []
    var description: String { turns.joined(separator: ", ") }

    init(_ states: [KubernetesObject]) {
        var last: [String: String] = [:]
        for state in states {
            for condition in state.conditions {
                let turn =
                    "\(condition["type"]?.string ?? "")=\(condition["status"]?.string ?? "")/"
                    + (condition["reason"]?.string ?? "")
                let type = condition["type"]?.string ?? ""
                if last.updateValue(turn, forKey: type) != turn { turns.append(turn) }
            }
        }
    }

    /// Whether turns that begin so came in this order, whatever came between.
    func tells(_ wanted: [String]) -> Bool {
        var rest = wanted[...]
        for turn in turns where rest.first.map(turn.hasPrefix) ?? false { rest = rest.dropFirst() }
        return rest.isEmpty
    }
}

extension KubernetesObject {
    var conditions: [JSON] { status?["conditions"]?.array ?? [] }
}
