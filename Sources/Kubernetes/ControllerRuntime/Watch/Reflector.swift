public import KubernetesClient

/// Follows one collection by list and watch, without doing either itself: `handle` takes what happened and says what
/// to do to the store and what to ask of the server next. No clock, no randomness, no I/O of its own.
///
/// - It lists in pages, then watches from the list's version, with bookmarks.
/// - The server is asked to end a watch after a random 100 to 200 s; the client ends it 5 s later, so that a
///   connection that stays mute is noticed within 205 s and the watch goes on from the last version seen.
/// - Failures are retried after 0.8 s to 30 s with jitter; the delay starts over after a watch of a minute.
/// - A 410 on a watch lists again, not older than the last version. Only when the list itself cannot serve that
///   version (410, or one that the server has not reached, as after a restore) it starts clean with the newest state.
/// - The end of a list deletes what it did not name.
/// - An object that cannot be used is reported and skipped.
public struct Reflector: Sendable {
    public struct Configuration: Sendable {
        public var pageSize = 500
        /// Seconds after which the server is asked to end a watch.
        public var watchTimeout: ClosedRange<Int> = 100...200
        /// How much longer than the server the client waits.
        public var grace: Duration = .seconds(5)
        public var listTimeout: Duration = .seconds(70)
        public var firstDelay: Duration = .milliseconds(800)
        public var longestDelay: Duration = .seconds(30)
        /// A watch that lasted so long was a good one.
        public var stableAfter: Duration = .seconds(60)
        public init() {}

        /// Twice the longest time in which a mute connection is noticed.
        public var muteLimit: Duration { (.seconds(watchTimeout.upperBound) + grace) * 2 }
    }

    public struct ListRequest: Sendable, Equatable {
        /// Nil asks for the newest state.
        public var notOlderThan: String?
        public var continueToken: String?
        public var limit: Int
        public var deadline: Instant
    }

    public struct WatchRequest: Sendable, Equatable {
        public var resourceVersion: String
        public var timeoutSeconds: Int
        public var deadline: Instant
    }

    /// What happened.
    public enum Input: Sendable {
        case start
        case page(ObjectList)
        case event(WatchEvent)
        /// The server ended the watch in order.
        case ended
        case failed(WatchFailure)
        /// The deadline of the request passed without an end.
        case deadlinePassed
        case woke
    }

    /// What the store and the reader are told.
    public enum Effect: Sendable, Equatable {
        case upsert(KubernetesObject, Origin)
        /// The one with this uid is gone, or not selected any more, at the version that came before.
        case delete(ObjectKey, uid: String)
        /// The list is complete; what it did not name is gone.
        case retain(Set<ObjectKey>)
        /// The store reflects the collection at this version.
        case synced(resourceVersion: String)
        case version(String)
        case report(WatchProblem)
    }

    /// Where the state of an object comes from.
    public enum Origin: Sendable, Equatable {
        case firstList
        case laterList
        case watch
        /// Read live, beside list and watch, which may be ahead of it or behind it.
        case read

        var isList: Bool { self == .firstList || self == .laterList }
    }

    /// What to ask of the server next.
    public enum Command: Sendable, Equatable {
        case list(ListRequest)
        case watch(WatchRequest)
        case sleep(until: Instant)
    }

    public struct Output: Sendable, Equatable {
        public var effects: [Effect] = []
        /// Nil: go on with what is under way.
        public var command: Command?
    }

    private enum Goal: Sendable {
        case list
        case watch
    }

    private enum State: Sendable {
        case idle
        case listing(seen: Set<ObjectKey>, version: String?)
        case watching(since: Instant)
        case waiting(Goal)
    }

    public let configuration: Configuration
    /// Last version seen; nil means that a list starts clean.
    public private(set) var resourceVersion: String?
    private var state = State.idle
    private var backoff: Backoff
    private var hasSynced = false
    /// Since when requests are out without a word from the server.
    private var quietSince: Instant?

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        backoff = Backoff(base: configuration.firstDelay, limit: configuration.longestDelay)
    }

    /// Requests have been out without any sign of the server for twice the time in which that is noticed. Liveness
    /// fails on it when the server answers others.
    public func isMute(_ now: Instant) -> Bool {
        quietSince.map { now - $0 > configuration.muteLimit } ?? false
    }

    /// `random` gives numbers in `0..<1`.
    public mutating func handle(_ input: Input, now: Instant, random: () -> Double) -> Output {
        switch (state, input) {
        case (.idle, .start): return list(now)
        case (.listing(let seen, let version), .page(let page)): return take(page, seen, version, now, random)
        case (.listing, .failed(let failure)): return listFailed(failure, now, random)
        case (.listing, .deadlinePassed): return retry(.list, [.report(.mute)], now, random)
        case (.watching, .event(let event)): return take(event, now, random)
        case (.watching, .ended): return watchEnded(now, random)
        case (.watching, .failed(let failure)): return watchFailed(failure, now, random)
        case (.watching, .deadlinePassed):
            var output = watch(now, random)
            output.effects = [.report(.mute)]
            return output
        case (.waiting(.list), .woke): return list(now)
        case (.waiting(.watch), .woke): return watch(now, random)
        default: return Output()  // an answer that came after its request was given up
        }
    }
}

// MARK: - Listing

extension Reflector {
    private mutating func list(_ now: Instant, continueToken: String? = nil) -> Output {
        if continueToken == nil { state = .listing(seen: [], version: nil) }
        if quietSince == nil { quietSince = now }
        let request = ListRequest(
            notOlderThan: continueToken == nil ? resourceVersion : nil, continueToken: continueToken,
            limit: configuration.pageSize, deadline: now.advanced(by: configuration.listTimeout))
        return Output(command: .list(request))
    }

    private mutating func take(
        _ page: ObjectList, _ seen: Set<ObjectKey>, _ version: String?, _ now: Instant, _ random: () -> Double
    ) -> Output {
        quietSince = nil
        var seen = seen
        var effects: [Effect] = []
        for item in page.items {
            guard !item.name.isEmpty else {
                effects.append(.report(.undecodable("an item of the list has no metadata.name")))
                continue
            }
            seen.insert(ObjectKey(item))
            effects.append(.upsert(item, hasSynced ? .laterList : .firstList))
        }
        // All pages show the state of the first one's version.
        let version = version ?? page.resourceVersion
        if let token = page.continueToken {
            state = .listing(seen: seen, version: version)
            return Output(effects: effects, command: list(now, continueToken: token).command)
        }
        resourceVersion = version
        hasSynced = true
        effects += [.retain(seen), .synced(resourceVersion: version)]
        return Output(effects: effects, command: watch(now, random).command)
    }

    private mutating func listFailed(_ failure: WatchFailure, _ now: Instant, _ random: () -> Double) -> Output {
        quietSince = nil
        if failure == .expired || failure == .versionTooLarge { resourceVersion = nil }
        return retry(.list, [.report(.listFailed(failure))], now, random, atLeast: failure.retryAfter)
    }
}

// MARK: - Watching

extension Reflector {
    private mutating func watch(_ now: Instant, _ random: () -> Double) -> Output {
        state = .watching(since: now)
        if quietSince == nil { quietSince = now }
        let range = configuration.watchTimeout
        let seconds = range.lowerBound + Int(Double(range.count) * random())
        let request = WatchRequest(
            resourceVersion: resourceVersion ?? "", timeoutSeconds: seconds,
            deadline: now.advanced(by: .seconds(seconds) + configuration.grace))
        return Output(command: .watch(request))
    }

    private mutating func take(_ event: WatchEvent, _ now: Instant, _ random: () -> Double) -> Output {
        quietSince = now
        switch event {
        case .added(let object), .modified(let object):
            resourceVersion = object.resourceVersion
            return Output(effects: [.upsert(object, .watch), .version(object.resourceVersion)])
        case .deleted(let object):
            resourceVersion = object.resourceVersion
            return Output(
                effects: [.version(object.resourceVersion), .delete(ObjectKey(object), uid: object.uid)])
        case .bookmark(let version, _):
            resourceVersion = version
            return Output(effects: [.version(version)])
        case .undecodable(_, let reason): return Output(effects: [.report(.undecodable(reason))])
        case .error(let status): return watchFailed(WatchFailure(status), now, random)
        }
    }

    private mutating func watchEnded(_ now: Instant, _ random: () -> Double) -> Output {
        quietSince = nil
        if wasStable(now) { return watch(now, random) }
        return retry(.watch, [], now, random)
    }

    private mutating func watchFailed(_ failure: WatchFailure, _ now: Instant, _ random: () -> Double) -> Output {
        quietSince = nil
        _ = wasStable(now)
        let report = Effect.report(.watchFailed(failure))
        switch failure {
        // Where watching is denied, listing now and then keeps the store from growing old.
        case .expired, .versionTooLarge, .absent, .forbidden: return retry(.list, [report], now, random)
        case .other(_, let retryAfter): return retry(.watch, [report], now, random, atLeast: retryAfter)
        }
    }

    /// Whether the watch that just ended was a good one; then the back-off starts over.
    private mutating func wasStable(_ now: Instant) -> Bool {
        guard case .watching(let since) = state, now - since >= configuration.stableAfter else { return false }
        backoff.reset()
        return true
    }

    private mutating func retry(
        _ goal: Goal, _ effects: [Effect], _ now: Instant, _ random: () -> Double, atLeast: Duration? = nil
    ) -> Output {
        state = .waiting(goal)
        let delay = max(backoff.next(random: random()), atLeast ?? .zero)
        return Output(effects: effects, command: .sleep(until: now.advanced(by: delay)))
    }
}
