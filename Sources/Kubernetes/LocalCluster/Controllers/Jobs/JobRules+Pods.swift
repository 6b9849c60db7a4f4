internal import KubernetesClient
internal import StructuredData

extension JobRules {
    static let indexKey = "batch.kubernetes.io/job-completion-index"
    private static let firstBackoff: Duration = .seconds(10)
    private static let longestBackoff: Duration = .seconds(600)

    /// Terminating pods still hold their places.
    var waitsForEnd: Bool { spec["podReplacementPolicy"]?.string == "Failed" }

    static func index(of pod: KubernetesObject) -> Int? { pod.annotations[indexKey].flatMap { Int($0) } }

    /// Adds what brings the number of pods to what is wanted.
    func manage(_ counts: JobCounts, _ plan: inout Plan) {
        let duplicates = isIndexed ? duplicates : []
        plan.discard += duplicates.map(\.object)
        let places = active.count - duplicates.count + (waitsForEnd ? terminating.count : 0)
        let wanted = wantedPods(counts)
        if places > wanted {
            let names = Set(duplicates.map(\.object.name))
            let candidates = active.filter { !names.contains($0.object.name) }
            plan.discard += candidates.sorted(by: ReplicaSetRules.goesBefore).prefix(places - wanted).map(\.object)
        } else if places < wanted {
            if let delay = backoff { return plan.look(after: delay) }
            plan.create = newPods(wanted - places, counts)
        }
    }

    private func wantedPods(_ counts: JobCounts) -> Int {
        if let completions { return min(parallelism, max(0, completions - counts.succeeded)) }
        // One success means that there is no work left to begin.
        return counts.succeeded > 0 ? min(active.count, parallelism) : parallelism
    }

    /// How long no pod is started after failures: 10 s, doubled with each one since the last success, up to 10 min.
    private var backoff: Duration? {
        let ends = pods.compactMap { pod in finish(of: pod).map { ($0, pod.phase == "Failed") } }
        let lastSuccess = ends.filter { !$0.1 }.map(\.0).max()
        let failures = ends.filter { end in end.1 && lastSuccess.map { end.0 > $0 } ?? true }.map(\.0)
        guard let last = failures.max() else { return nil }
        let delay = min(Self.firstBackoff * (1 << min(failures.count - 1, 10)), Self.longestBackoff)
        let rest = now.duration(to: last.advanced(by: delay))
        return rest > .zero ? rest : nil
    }

    private func finish(of pod: PodView) -> KubernetesTime? {
        guard pod.isFinished else { return nil }
        let ends = (pod.object.status?["containerStatuses"]?.array ?? []).compactMap {
            $0.at("state", "terminated", "finishedAt")?.string.flatMap { KubernetesTime($0) }
        }
        return ends.max() ?? pod.created
    }

    // MARK: - New pods

    /// Of each index the oldest stays.
    private var duplicates: [PodView] {
        var seen: Set<Int> = []
        let oldestFirst = active.sorted {
            ($0.created?.microseconds ?? 0, $0.object.name) < ($1.created?.microseconds ?? 0, $1.object.name)
        }
        return oldestFirst.filter { pod in
            guard let index = Self.index(of: pod.object), index < completions ?? 0 else { return true }
            return !seen.insert(index).inserted
        }
    }

    private func newPods(_ count: Int, _ counts: JobCounts) -> [JSON] {
        let count = min(count, PodControl.burst)
        guard isIndexed else { return (0..<count).map { _ in newPod(index: nil) } }
        let holders = active + (waitsForEnd ? terminating : [])
        let taken = Set(holders.compactMap { Self.index(of: $0.object) })
        let free = (0..<(completions ?? 0)).lazy.filter { !counts.completed.contains($0) && !taken.contains($0) }
        return free.prefix(count).map { newPod(index: $0) }
    }

    private func newPod(index: Int?) -> JSON {
        var template = spec["template"] ?? [:]
        let finalizers = template.at("metadata", "finalizers")?.array ?? []
        template.set(.array(finalizers + [JSON(Self.finalizer)]), at: "metadata", "finalizers")
        guard let index else { return PodControl.pod(of: template, owner: job, .jobs) }
        for key in ["labels", "annotations"] { template.set(JSON("\(index)"), at: "metadata", key, Self.indexKey) }
        template.set(JSON("\(job.name)-\(index)"), at: "spec", "hostname")
        let variable: JSON = [
            "name": "JOB_COMPLETION_INDEX",
            "valueFrom": ["fieldRef": ["fieldPath": JSON("metadata.labels['\(Self.indexKey)']")]],
        ]
        for key in ["initContainers", "containers"] {
            guard let containers = template.at("spec", key)?.array else { continue }
            let changed = containers.map { container in
                var container = container
                let own = (container["env"]?.array ?? []).filter { $0["name"] != "JOB_COMPLETION_INDEX" }
                container["env"] = .array(own + [variable])
                return container
            }
            template.set(.array(changed), at: "spec", key)
        }
        return PodControl.pod(of: template, owner: job, .jobs, generateName: "\(job.name)-\(index)-")
    }
}
