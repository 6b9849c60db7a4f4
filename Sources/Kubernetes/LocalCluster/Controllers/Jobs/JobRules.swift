internal import KubernetesClient
internal import StructuredData

/// What the Job controller does next: a pure function of a Job and its pods.
///
/// Every pod carries a finalizer until it is counted, as in Kubernetes: first its UID is written to
/// `status.uncountedTerminatedPods`, then the finalizer goes, then the number grows. So each is counted once, whoever
/// deletes it and wherever this program is stopped.
struct JobRules {
    struct Plan {
        var status: JSON = [:]
        var create: [JSON] = []
        /// Pods of a Job that has failed: they count as failed.
        var delete: [KubernetesObject] = []
        /// Pods that are not wanted any more: they count as nothing.
        var discard: [KubernetesObject] = []
        /// Their finalizers go once the status is written.
        var release: [KubernetesObject] = []
        var notes: [Note] = []
        var isExpired = false
        /// When time alone makes a difference.
        var next: Duration?

        mutating func look(after delay: Duration) { next = min(next ?? delay, delay) }
    }

    struct Note: Equatable {
        let isWarning: Bool
        let reason: String
        let text: String
    }

    static let finalizer = "batch.kubernetes.io/job-tracking"

    let job: KubernetesObject
    /// All that it controls.
    let pods: [PodView]
    let now: KubernetesTime

    init(job: KubernetesObject, pods: [KubernetesObject], now: KubernetesTime) {
        self.job = job
        self.pods = pods.map(PodView.init)
        self.now = now
    }

    var spec: JSON { job.spec ?? [:] }
    var completions: Int? { spec["completions"]?.int }
    var parallelism: Int { spec["parallelism"]?.int ?? 1 }
    var isIndexed: Bool { spec["completionMode"]?.string == "Indexed" }
    var isSuspended: Bool { spec["suspend"]?.bool ?? false }
    var active: [PodView] { pods.filter(\.isActive) }
    var terminating: [PodView] { pods.filter { $0.object.isBeingDeleted && !$0.isFinished } }
    var conditions: JobConditions { JobConditions(job.status?["conditions"]?.array ?? [], now: now) }

    var plan: Plan {
        var plan = Plan()
        var counts = JobCounts(self)
        plan.release = pods.map(\.object).filter { $0.finalizers.contains(Self.finalizer) && counts.isOver($0) }
        var conditions = conditions
        if conditions.isFinished {
            counts.settle()
            plan.status = status(counts, conditions, started: started)
            expire(conditions, &plan)
            return plan
        }
        var started = started
        if started == nil, !isSuspended {
            started = now
            plan.notes += unsupported
        }
        if let failure = failure(counts, conditions, started: started) {
            if conditions.add("FailureTarget", reason: failure.reason, message: failure.message) {
                plan.notes.append(Note(isWarning: true, reason: failure.reason, text: failure.message))
            }
            plan.delete = active.map(\.object)
        } else if counts.isComplete || conditions.holds("SuccessCriteriaMet") {
            conditions.add(
                "SuccessCriteriaMet", reason: "CompletionsReached",
                message: "Reached expected number of succeeded pods")
            plan.discard = active.map(\.object)
        } else {
            go(on: counts, &conditions, &started, &plan)
        }
        finish(counts, &conditions, &plan)
        plan.status = status(counts, conditions, started: started)
        return plan
    }

    private var started: KubernetesTime? { job.status?["startTime"]?.string.flatMap { KubernetesTime($0) } }

    /// Neither failed nor complete: suspends, resumes, or brings the number of pods to what it should be.
    private func go(
        on counts: JobCounts, _ conditions: inout JobConditions, _ started: inout KubernetesTime?, _ plan: inout Plan
    ) {
        if isSuspended {
            if conditions.add("Suspended", reason: "JobSuspended", message: "Job suspended") {
                plan.notes.append(Note(isWarning: false, reason: "Suspended", text: "Job suspended"))
            }
            plan.discard = active.map(\.object)
            return
        }
        if conditions.holds("Suspended") {
            conditions.add("Suspended", holds: false, reason: "JobResumed", message: "Job resumed")
            plan.notes.append(Note(isWarning: false, reason: "Resumed", text: "Job resumed"))
            started = now
        }
        if let limit = spec["activeDeadlineSeconds"]?.int, let started {
            plan.look(after: now.duration(to: started.advanced(by: .seconds(limit))))
        }
        manage(counts, &plan)
    }

    /// The last condition comes when nothing runs any more and everything is counted.
    private func finish(_ counts: JobCounts, _ conditions: inout JobConditions, _ plan: inout Plan) {
        guard active.isEmpty, terminating.isEmpty, counts.isSettled else { return }
        if let target = conditions.first("FailureTarget") {
            conditions.add(
                "Failed", reason: target["reason"]?.string ?? "", message: target["message"]?.string ?? "")
        } else if conditions.holds("SuccessCriteriaMet") {
            conditions.add(
                "Complete", reason: "CompletionsReached", message: "Reached expected number of succeeded pods")
            plan.notes.append(Note(isWarning: false, reason: "Completed", text: "Job completed"))
        } else {
            return
        }
        expire(conditions, &plan)
    }

    private func expire(_ conditions: JobConditions, _ plan: inout Plan) {
        guard let limit = spec["ttlSecondsAfterFinished"]?.int, let finished = conditions.finished else { return }
        let due = finished.advanced(by: .seconds(limit))
        if due <= now { plan.isExpired = true } else { plan.look(after: now.duration(to: due)) }
    }

    // MARK: - Failure

    private func failure(
        _ counts: JobCounts, _ conditions: JobConditions, started: KubernetesTime?
    ) -> (reason: String, message: String)? {
        if let target = conditions.first("FailureTarget") {
            return (target["reason"]?.string ?? "", target["message"]?.string ?? "")
        }
        if let message = counts.failJobMessage { return ("PodFailurePolicy", message) }
        if counts.failed > backoffLimit || restartsExceedLimit {
            return ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        }
        if let limit = spec["activeDeadlineSeconds"]?.int, !isSuspended, let started,
            started.advanced(by: .seconds(limit)) <= now
        {
            return ("DeadlineExceeded", "Job was active longer than specified deadline")
        }
        return nil
    }

    private var backoffLimit: Int { spec["backoffLimit"]?.int ?? 6 }

    /// Pods with `OnFailure` fail by being restarted.
    private var restartsExceedLimit: Bool {
        guard spec.at("template", "spec", "restartPolicy")?.string == "OnFailure" else { return false }
        let restarts = active.reduce(0) { $0 + $1.restarts }
        return backoffLimit == 0 ? restarts > 0 : restarts >= backoffLimit
    }

    /// Fields that are stored and not honoured: people are told once.
    private var unsupported: [Note] {
        ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"].filter { spec[$0] != nil }.map {
            Note(isWarning: true, reason: "NotSupported", text: "spec.\($0) has no effect in this cluster")
        }
    }

    // MARK: - Status

    private func status(_ counts: JobCounts, _ conditions: JobConditions, started: KubernetesTime?) -> JSON {
        var status: JSON = [
            "ready": JSON(active.filter(\.isReady).count), "terminating": JSON(terminating.count),
            "uncountedTerminatedPods": counts.uncounted,
        ]
        for (key, count) in [
            ("active", active.count), ("succeeded", counts.countedSucceeded), ("failed", counts.countedFailed),
        ] where count > 0 {
            status[key] = JSON(count)
        }
        if isIndexed, !counts.completed.isEmpty { status["completedIndexes"] = JSON(counts.completed.text) }
        status["startTime"] = started.map { JSON($0.text) }
        if conditions.holds("Complete") {
            status["completionTime"] = job.status?["completionTime"] ?? JSON(now.text)
        }
        if !conditions.all.isEmpty { status["conditions"] = .array(conditions.all) }
        return status
    }
}
