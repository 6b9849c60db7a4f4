internal import Concurrency
internal import KubernetesClient
internal import Logging

/// Follows single objects by name, each for the keys that refer to it: what a list of the whole type would show more
/// of than is our business, as with Secrets.
///
/// - The first hundred names are watched: a change is told at once. Each watch is a stream that server and client have
///   to keep, so what goes beyond is read by name in turn, ten a second at the most and each at most once a minute: a
///   change among 1,000 names is told within two minutes.
/// - Where names may be read but not listed or watched, all of that namespace are read in turn. So a role that allows
///   nothing but `get` is enough.
/// - A key is told of a version that it has not seen; what it has read itself brings no pass.
final class ObjectFollower: Sendable {
    typealias Notify = @Sendable (ObjectKey) -> Void

    struct Configuration: Sendable {
        var maximumWatches = 100
        /// How many names are read in a second, over all.
        var readsPerSecond = 10.0
        /// How often one name is read at the most.
        var shortestRound: Duration = .seconds(60)
    }

    struct Known: Sendable {
        let object: KubernetesObject?
    }

    private struct Sight {
        /// The version that the key has seen: nil before it has seen any, empty when there was no object.
        var version: String?
    }

    private struct Entry {
        var keys: [ObjectKey: Sight] = [:]
        let notify: Notify
        /// Nil for what is read in turn.
        var watch: (informer: Informer, task: Task<Void, Never>?)?
    }

    private struct State {
        var entries: [ObjectReference: Entry] = [:]
        var references: [ObjectKey: Set<ObjectReference>] = [:]
        /// Where watching is not allowed, until this process ends.
        var denied: Set<String?> = []
        /// What is still to be read in this round, last first.
        var round: [ObjectReference] = []
        var reader: Task<Void, Never>?

        var readInTurn: [ObjectReference] { entries.filter { $0.value.watch == nil }.map(\.key) }
    }

    private let configuration: Configuration
    private let client: any ObjectClient
    private let fieldManager: String
    private let time: any TimeSource
    private let logger: Logger
    private let state = Lock(State())

    init(
        client: any ObjectClient, fieldManager: String, configuration: Configuration = Configuration(),
        time: any TimeSource, logger: Logger
    ) {
        self.client = client
        self.fieldManager = fieldManager
        self.configuration = configuration
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
                state.entries[reference]?.keys[key] = nil
                guard state.entries[reference]?.keys.isEmpty == true else { continue }
                if let task = state.entries.removeValue(forKey: reference)?.watch?.task { obsolete.append(task) }
            }
            var added: [ObjectReference] = []
            for reference in references.subtracting(before) {
                if state.entries[reference] == nil {
                    state.entries[reference] = Entry(notify: notify)
                    added.append(reference)
                }
                state.entries[reference]?.keys[key] = Sight()
            }
            return (added, obsolete)
        }
        for task in obsolete { task.cancel() }
        for reference in added { start(reference) }
    }

    func isFollowed(_ reference: ObjectReference, for key: ObjectKey) -> Bool {
        state.withLock { $0.references[key]?.contains(reference) ?? false }
    }

    /// What is known of the object; nil when it is not watched or not listed yet.
    func cached(_ reference: ObjectReference) -> Known? {
        guard let informer = state.withLock({ $0.entries[reference]?.watch?.informer }), informer.status == .synced
        else { return nil }
        return Known(object: informer.store.get(reference.key))
    }

    /// `key` has read the object at this version, which is empty when there is none.
    func note(_ version: String, of reference: ObjectReference, seenBy key: ObjectKey) {
        let isRead = state.withLock { state in
            state.entries[reference]?.keys[key]?.version = version
            return state.entries[reference].map { $0.watch == nil } ?? false
        }
        // The others need not wait for their turn.
        if isRead { tell(version, of: reference) }
    }

    func stop() {
        let tasks = state.withLock { state in
            defer { state = State() }
            return state.entries.values.compactMap { $0.watch?.task } + [state.reader].compactMap(\.self)
        }
        for task in tasks { task.cancel() }
    }

    var mute: [Informer] { state.withLock { $0.entries.values.compactMap { $0.watch?.informer } }.filter(\.isMute) }
}

extension ObjectFollower {
    private func start(_ reference: ObjectReference) {
        let informer = informer(for: reference)
        let isWatched = state.withLock { state in
            guard state.entries[reference] != nil, !state.denied.contains(reference.key.namespace),
                state.entries.values.count(where: { $0.watch != nil }) < configuration.maximumWatches
            else { return false }
            state.entries[reference]?.watch = (informer, Task { await informer.run() })
            return true
        }
        if !isWatched { readInTurn() }
    }

    private func informer(for reference: ObjectReference) -> Informer {
        let options = Informer.Options(
            namespace: reference.key.namespace, fieldSelector: "metadata.name=\(reference.key.name)")
        let informer = Informer(
            reference.type, client: client, fieldManager: fieldManager, options: options, time: time, logger: logger)
        informer.onChange { [weak self] change in self?.tell(change.new?.resourceVersion ?? "", of: reference) }
        informer.onStatusChange { [weak self, weak informer] status in
            switch status {
            // Also when there is nothing: what a key has read before may have gone since.
            case .synced: self?.tell(informer?.store.stored(reference.key)?.resourceVersion ?? "", of: reference)
            case .forbidden: self?.giveUpWatching(reference)
            case .starting, .absent, .failing: break
            }
        }
        return informer
    }

    private func giveUpWatching(_ reference: ObjectReference) {
        let task = state.withLock { state in
            state.denied.insert(reference.key.namespace)
            defer { state.entries[reference]?.watch = nil }
            return state.entries[reference]?.watch?.task
        }
        task?.cancel()
        readInTurn()
    }

    /// The object is at this version now, or gone when it is empty.
    private func tell(_ version: String, of reference: ObjectReference) {
        let (keys, notify) = state.withLock { state -> ([ObjectKey], Notify?) in
            guard let entry = state.entries[reference] else { return ([], nil) }
            let keys = entry.keys.filter { $0.value.version != version }.keys.sorted()
            for key in keys { state.entries[reference]?.keys[key]?.version = version }
            return (keys, entry.notify)
        }
        for key in keys { notify?(key) }
    }
}

// MARK: - Reading in turn

extension ObjectFollower {
    private func readInTurn() {
        state.withLock { state in
            guard state.reader == nil else { return }
            state.reader = Task { [weak self] in await self?.runReader() }
        }
    }

    /// Reads one name after the other, until there are none left.
    private func runReader() async {
        while await pause() {
            let reference = state.withLock { state in
                if state.round.isEmpty { state.round = state.readInTurn.sorted { $0.description > $1.description } }
                return state.round.popLast()
            }
            if let reference { await read(reference) }
        }
    }

    /// Waits for the next name's turn, in steps, since others may come and shorten it. False when there is none left.
    private func pause() async -> Bool {
        let began = time.now
        let share = Double.random(in: 0.8..<1.2)
        while !Task.isCancelled {
            let count = state.withLock { state in
                let count = state.readInTurn.count
                if count == 0 { state.reader = nil }
                return count
            }
            guard count > 0 else { return false }
            let pause = max(.seconds(1 / configuration.readsPerSecond), configuration.shortestRound / count)
            let (now, due) = (time.now, began.advanced(by: pause * share))
            guard now < due else { return true }
            try? await time.sleep(until: min(due, now.advanced(by: .seconds(5))))
        }
        return false
    }

    private func read(_ reference: ObjectReference) async {
        guard state.withLock({ $0.entries[reference] }) != nil else { return }
        do {
            let client = client
            let object = try await time.run(until: time.now.advanced(by: .seconds(10))) {
                try await client.find(reference.type, reference.key)
            }
            tell(object?.resourceVersion ?? "", of: reference)
        } catch { logger.debug("\(reference) not read: \(error)") }
    }
}
