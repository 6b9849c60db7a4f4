import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

/// A Job whose pods are ended by hand: what a plan says is done to it, without a server.
private struct JobSimulation {
    let time = ManualTime()
    var job: KubernetesObject
    var pods: [KubernetesObject] = []
    var notes: [String] = []
    var isExpired = false
    var next: Duration?
    private var serial = 0

    init(_ spec: JSON = [:]) {
        var full: JSON = [
            "completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": false,
            "podReplacementPolicy": "TerminatingOrFailed",
            "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "main", "env": []]]]],
        ]
        for (key, value) in spec.object ?? [:] { full[key] = value }
        job = KubernetesObject([
            "metadata": ["name": "work", "namespace": "shop", "uid": "job"], "spec": full, "status": [:],
        ])
    }

    /// Passes until nothing is left to do.
    mutating func settle() {
        for _ in 0..<20 where !pass() { return }
    }

    /// One pass; false when it changed nothing. What it deletes ends at once.
    mutating func pass() -> Bool {
        let plan = JobRules(job: job, pods: pods, now: time.wallClock).plan
        (isExpired, next) = (plan.isExpired, plan.next)
        let old = (job, pods)
        if plan.status != job.status { notes += plan.notes.map(\.reason) }
        job.json["status"] = plan.status
        for pod in plan.release + plan.discard { update(pod.name) { $0.json["metadata"]?["finalizers"] = [] } }
        for pod in plan.discard + plan.delete { remove(pod.name) }
        for pod in plan.create { add(pod) }
        return old != (job, pods)
    }

    private mutating func add(_ pod: JSON) {
        serial += 1
        var pod = pod
        let name = (pod.at("metadata", "generateName")?.string ?? "") + "\(serial)"
        pod.set(JSON(name), at: "metadata", "name")
        pod.set(JSON("uid-\(name)"), at: "metadata", "uid")
        pod.set(JSON(time.wallClock.text), at: "metadata", "creationTimestamp")
        pod.set("local", at: "spec", "nodeName")
        pod["status"] = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
        pods.append(KubernetesObject(pod))
    }

    private mutating func update(_ name: String, _ change: (inout KubernetesObject) -> Void) {
        for index in pods.indices where pods[index].name == name { change(&pods[index]) }
    }

    var running: [String] { pods.filter { PodView($0).isActive }.map(\.name) }

    mutating func end(_ name: String, code: Int = 0) {
        let finished = time.wallClock.text
        update(name) { pod in
            pod.json["status"] = [
                "phase": code == 0 ? "Succeeded" : "Failed",
                "containerStatuses": [
                    ["name": "main", "state": ["terminated": ["exitCode": JSON(code), "finishedAt": JSON(finished)]]]
                ],
            ]
        }
    }

    /// As the server and the node do it: what has a finalizer stays, as failed.
    mutating func remove(_ name: String) {
        update(name) { pod in
            pod.json.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp")
            pod.json.set("Failed", at: "status", "phase")
        }
        pods.removeAll { $0.isBeingDeleted && $0.finalizers.isEmpty }
    }

    /// What was counted and deleted is gone.
    mutating func sweep() { pods.removeAll { PodView($0).isFinished && $0.finalizers.isEmpty } }

    func condition(_ type: String) -> JSON? {
        job.status?["conditions"]?.array?.first { $0["type"]?.string == type && $0["status"] == "True" }
    }
    func count(_ key: String) -> Int { job.status?[key]?.int ?? 0 }
}

@Suite struct JobRulesTests {
    @Test func runsToItsCompletionsInParallel() {
        var job = JobSimulation(["completions": 5, "parallelism": 2])
        job.settle()
        #expect(job.count("active") == 2)
        #expect(job.job.status?["startTime"]?.string == job.time.wallClock.text)
        for _ in 0..<5 {
            #expect(job.running.count <= 2)
            job.end(job.running[0])
            job.settle()
        }
        #expect(job.count("succeeded") == 5)
        #expect(job.condition("SuccessCriteriaMet")?["reason"] == "CompletionsReached")
        #expect(job.condition("Complete")?["message"] == "Reached expected number of succeeded pods")
        #expect(job.job.status?["completionTime"] != nil)
        #expect(job.job.status?["uncountedTerminatedPods"] == [:])
        #expect(job.job.status?["active"] == nil)
        #expect(job.notes == ["Completed"])
        #expect(job.pods.count == 5)
        // Nothing is left to do.
        let isLeft = job.pass()
        #expect(!isLeft)
    }

    @Test func countsEachPodOnceWhateverStopsInBetween() {
        var job = JobSimulation(["completions": 3, "parallelism": 3])
        job.settle()
        let names = job.running
        job.end(names[0])
        // The status is written, the finalizers are not yet taken off: the same pass again.
        let plan = JobRules(job: job.job, pods: job.pods, now: job.time.wallClock).plan
        job.job.json["status"] = plan.status
        #expect(plan.status["uncountedTerminatedPods"]?["succeeded"] == [JSON("uid-\(names[0])")])
        #expect(plan.status["succeeded"] == nil)
        job.settle()
        #expect(job.count("succeeded") == 1)
        // Counted and gone, it stays counted.
        job.sweep()
        job.settle()
        #expect(job.count("succeeded") == 1)
        #expect(job.running.count == 2)
    }

    @Test func failsBeyondTheBackoffLimit() {
        var job = JobSimulation(["backoffLimit": 2])
        var waits: [Duration] = []
        for _ in 0..<3 {
            job.settle()
            if job.running.isEmpty, let next = job.next {
                waits.append(next)
                job.time.advance(by: next)
                job.settle()
            }
            job.end(job.running[0], code: 1)
        }
        job.settle()
        #expect(waits == [.seconds(10), .seconds(20)])
        #expect(job.count("failed") == 3)
        #expect(job.condition("FailureTarget")?["reason"] == "BackoffLimitExceeded")
        #expect(job.condition("Failed")?["message"] == "Job has reached the specified backoff limit")
        #expect(job.notes == ["BackoffLimitExceeded"])
        #expect(job.running.isEmpty)
    }

    @Test func aSuccessForgetsTheBackOff() {
        var job = JobSimulation(["completions": 3])
        job.settle()
        job.end(job.running[0], code: 1)
        job.settle()
        #expect(job.next == .seconds(10))
        job.time.advance(by: .seconds(10))
        job.settle()
        job.time.advance(by: .seconds(1))
        job.end(job.running[0])
        job.settle()
        #expect(job.running.count == 1)
    }

    @Test func restartsOfPodsThatMayRestartCountAsFailures() {
        var job = JobSimulation([
            "backoffLimit": 3,
            "template": ["spec": ["restartPolicy": "OnFailure", "containers": [["name": "main"]]]],
        ])
        job.settle()
        job.pods[0].json.set([["name": "main", "restartCount": 2]], at: "status", "containerStatuses")
        job.settle()
        #expect(job.condition("Failed") == nil)
        job.pods[0].json.set([["name": "main", "restartCount": 3]], at: "status", "containerStatuses")
        job.settle()
        #expect(job.condition("Failed")?["reason"] == "BackoffLimitExceeded")
        #expect(job.count("failed") == 1)
    }

    @Test func endsAtItsDeadline() {
        var job = JobSimulation(["activeDeadlineSeconds": 30])
        job.settle()
        #expect(job.next == .seconds(30))
        job.time.advance(by: .seconds(30))
        job.settle()
        #expect(job.condition("Failed")?["reason"] == "DeadlineExceeded")
        #expect(job.condition("Failed")?["message"] == "Job was active longer than specified deadline")
        #expect(job.running.isEmpty)
    }

    @Test func aSuspendedJobRunsNothingAndItsClockBeginsAnew() {
        var job = JobSimulation(["suspend": true, "activeDeadlineSeconds": 30])
        job.settle()
        #expect(job.pods.isEmpty)
        #expect(job.condition("Suspended")?["reason"] == "JobSuspended")
        #expect(job.job.status?["startTime"] == nil)
        job.time.advance(by: .seconds(100))
        job.job.json.set(false, at: "spec", "suspend")
        job.settle()
        #expect(job.running.count == 1)
        #expect(job.job.status?["startTime"]?.string == job.time.wallClock.text)
        #expect(job.condition("Suspended") == nil)
        job.job.json.set(true, at: "spec", "suspend")
        job.settle()
        // What a suspension ends is no failure.
        #expect(job.running.isEmpty)
        #expect(job.count("failed") == 0)
        #expect(job.notes == ["Suspended", "Resumed", "Suspended"])
    }

    @Test func anIndexedJobRunsEachIndex() {
        var job = JobSimulation(["completions": 4, "parallelism": 2, "completionMode": "Indexed"])
        job.settle()
        let first = job.pods[0]
        #expect(first.annotations[JobRules.indexKey] == "0")
        #expect(first.labels[JobRules.indexKey] == "0")
        #expect(first.spec?["hostname"] == "work-0")
        #expect(first.spec?["containers"]?[0]?["env"]?[0]?["name"] == "JOB_COMPLETION_INDEX")
        #expect(job.pods.map { $0.annotations[JobRules.indexKey] } == ["0", "1"])
        // Index 1 fails and is tried again; the others go on.
        job.end(job.running[1], code: 1)
        job.settle()
        job.end(job.running[0])
        job.settle()
        job.time.advance(by: .seconds(20))
        job.settle()
        #expect(job.job.status?["completedIndexes"] == "0")
        #expect(
            Set(job.running.compactMap { name in job.pods.first { $0.name == name }?.annotations[JobRules.indexKey] })
                == ["1", "2"])
        for _ in 0..<3 {
            if let name = job.running.first { job.end(name) }
            job.settle()
        }
        #expect(job.job.status?["completedIndexes"] == "0-3")
        #expect(job.count("succeeded") == 4)
        #expect(job.condition("Complete") != nil)
    }

    @Test(arguments: [
        ("", ""), ("0", "0"), ("0-3,5", "0-3,5"), ("0,1", "0,1"), ("5,0-1", "0,1,5"), ("7-9223372036854775807", "7-9"),
    ])
    func writesIndexesAsRanges(text: String, expected: String) {
        #expect(CompletedIndexes(text, below: 10).text == expected)
    }

    @Test func aQueueOfWorkIsDoneWhenOnePodSaysSo() {
        var job = JobSimulation(["completions": nil, "parallelism": 3])
        job.settle()
        #expect(job.running.count == 3)
        job.end(job.running[0])
        job.settle()
        #expect(job.running.count == 2)
        #expect(job.condition("Complete") == nil)
        for name in job.running { job.end(name) }
        job.settle()
        #expect(job.condition("Complete") != nil)
        #expect(job.count("succeeded") == 3)
    }

    @Test func aDeletedPodIsReplacedAndCountsAsFailed() {
        var job = JobSimulation()
        job.settle()
        job.remove(job.running[0])
        job.settle()
        #expect(job.count("failed") == 1)
        job.time.advance(by: .seconds(10))
        job.settle()
        #expect(job.running.count == 1)
    }

    @Test func goesAfterItsTime() {
        var job = JobSimulation(["ttlSecondsAfterFinished": 60])
        job.settle()
        job.end(job.running[0])
        job.settle()
        #expect(!job.isExpired)
        #expect(job.next == .seconds(60))
        job.time.advance(by: .seconds(60))
        _ = job.pass()
        #expect(job.isExpired)
    }

    @Test func aPodFailurePolicyDecidesOnExitCodes() {
        let policy: JSON = [
            "rules": [
                ["action": "Ignore", "onExitCodes": ["operator": "In", "values": [7]]],
                ["action": "FailJob", "onExitCodes": ["operator": "In", "containerName": "main", "values": [42]]],
            ]
        ]
        var job = JobSimulation(["podFailurePolicy": policy, "backoffLimit": 0])
        job.settle()
        job.end(job.running[0], code: 7)
        job.settle()
        #expect(job.count("failed") == 0)
        job.time.advance(by: .seconds(10))
        job.settle()
        let name = job.running[0]
        job.end(name, code: 42)
        job.settle()
        #expect(job.condition("Failed")?["reason"] == "PodFailurePolicy")
        #expect(
            job.condition("Failed")?["message"]?.string
                == "Container main for pod shop/\(name) failed with exit code 42 matching FailJob rule at index 1")
    }

    @Test func lessParallelismEndsPodsThatAreNoFailures() {
        var job = JobSimulation(["completions": 5, "parallelism": 4])
        job.settle()
        job.job.json.set(1, at: "spec", "parallelism")
        job.settle()
        #expect(job.running.count == 1)
        #expect(job.count("failed") == 0)
    }
}
