public import StructuredData

/// A subscription as an app declares it to its sidecar (contract section 3).
public struct TopicSubscription: Sendable, Hashable {
    /// Where events go of which `match` holds.
    public struct Rule: Sendable, Hashable {
        /// An expression in CEL over `event`: `event.type == "dev.todo-operator.task.created"`.
        public var match: String
        public var path: String

        public init(match: String, path: String) {
            self.match = match
            self.path = path
        }
    }

    /// Events come in batches.
    public struct Bulk: Sendable, Hashable {
        public var maxMessages: Int
        /// The longest that an event waits for others, in milliseconds.
        public var maxAwaitMilliseconds: Int

        public init(maxMessages: Int, maxAwaitMilliseconds: Int) {
            self.maxMessages = maxMessages
            self.maxAwaitMilliseconds = maxAwaitMilliseconds
        }
    }

    public var pubsub: String
    public var topic: String
    /// Where events go that match no rule. Begins with a slash.
    public var path: String
    /// Asked in order before `path`.
    public var rules: [Rule]
    public var deadLetterTopic: String?
    public var metadata: [String: String]
    /// Nil delivers one event at a time.
    public var bulk: Bulk?

    public init(
        pubsub: String, topic: String, path: String, rules: [Rule] = [], deadLetterTopic: String? = nil,
        metadata: [String: String] = [:], bulk: Bulk? = nil
    ) {
        self.pubsub = pubsub
        self.topic = topic
        self.path = path
        self.rules = rules
        self.deadLetterTopic = deadLetterTopic
        self.metadata = metadata
        self.bulk = bulk
    }

    /// Every path that events may come to, each once.
    public var paths: [String] {
        var paths: [String] = []
        for path in rules.map(\.path) + [path] where !paths.contains(path) { paths.append(path) }
        return paths
    }

    /// The subscription as `GET /dapr/subscribe` answers it.
    public var json: JSON {
        var json: JSONObject = ["pubsubname": .string(pubsub), "topic": .string(topic)]
        if rules.isEmpty {
            json["route"] = .string(path)
        } else {
            let rules = rules.map { rule -> JSON in ["match": .string(rule.match), "path": .string(rule.path)] }
            json["routes"] = ["rules": .array(rules), "default": .string(path)]
        }
        if let deadLetterTopic { json["deadLetterTopic"] = .string(deadLetterTopic) }
        if !metadata.isEmpty { json["metadata"] = JSON(metadata) }
        if let bulk {
            json["bulkSubscribe"] = [
                "enabled": true, "maxMessagesCount": JSON(bulk.maxMessages),
                "maxAwaitDurationMs": JSON(bulk.maxAwaitMilliseconds),
            ]
        }
        return .object(json)
    }
}
