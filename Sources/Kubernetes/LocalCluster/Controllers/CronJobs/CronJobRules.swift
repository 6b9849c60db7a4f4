internal import KubernetesClient
internal import StructuredData

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
    internal import FoundationInternationalization
#else
    internal import Foundation
#endif

/// What the CronJob controller does next: a pure function of a CronJob and its Jobs.
struct CronJobRules {
    struct Note: Equatable {
        let isWarning: Bool
        let reason: String
        let text: String

        static func normal(_ reason: String, _ text: String) -> Note {
            Note(isWarning: false, reason: reason, text: text)
        }
        static func warning(_ reason: String, _ text: String) -> Note {
            Note(isWarning: true, reason: reason, text: text)
        }
    }

    struct Plan {
        var status: JSON = [:]
        /// A Job for a time of the schedule.
        var create: (job: JSON, scheduled: KubernetesTime)?
        /// Told as "Deleted job NAME".
        var delete: [KubernetesObject] = []
        var notes: [Note] = []
        var next: Duration?
    }

    /// `kubectl create job --from` sets it.
    private static let startedKey = "cronjob.kubernetes.io/instantiate"
    private static let scheduledKey = "batch.kubernetes.io/cronjob-scheduled-timestamp"
    /// More missed times than this are reported: a clock that jumped, or a schedule that was suspended for long.
    private static let manyMissed = 100

    let cronJob: KubernetesObject
    let jobs: [KubernetesObject]
    let now: KubernetesTime

    private var spec: JSON { cronJob.spec ?? [:] }

    var plan: Plan {
        var plan = Plan()
        let finished = jobs.filter { conditions(of: $0).isFinished }
        // What somebody has started by hand is none of those that a new one may have to wait for or replace.
        let running = jobs.filter {
            !conditions(of: $0).isFinished && !$0.isBeingDeleted && $0.annotations[Self.startedKey] != "manual"
        }
        var active = follow(running, &plan)
        plan.status = status(active: active, finished)
        plan.delete = outdated(finished)
        guard !cronJob.isBeingDeleted, spec["suspend"]?.bool != true else { return plan }
        guard let (schedule, zone) = schedule(&plan) else { return plan }
        plan.next = schedule.next(after: now, in: zone).map { now.duration(to: $0) }
        guard let due = due(schedule, zone, &plan) else { return plan }
        switch spec["concurrencyPolicy"]?.string {
        case "Forbid" where !running.isEmpty:
            plan.notes.append(
                .normal(
                    "JobAlreadyActive",
                    "Not starting job because prior execution is running and concurrency policy is Forbid"))
            return plan
        case "Replace":
            plan.delete += running
            active = []
        default: break
        }
        plan.create = (job(for: due, zone), due)
        plan.status = status(active: active, finished)
        return plan
    }

    /// The status once `job` runs for `scheduled`.
    func status(_ status: JSON, started job: KubernetesObject, for scheduled: KubernetesTime) -> JSON {
        var status = status
        let others = (status["active"]?.array ?? []).filter { $0["uid"]?.string != job.uid }
        status["active"] = .array(others + [Self.reference(to: job)])
        status["lastScheduleTime"] = JSON(scheduled.text)
        return status
    }

    // MARK: - Its Jobs

    private func conditions(of job: KubernetesObject) -> JobConditions {
        JobConditions(job.status?["conditions"]?.array ?? [], now: now)
    }

    private static func reference(to job: KubernetesObject) -> JSON {
        [
            "apiVersion": "batch/v1", "kind": "Job", "name": JSON(job.name), "namespace": JSON(job.namespace ?? ""),
            "resourceVersion": JSON(job.resourceVersion), "uid": JSON(job.uid),
        ]
    }

    /// The references to what still runs. Jobs that have ended, gone or come from elsewhere are told of.
    private func follow(_ running: [KubernetesObject], _ plan: inout Plan) -> [JSON] {
        let known = cronJob.status?["active"]?.array ?? []
        for reference in known {
            guard let uid = reference["uid"]?.string, !running.contains(where: { $0.uid == uid }) else { continue }
            let name = reference["name"]?.string ?? ""
            if let job = jobs.first(where: { $0.uid == uid }) {
                guard !job.isBeingDeleted else { continue }
                let end = conditions(of: job).holds("Complete") ? "Complete" : "Failed"
                plan.notes.append(.normal("SawCompletedJob", "Saw completed job: \(name), condition: \(end)"))
            } else {
                plan.notes.append(.normal("MissingJob", "Active job went missing: \(name)"))
            }
        }
        return running.sorted { $0.name < $1.name }.map { job in
            known.first { $0["uid"]?.string == job.uid } ?? Self.reference(to: job)
        }
    }

    private func outdated(_ finished: [KubernetesObject]) -> [KubernetesObject] {
        func beyond(_ limit: Int?, _ jobs: [KubernetesObject]) -> [KubernetesObject] {
            guard let limit else { return [] }
            let newestLast = jobs.sorted {
                ($0.status?["startTime"]?.string ?? "", $0.name) < ($1.status?["startTime"]?.string ?? "", $1.name)
            }
            return Array(newestLast.dropLast(max(0, limit)))
        }
        let alive = finished.filter { !$0.isBeingDeleted }
        return beyond(
            spec["successfulJobsHistoryLimit"]?.int, alive.filter { conditions(of: $0).holds("Complete") })
            + beyond(spec["failedJobsHistoryLimit"]?.int, alive.filter { conditions(of: $0).holds("Failed") })
    }

    private func status(active: [JSON], _ finished: [KubernetesObject]) -> JSON {
        var status: JSON = [:]
        if !active.isEmpty { status["active"] = .array(active) }
        status["lastScheduleTime"] = cronJob.status?["lastScheduleTime"]
        let successes = finished.compactMap { $0.status?["completionTime"]?.string }
        // All in one form, so that text compares as time.
        let last = (successes + [cronJob.status?["lastSuccessfulTime"]?.string].compactMap { $0 }).max()
        status["lastSuccessfulTime"] = last.map { JSON($0) }
        return status
    }

    // MARK: - The schedule

    private func schedule(_ plan: inout Plan) -> (CronExpression, TimeZone)? {
        let name = spec["timeZone"]?.string
        guard let zone = name.map({ TimeZone(identifier: $0) }) ?? .gmt else {
            plan.notes.append(.warning("UnknownTimeZone", "invalid timeZone: \"\(name ?? "")\": unknown time zone"))
            return nil
        }
        let text = spec["schedule"]?.string ?? ""
        do throws(CronExpression.Fault) { return (try CronExpression(text), zone) } catch {
            plan.notes.append(
                .warning("UnparseableSchedule", "unparseable schedule: \"\(text)\" : \(error.description)"))
            return nil
        }
    }

    /// The newest time that should have been started by now and was not.
    private func due(_ schedule: CronExpression, _ zone: TimeZone, _ plan: inout Plan) -> KubernetesTime? {
        func time(_ value: JSON?) -> KubernetesTime? { value?.string.flatMap { KubernetesTime($0) } }
        let last = time(cronJob.status?["lastScheduleTime"])
        var earliest = last ?? time(cronJob.metadata["creationTimestamp"]) ?? now
        let deadline = spec["startingDeadlineSeconds"]?.int
        if let deadline { earliest = max(earliest, now.advanced(by: .seconds(-deadline))) }
        guard let newest = schedule.latest(from: earliest, through: now, in: zone), newest != last else { return nil }
        if missesMany(schedule, zone, since: earliest) {
            plan.notes.append(
                .warning(
                    "TooManyMissedTimes",
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"))
        }
        if let deadline, newest.advanced(by: .seconds(deadline)) < now {
            plan.notes.append(.warning("MissSchedule", "Missed scheduled time to start a job: \(newest.text)"))
            return nil
        }
        return newest
    }

    private func missesMany(_ schedule: CronExpression, _ zone: TimeZone, since earliest: KubernetesTime) -> Bool {
        var time = earliest
        for _ in 0...Self.manyMissed {
            guard let next = schedule.next(after: time, in: zone), next <= now else { return false }
            time = next
        }
        return true
    }

    /// The name is made of the time: a time has one Job, whatever happens to this program.
    private func job(for scheduled: KubernetesTime, _ zone: TimeZone) -> JSON {
        let template = spec["jobTemplate"] ?? [:]
        let seconds = scheduled.microseconds / 1_000_000
        var metadata: JSON = [
            "name": JSON("\(cronJob.name)-\(seconds / 60)"), "namespace": JSON(cronJob.namespace ?? ""),
            "ownerReferences": [
                cronJob.controllerReference(
                    kind: ResourceType.cronJobs.kind, apiVersion: ResourceType.cronJobs.apiVersion)
            ],
        ]
        for key in ["labels", "annotations"] { metadata[key] = template.at("metadata", key) }
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
        metadata.set(JSON(Self.text(scheduled, offset: offset)), at: "annotations", Self.scheduledKey)
        return ["apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"] ?? [:]]
    }

    /// RFC 3339 with the zone's offset.
    private static func text(_ time: KubernetesTime, offset: Int) -> String {
        guard offset != 0 else { return time.text }
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let minutes = abs(offset) / 60
        return time.advanced(by: .seconds(offset)).text.dropLast()
            + "\(offset < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
