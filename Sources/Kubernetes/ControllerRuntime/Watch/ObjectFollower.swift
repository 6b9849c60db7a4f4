internal import Concurrency
internal import KubernetesClient
internal import Logging

/// Follows single objects by name, each for the keys that refer to it: what a list of the whole type would show more
/// of than is our business, as with Secrets.
///
/// The first hundred are watched; what goes beyond is read every five minutes, because each watch is a stream that
/// server and client have to keep.
final class ObjectFollower: Sendable {
    typealias Notify = @Sendable (ObjectKey) -> Void

    struct Known: Sendable {
        let object: KubernetesObject?
    }

    private struct Entry {
        var keys: Set<ObjectKey>
        let informer: Informer
        let isWatched: Bool
        var task: Task<Void, Never>?
    }

    private struct State {
        var entries: [ObjectReference: Entry] = [:]
        var references: [ObjectKey: Set<ObjectReference>] = [:]
    }

    private static let maximumWatches = 100
    private static let pollInterval: Duration = .seconds(300)

    private let client: any ObjectClient
    private let fieldManager: String
    private let time: any TimeSource
    private let logger: Logger
    private let state = Lock(State())

    init(client: any ObjectClient, fieldManager: String, time: any TimeSource, logger: Logger) {
        self.client = client
        self.fieldManager = fieldManager
        self.time = time
        self.logger = logger
    }

    /// `key` refers to exactly these objects.
    func follow(_ references: Set<ObjectReference>, for key: ObjectKey, notify: @escaping Notify) {
        let (added, obsolete) = state.withLock { state -> ([ObjectReference], [Task<Void, Never>]) in
            let before = state.references[key] ?? []
            state.references[key] = references.isEmpty ? nil : references
            var obsolete: [Task<Void, Never>] = []
            for reference in before.subtracting(references) {
                state.entries[reference]?.keys.remove(key)
                guard state.entries[reference]?.keys.isEmpty == true else { continue }
                if let task = state.entries.removeValue(forKey: reference)?.task { obsolete.append(task) }
            }
            var added: [ObjectReference] = []
            for reference in references.subtracting(before) {
                if state.entries[reference] == nil {
                    state.entries[reference] = entry(
                        for: reference, watched: state.entries.values.count(where: \.isWatched))
                    added.append(reference)
                }
                state.entries[reference]?.keys.insert(key)
            }
            return (added, obsolete)
        }
        for task in obsolete { task.cancel() }
        for reference in added { start(reference, notify) }
    }

    /// What is known of the object; nil when it is not watched or not listed yet.
    func cached(_ reference: ObjectReference) -> Known? {
        guard let entry = state.withLock({ $0.entries[reference] }), entry.isWatched,
            entry.informer.status == .synced
        else { return nil }
        return Known(object: entry.informer.store.get(reference.key))
    }

    func stop() {
        let tasks = state.withLock { state in
            defer { state = State() }
            return state.entries.values.compactMap(\.task)
        }
        for task in tasks { task.cancel() }
    }

    var mute: [Informer] {
        state.withLock { $0.entries.values.filter(\.isWatched).map(\.informer) }.filter(\.isMute)
    }

    private func entry(for reference: ObjectReference, watched: Int) -> Entry {
        let options = Informer.Options(
            namespace: reference.key.namespace, fieldSelector: "metadata.name=\(reference.key.name)")
        let informer = Informer(
            reference.type, client: client, fieldManager: fieldManager, options: options, time: time, logger: logger)
        return Entry(keys: [], informer: informer, isWatched: watched < Self.maximumWatches)
    }

    private func start(_ reference: ObjectReference, _ notify: @escaping Notify) {
        guard let entry = state.withLock({ $0.entries[reference] }) else { return }
        entry.informer.onChange { [weak self] _ in
            guard let self else { return }
            for key in state.withLock({ $0.entries[reference]?.keys ?? [] }) { notify(key) }
        }
        let task = Task { entry.isWatched ? await entry.informer.run() : await poll(reference, entry.informer) }
        let isObsolete = state.withLock { state in
            guard state.entries[reference] != nil else { return true }
            state.entries[reference]?.task = task
            return false
        }
        if isObsolete { task.cancel() }
    }

    private func poll(_ reference: ObjectReference, _ informer: Informer) async {
        while !Task.isCancelled {
            do { informer.adopt(try await client.find(reference.type, reference.key)) } catch {
                logger.info("\(reference) not read: \(error)")
            }
            let delay = Self.pollInterval * Double.random(in: 0.8..<1.2)
            guard (try? await time.sleep(until: time.now.advanced(by: delay))) != nil else { return }
        }
    }
}
