internal import KubernetesClient
internal import StructuredData

/// The conditions of a Job.
struct JobConditions {
    private(set) var all: [JSON]
    private let now: KubernetesTime

    init(_ all: [JSON], now: KubernetesTime) {
        self.all = all
        self.now = now
    }

    /// The condition, when it holds.
    func first(_ type: String) -> JSON? { all.first { $0["type"]?.string == type && $0["status"] == "True" } }

    func holds(_ type: String) -> Bool { first(type) != nil }

    /// What ended the Job.
    private var last: JSON? { first("Complete") ?? first("Failed") }

    var isFinished: Bool { last != nil }

    /// When it was over; nil while it is not.
    var finished: KubernetesTime? { last?["lastTransitionTime"]?.string.flatMap { KubernetesTime($0) } }

    /// True when that is new.
    @discardableResult
    mutating func add(_ type: String, holds: Bool = true, reason: String, message: String) -> Bool {
        guard self.holds(type) != holds else { return false }
        all.removeAll { $0["type"]?.string == type }
        all.append([
            "type": JSON(type), "status": holds ? "True" : "False", "reason": JSON(reason), "message": JSON(message),
            "lastProbeTime": JSON(now.text), "lastTransitionTime": JSON(now.text),
        ])
        return true
    }
}
