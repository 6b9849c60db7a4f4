internal import Concurrency
internal import ControllerRuntime
internal import HTTPTypes
internal import Logging
internal import StructuredData
internal import TopicLog

/// Everything that delivering the events of one subscription depends on. Two that are equal deliver alike.
struct Consumption: Sendable, Hashable {
    let subscription: SubscriptionSpec
    let logTopic: String
    let deadLetterLogTopic: String?
    let group: String
    let beginsWithOldest: Bool
    let policy: DeliveryPolicy
}

/// A member of a consumer group that delivers to one app.
struct Consumer: Sendable {
    let consumption: Consumption
    let rules: RouteRules
    let app: AppChannel
    let log: TopicLog
    let groups: ConsumerGroups
    let time: any TimeSource
    let logger: Logger

    private var key: ConsumerGroups.Key { .init(group: consumption.group, topic: consumption.logTopic) }

    /// Makes the places where a new group begins stick, so that what is published from now on reaches it.
    func takePlaces() {
        for partition in 0..<log.partitionCount(of: consumption.logTopic)
        where log.committed(consumption.group, consumption.logTopic, partition: partition) == nil {
            let offsets = log.offsets(of: consumption.logTopic, partition: partition)
            commit(consumption.beginsWithOldest ? offsets.lowerBound : offsets.upperBound, partition)
        }
    }

    private func commit(_ offset: Int, _ partition: Int) {
        log.commit(consumption.group, consumption.logTopic, partition: partition, offset: offset)
    }

    /// Delivers until cancelled; a call of the app that is under way is finished.
    func run() async {
        let (assignments, assign) = AsyncStream<Set<Int>>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let count = log.partitionCount(of: consumption.logTopic)
        let member = groups.join(key, partitions: count) { assign.yield($0) }
        var tasks: [Int: Task<Void, Never>] = [:]
        for await assigned in assignments {
            for (partition, task) in tasks where !assigned.contains(partition) {
                task.cancel()
                tasks[partition] = nil
            }
            for partition in assigned where tasks[partition] == nil {
                tasks[partition] = Task { await run(partition) }
            }
        }
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        groups.leave(key, member)
    }

    private func run(_ partition: Int) async {
        guard await groups.enter(key, partition) else { return }
        defer { groups.exit(key, partition) }
        var next = log.committed(consumption.group, consumption.logTopic, partition: partition) ?? 0
        while !Task.isCancelled {
            do {
                let limit = consumption.subscription.bulkLimit
                let messages = try log.read(
                    consumption.logTopic, partition: partition, from: next, limit: limit ?? 64)
                guard let last = messages.last else {
                    await log.waitForMessages(consumption.logTopic, partition: partition, from: next)
                    continue
                }
                if limit == nil {
                    for message in messages {
                        guard await deliver([message]) else { return }
                        next = message.offset + 1
                        commit(next, partition)
                    }
                } else {
                    guard await deliver(messages) else { return }
                    next = last.offset + 1
                    commit(next, partition)
                }
            } catch {
                logger.error("a topic cannot be read", metadata: ["error": "\(error)"])
                guard await pause(.seconds(1)) else { return }
            }
        }
    }

    private func pause(_ duration: Duration) async -> Bool {
        (try? await time.sleep(until: time.now.advanced(by: duration))) != nil
    }

    // MARK: - Delivery

    /// Returns true when each of the messages was taken, dropped or is in the dead letter topic; false when cancelled.
    private func deliver(_ messages: [StoredMessage]) async -> Bool {
        var byPath: [(path: String, messages: [StoredMessage])] = []
        for message in messages {
            switch route(message) {
            case .path(let path):
                if byPath.last?.path == path {
                    byPath[byPath.count - 1].messages.append(message)
                } else {
                    byPath.append((path, [message]))
                }
            case .nowhere: guard await bury(message) else { return false }
            case .failed: guard await retry([message], at: nil) else { return false }
            }
        }
        for (path, messages) in byPath { guard await retry(messages, at: path) else { return false } }
        return true
    }

    private enum Route { case path(String), nowhere, failed }

    private func route(_ message: StoredMessage) -> Route {
        if Expiry.isOver(message, now: TopicLog.wallClock()) { return .nowhere }
        do { return try rules.path(for: message.message.value).map { .path($0) } ?? .nowhere } catch {
            logger.warning("a routing rule failed", metadata: ["error": "\(error)"])
            return .failed
        }
    }

    /// Tries until the messages are settled. Without a path every attempt fails.
    private func retry(_ messages: [StoredMessage], at path: String?) async -> Bool {
        var rest = messages
        var attempt = 0
        while !rest.isEmpty {
            if Task.isCancelled { return false }
            attempt += 1
            let outcomes =
                if let path { await send(rest, to: path) } else { rest.map { _ in Outcome.retry(status: nil) } }
            var failed: [StoredMessage] = []
            var exhausted: [StoredMessage] = []
            for (message, outcome) in zip(rest, outcomes) {
                switch outcome {
                case .done, .forget: break
                case .drop: guard await bury(message) else { return false }
                case .retry(let status):
                    if mayRetry(attempt, status) { failed.append(message) } else { exhausted.append(message) }
                }
            }
            if consumption.deadLetterLogTopic != nil {
                for message in exhausted { guard await bury(message) else { return false } }
                rest = failed
            } else {
                // As the Kafka component: what the policy gave up begins anew, for ever.
                rest = rest.filter { message in (failed + exhausted).contains { $0.offset == message.offset } }
            }
            guard !rest.isEmpty else { return true }
            if failed.isEmpty { attempt = 0 }
            let policy = consumption.policy.retry ?? .init()
            let delay = failed.isEmpty ? .seconds(5) : policy.delay(after: attempt, jitter: .random(in: 0..<1))
            logger.debug("a delivery is tried again", metadata: ["topic": "\(consumption.subscription.topic)"])
            guard await pause(delay) else { return false }
        }
        return true
    }

    private typealias Outcome = AppChannel.Answer.Outcome

    private func mayRetry(_ attempt: Int, _ status: Int?) -> Bool {
        guard let retry = consumption.policy.retry, retry.covers(status: status) else { return false }
        return retry.maxRetries.map { attempt <= $0 } ?? true
    }

    private func send(_ messages: [StoredMessage], to path: String) async -> [Outcome] {
        let form = DeliveryForm(subscription: consumption.subscription)
        let timeout = consumption.policy.timeout
        guard consumption.subscription.bulkLimit != nil else {
            let answer = await app.send(
                .post, path, form.single(messages[0]), type: "application/cloudevents+json",
                headers: form.headers(messages[0]), timeout: timeout)
            return [answer?.outcome ?? .retry(status: nil)]
        }
        let answer = await app.send(.post, path, form.bulk(messages), type: "application/json", timeout: timeout)
        return answer?.outcomes(of: messages.indices.map(String.init)) ?? messages.map { _ in .retry(status: nil) }
    }

    /// Puts the message into the dead letter topic, if there is one. False when cancelled.
    private func bury(_ message: StoredMessage) async -> Bool {
        guard let topic = consumption.deadLetterLogTopic else { return true }
        while true {
            do {
                var copy = message.message
                copy.partition = nil
                // A dead letter is kept for as long as its topic keeps it.
                copy.headers["ttlInSeconds"] = nil
                try await log.publish([copy], to: topic)
                return true
            } catch {
                logger.error("a dead letter was not kept", metadata: ["error": "\(error)"])
                guard await pause(.seconds(1)) else { return false }
            }
        }
    }
}
