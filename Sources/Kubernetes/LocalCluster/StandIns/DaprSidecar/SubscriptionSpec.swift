internal import KubernetesClient
internal import StructuredData

/// A subscription, declared by the app or by an object.
struct SubscriptionSpec: Sendable, Hashable {
    enum Origin: String, Sendable { case programmatic = "PROGRAMMATIC", declarative = "DECLARATIVE" }

    struct Rule: Sendable, Hashable {
        let match: String
        let path: String
    }

    let pubsub: String
    let topic: String
    /// In order; an empty `match` takes everything.
    let rules: [Rule]
    let deadLetterTopic: String?
    let metadata: [String: String]
    /// The largest batch; nil delivers one by one.
    let bulkLimit: Int?
    let origin: Origin

    /// An element of the answer to `GET /dapr/subscribe` (contract section 3).
    init?(programmatic json: JSON) {
        self.init(json, origin: .programmatic)
    }

    init?(_ object: KubernetesObject) {
        guard let spec = object.spec else { return nil }
        self.init(spec, origin: .declarative)
    }

    private init?(_ json: JSON, origin: Origin) {
        guard let pubsub = json["pubsubname"]?.string, let topic = json["topic"]?.string else { return nil }
        var rules = (json.at("routes", "rules")?.array ?? []).compactMap { rule -> Rule? in
            rule["path"]?.string.map { Rule(match: rule["match"]?.string ?? "", path: $0) }
        }
        let rest = json.at("routes", "default")?.string ?? json["route"]?.string ?? ""
        if !rest.isEmpty { rules.append(Rule(match: "", path: rest)) }
        guard !rules.isEmpty else { return nil }
        self.pubsub = pubsub
        self.topic = topic
        self.rules = rules
        deadLetterTopic = json["deadLetterTopic"]?.string.flatMap { $0.isEmpty ? Optional.none : $0 }
        var metadata: [String: String] = [:]
        for (key, value) in json["metadata"]?.object ?? [:] { metadata[key] = value.string ?? value.text }
        self.metadata = metadata
        let bulk = json["bulkSubscribe"]
        bulkLimit = bulk?["enabled"]?.bool == true ? max(1, bulk?["maxMessagesCount"]?.int ?? 80) : nil
        self.origin = origin
    }

    var isRaw: Bool { metadata["rawPayload"] == "true" }

    /// As `/v1.0/metadata` shows it.
    var summary: JSON {
        [
            "pubsubname": .string(pubsub), "topic": .string(topic),
            "rules": .array(rules.map { ["match": .string($0.match), "path": .string($0.path)] }),
            "deadLetterTopic": .string(deadLetterTopic ?? ""), "type": .string(origin.rawValue),
        ]
    }
}
