internal import KubernetesClient
internal import StructuredData

/// How many pods of a Job have succeeded and failed: those in its status, and those that have ended since.
struct JobCounts {
    private(set) var countedSucceeded: Int
    private(set) var countedFailed: Int
    /// Of an Indexed Job.
    private(set) var completed: CompletedIndexes
    private var uncountedSucceeded: [String] = []
    private var uncountedFailed: [String] = []
    /// The rule of the pod failure policy that ends the Job, in words.
    private(set) var failJobMessage: String?
    /// UIDs of pods whose end is known.
    private var over: Set<String> = []
    private let rules: JobRules

    init(_ rules: JobRules) {
        self.rules = rules
        let status = rules.job.status ?? [:]
        countedSucceeded = status["succeeded"]?.int ?? 0
        countedFailed = status["failed"]?.int ?? 0
        completed = CompletedIndexes(
            status["completedIndexes"]?.string ?? "", below: rules.completions ?? 0)
        takeUncounted(status["uncountedTerminatedPods"] ?? [:])
        for pod in rules.pods where pod.object.finalizers.contains(JobRules.finalizer) { take(pod) }
        if rules.isIndexed { countedSucceeded = completed.count }
    }

    /// With those that wait to be counted.
    var succeeded: Int { countedSucceeded + uncountedSucceeded.count }
    var failed: Int { countedFailed + uncountedFailed.count }
    var isSettled: Bool { uncountedSucceeded.isEmpty && uncountedFailed.isEmpty }

    var isComplete: Bool {
        if let completions = rules.completions { return succeeded >= completions }
        // A queue of work is done when one pod says so and the others have ended.
        return succeeded > 0 && rules.active.isEmpty
    }

    var uncounted: JSON {
        var json: JSON = [:]
        if !uncountedSucceeded.isEmpty { json["succeeded"] = .array(uncountedSucceeded.map { JSON($0) }) }
        if !uncountedFailed.isEmpty { json["failed"] = .array(uncountedFailed.map { JSON($0) }) }
        return json
    }

    func isOver(_ pod: KubernetesObject) -> Bool { over.contains(pod.uid) || rules.job.isBeingDeleted }

    /// The Job is over: what comes late is not counted.
    mutating func settle() { (uncountedSucceeded, uncountedFailed) = ([], []) }

    /// Those without a finalizer are counted now; the others stay on the list.
    private mutating func takeUncounted(_ lists: JSON) {
        let tracked = Set(
            rules.pods.map(\.object).filter { $0.finalizers.contains(JobRules.finalizer) }.map(\.uid))
        for uid in (lists["succeeded"]?.array ?? []).compactMap(\.string) {
            if tracked.contains(uid) { uncountedSucceeded.append(uid) } else { countedSucceeded += 1 }
        }
        for uid in (lists["failed"]?.array ?? []).compactMap(\.string) {
            if tracked.contains(uid) { uncountedFailed.append(uid) } else { countedFailed += 1 }
        }
    }

    private mutating func take(_ pod: PodView) {
        let uid = pod.object.uid
        let isSuccess = pod.phase == "Succeeded"
        guard isSuccess || hasFailed(pod) else { return }
        over.insert(uid)
        if uncountedSucceeded.contains(uid) || uncountedFailed.contains(uid) { return }
        if isSuccess {
            guard rules.isIndexed else { return uncountedSucceeded.append(uid) }
            // The index is enough to count it once.
            if let index = JobRules.index(of: pod.object), index < rules.completions ?? 0 { completed.insert(index) }
            return
        }
        switch PodFailurePolicy(rules.spec["podFailurePolicy"]).verdict(on: pod.object) {
        case .count: uncountedFailed.append(uid)
        case .ignore: break
        case .failJob(let message):
            uncountedFailed.append(uid)
            failJobMessage = message
        }
    }

    /// A pod that was deleted has failed, at once or when it has ended, as `podReplacementPolicy` says.
    private func hasFailed(_ pod: PodView) -> Bool {
        if pod.phase == "Failed" { return true }
        guard pod.object.isBeingDeleted else { return false }
        guard rules.waitsForEnd else { return true }
        // Nothing of it runs on the node, and nothing will.
        return pod.nodeName.isEmpty || pod.object.metadata["deletionGracePeriodSeconds"]?.int == 0
    }
}

/// The indexes that have succeeded, as `status.completedIndexes` has them: `0-2,4`.
struct CompletedIndexes: Equatable {
    private(set) var all: Set<Int> = []

    /// Anybody can write the text: no index counts that the Job does not have.
    init(_ text: String, below completions: Int) {
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last.map({ min($0, completions - 1) }), first <= last else {
                continue
            }
            all.formUnion(first...last)
        }
    }

    var count: Int { all.count }
    var isEmpty: Bool { all.isEmpty }
    func contains(_ index: Int) -> Bool { all.contains(index) }
    mutating func insert(_ index: Int) { all.insert(index) }

    var text: String {
        var ranges: [ClosedRange<Int>] = []
        for index in all.sorted() {
            if let last = ranges.last, last.upperBound + 1 == index {
                ranges[ranges.count - 1] = last.lowerBound...index
            } else {
                ranges.append(index...index)
            }
        }
        // Two neighbours are written with a comma, as Kubernetes does it.
        return ranges.map { range in
            switch range.count {
            case 1: "\(range.lowerBound)"
            case 2: "\(range.lowerBound),\(range.upperBound)"
            default: "\(range.lowerBound)-\(range.upperBound)"
            }
        }.joined(separator: ",")
    }
}
