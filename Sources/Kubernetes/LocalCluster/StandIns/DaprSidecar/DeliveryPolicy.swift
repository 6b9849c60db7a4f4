internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// How deliveries to an app are tried again and how long one may take, as Resiliency says (contract section 4).
/// Circuit breakers are not among it: on one machine there is nothing that they would spare.
struct DeliveryPolicy: Sendable, Hashable {
    struct Retry: Sendable, Hashable {
        var isExponential = false
        /// Between two attempts when not exponential.
        var duration: Duration = .seconds(5)
        var maxInterval: Duration = .seconds(60)
        /// Nil is forever.
        var maxRetries: Int?
        /// Answers that are worth another attempt; empty means all.
        var statuses: [ClosedRange<Int>] = []

        /// How long to wait after attempt number `attempt`, the first being 1. `jitter` is within 0..<1.
        func delay(after attempt: Int, jitter: Double) -> Duration {
            guard isExponential else { return duration }
            // As Dapr's: from half a second, half as much more each time, spread by half.
            var delay: Duration = .milliseconds(500)
            for _ in 1..<max(attempt, 1) where delay < maxInterval { delay = delay * 3 / 2 }
            return min(delay, maxInterval) * (0.5 + jitter)
        }

        func covers(status: Int?) -> Bool {
            guard let status, !statuses.isEmpty else { return true }
            return statuses.contains { $0.contains(status) }
        }
    }

    var timeout: Duration = .seconds(60)
    /// Nil when no policy asks for it.
    var retry: Retry?

    init() {}

    /// What holds for deliveries from the pub/sub component.
    init(inboundOf component: String, _ resiliencies: [KubernetesObject]) {
        for object in resiliencies {
            let policies = object.spec?["policies"]
            let target = object.spec?.at("targets", "components", component, "inbound")
            let kinds = ["DefaultPubsubComponentInbound", "DefaultComponentInbound", "Default"]
            func named(_ member: String, _ suffix: String) -> JSON? {
                // A target that names nothing of the kind has none; only what is no target takes the defaults.
                let names =
                    target.map { [$0[suffix.lowercased()]?.string ?? ""] } ?? kinds.map { "\($0)\(suffix)Policy" }
                return names.lazy.compactMap { policies?[member]?[$0] }.first
            }
            if let retry = named("retries", "Retry") { self.retry = Retry(retry) }
            if let timeout = named("timeouts", "Timeout").flatMap(Self.duration) { self.timeout = timeout }
        }
    }

    fileprivate static func duration(_ json: JSON) -> Duration? {
        if let milliseconds = json.int ?? json.string.flatMap({ Int($0) }) { return .milliseconds(milliseconds) }
        return json.string.flatMap { GoDuration($0) }.map { .nanoseconds($0.nanoseconds) }
    }
}

extension DeliveryPolicy.Retry {
    fileprivate init(_ json: JSON) {
        isExponential = json["policy"]?.string == "exponential"
        if let duration = json["duration"].flatMap(DeliveryPolicy.duration) { self.duration = duration }
        if let interval = json["maxInterval"].flatMap(DeliveryPolicy.duration) { maxInterval = interval }
        maxRetries = (json["maxRetries"]?.int).flatMap { $0 < 0 ? Optional.none : $0 }
        statuses = (json.at("matching", "httpStatusCodes")?.string ?? "").split(separator: ",").compactMap { part in
            let ends = part.split(separator: "-").map { Int($0.drop { $0 == " " }) }
            guard let low = ends.first ?? nil, let high = ends.last ?? nil, low <= high else { return nil }
            return low...high
        }
    }
}
