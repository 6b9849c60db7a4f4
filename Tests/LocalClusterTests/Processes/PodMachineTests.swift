import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite struct PodMachineTests {
    private let time = ManualTime()

    private func pod(_ spec: JSON = [:], container: JSON = [:], status: JSON = [:]) -> KubernetesObject {
        var main: JSON = ["name": "main", "image": "example.com/app:1"]
        for (key, value) in container.object ?? [:] { main[key] = value }
        var full: JSON = ["containers": [main], "terminationGracePeriodSeconds": 7, "nodeName": "local"]
        for (key, value) in spec.object ?? [:] { full[key] = value }
        return KubernetesObject([
            "metadata": ["name": "web", "namespace": "shop", "uid": "u1"], "spec": full, "status": status,
        ])
    }

    private func machine(_ pod: KubernetesObject) -> PodMachine {
        let images = ImageList(programs: ["example.com/app": "/bin/app"])
        return PodMachine(pod, address: "127.64.0.9", images: images, now: now)
    }

    private var now: Moment { Moment(time) }

    private func status(_ machine: PodMachine) -> JSON {
        machine.status(node: NodeDescription(), now: time.wallClock)
    }

    private func reasons(_ actions: [PodMachine.Action]) -> [String] {
        actions.compactMap { if case .event(let note) = $0 { note.reason } else { nil } }
    }

    private func starts(_ actions: [PodMachine.Action]) -> [Int] {
        actions.compactMap { if case .start(_, let attempt) = $0 { attempt } else { nil } }
    }

    /// A machine whose container runs.
    private func running(_ pod: KubernetesObject) -> PodMachine {
        var machine = machine(pod)
        _ = machine.advance(now: now)
        machine.didStart("main", id: machine.containerID("main", 0), now: now)
        return machine
    }

    @Test func startsAndIsReadyWithoutProbes() {
        var machine = machine(pod())
        let actions = machine.advance(now: now)
        #expect(starts(actions) == [0])
        #expect(status(machine)["phase"] == "Pending")
        machine.didStart("main", id: "x", now: now)
        #expect(reasons(machine.advance(now: now)) == ["Created", "Started"])
        let result = status(machine)
        #expect(result["phase"] == "Running")
        #expect(result["podIP"] == "127.64.0.9")
        #expect(result["containerStatuses"]?[0]?["ready"] == true)
        let ready = result["conditions"]?.array?.first { $0["type"] == "Ready" }
        #expect(ready?["status"] == "True")
        // The same state gives the same status: nothing is written.
        #expect(status(machine) == result)
    }

    @Test func backsOffTenSecondsDoubledUpToFiveMinutes() {
        var machine = running(pod())
        var waits: [Duration] = []
        for attempt in 1...8 {
            machine.didExit("main", code: 3, signal: nil, now: now)
            var started = starts(machine.advance(now: now))
            if started.isEmpty {
                guard let deadline = machine.nextDeadline(now: now) else {
                    Issue.record("no deadline")
                    return
                }
                let shown = status(machine)["containerStatuses"]?[0]
                #expect(shown?.at("state", "waiting", "reason") == "CrashLoopBackOff")
                #expect(shown?.at("lastState", "terminated", "exitCode") == 3)
                waits.append(now.instant.duration(to: deadline))
                time.advance(by: now.instant.duration(to: deadline))
                started = starts(machine.advance(now: now))
            } else {
                waits.append(.zero)
            }
            #expect(started == [attempt])
            machine.didStart("main", id: machine.containerID("main", attempt), now: now)
        }
        #expect(waits == [0, 10, 20, 40, 80, 160, 300, 300].map { .seconds($0) })
        #expect(status(machine)["containerStatuses"]?[0]?["restartCount"] == 8)
    }

    @Test func tenGoodMinutesForgetTheBackOff() {
        var machine = running(pod())
        machine.didExit("main", code: 1, signal: nil, now: now)
        _ = machine.advance(now: now)
        machine.didStart("main", id: machine.containerID("main", 1), now: now)
        time.advance(by: .seconds(601))
        machine.didExit("main", code: 1, signal: nil, now: now)
        #expect(starts(machine.advance(now: now)) == [2])
    }

    @Test(arguments: [("Never", 0, "Succeeded"), ("Never", 2, "Failed"), ("OnFailure", 0, "Succeeded")])
    func endsForGoodByPolicy(policy: String, code: Int, phase: String) {
        var machine = running(pod(["restartPolicy": JSON(policy)]))
        machine.didExit("main", code: code, signal: nil, now: now)
        #expect(starts(machine.advance(now: now)).isEmpty)
        #expect(status(machine)["phase"]?.string == phase)
        #expect(machine.nextDeadline(now: now) == nil)
    }

    @Test func initContainersGoOneAfterTheOther() {
        let first: JSON = ["name": "first", "image": "example.com/app:1"]
        var machine = machine(pod(["initContainers": [first]]))
        #expect(machine.advance(now: now).contains(.start(container: "first", attempt: 0)))
        machine.didStart("first", id: "i", now: now)
        #expect(starts(machine.advance(now: now)).isEmpty)
        let waiting = status(machine)["containerStatuses"]?[0]?.at("state", "waiting", "reason")
        #expect(waiting == "PodInitializing")
        machine.didExit("first", code: 0, signal: nil, now: now)
        #expect(machine.advance(now: now).contains(.start(container: "main", attempt: 0)))
    }

    @Test func killsWhatDoesNotEndWithinTheGracePeriod() {
        var machine = running(pod())
        var deleted = machine.pod
        deleted.json.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp")
        machine.podChanged(deleted, now: now)
        #expect(machine.advance(now: now).contains(.signal(container: "main", .terminate)))
        time.advance(by: .seconds(6))
        #expect(machine.advance(now: now).isEmpty)
        time.advance(by: .seconds(1))
        #expect(machine.advance(now: now) == [.signal(container: "main", .kill)])
        machine.didExit("main", code: 0, signal: 9, now: now)
        #expect(machine.advance(now: now) == [.remove])
        #expect(machine.advance(now: now).isEmpty)
        #expect(status(machine)["containerStatuses"]?[0]?.at("state", "terminated", "exitCode") == 137)
    }

    @Test func aFailedLivenessProbeRestartsTheContainer() {
        var machine = running(pod(container: ["livenessProbe": ["httpGet": ["port": 80], "failureThreshold": 2]]))
        #expect(machine.advance(now: now).contains(.probe(container: "main", .liveness)))
        let id = machine.containerID("main", 0)
        machine.didProbe("main", .liveness, failure: "no", run: id, now: now)
        #expect(reasons(machine.advance(now: now)) == ["Unhealthy"])
        time.advance(by: .seconds(10))
        #expect(machine.advance(now: now) == [.probe(container: "main", .liveness)])
        machine.didProbe("main", .liveness, failure: "no", run: id, now: now)
        let actions = machine.advance(now: now)
        #expect(reasons(actions) == ["Unhealthy", "Killing"])
        #expect(actions.contains(.signal(container: "main", .terminate)))
        machine.didExit("main", code: 0, signal: 15, now: now)
        #expect(starts(machine.advance(now: now)) == [1])
    }

    @Test func onlyTheStartupProbeIsAskedUntilItSucceeds() {
        let get: JSON = ["httpGet": ["port": 80]]
        var machine = running(pod(container: ["startupProbe": get, "readinessProbe": get]))
        let id = machine.containerID("main", 0)
        let isProbe: (PodMachine.Action) -> Bool = { if case .probe = $0 { true } else { false } }
        #expect(machine.advance(now: now).filter(isProbe) == [.probe(container: "main", .startup)])
        machine.didProbe("main", .startup, failure: nil, run: id, now: now)
        #expect(machine.advance(now: now).filter(isProbe) == [.probe(container: "main", .readiness)])
        #expect(status(machine)["containerStatuses"]?[0]?["ready"] == false)
        machine.didProbe("main", .readiness, failure: nil, run: id, now: now)
        #expect(status(machine)["containerStatuses"]?[0]?["ready"] == true)
    }

    @Test func aForeignImageSaysWhatRunsHere() {
        var machine = machine(pod(container: ["image": "nginx:1.27"]))
        #expect(starts(machine.advance(now: now)).isEmpty)
        func waiting() -> JSON? { status(machine)["containerStatuses"]?[0]?.at("state", "waiting") }
        #expect(waiting()?["reason"] == "ErrImagePull")
        #expect(waiting()?["message"]?.string?.contains("example.com/app") == true)
        time.advance(by: .seconds(10))
        _ = machine.advance(now: now)
        #expect(waiting()?["reason"] == "ImagePullBackOff")
        #expect(machine.nextDeadline(now: now) == nil)
        machine.podChanged(pod(container: ["image": "example.com/app:2"]), now: now)
        #expect(starts(machine.advance(now: now)) == [0])
    }

    @Test func waitsForTheSecretWithoutWritingAgain() {
        var machine = machine(pod())
        _ = machine.advance(now: now)
        machine.didFailToStart("main", .configuration("secret \"s\" not found"), now: now)
        let shown = status(machine)
        #expect(
            shown["containerStatuses"]?[0]?.at("state", "waiting")
                == ["reason": "CreateContainerConfigError", "message": "secret \"s\" not found"])
        time.advance(by: PodMachine.configurationRetry)
        #expect(starts(machine.advance(now: now)) == [0])
        #expect(status(machine)["containerStatuses"] == shown["containerStatuses"])
    }

    @Test func aPodOfAnEarlierRunIsStartedOnceMore() {
        let before = running(pod())
        var machine = machine(pod(status: status(before)))
        #expect(starts(machine.advance(now: now)) == [1])
        machine.didStart("main", id: machine.containerID("main", 1), now: now)
        let shown = status(machine)["containerStatuses"]?[0]
        #expect(shown?["restartCount"] == 1)
        #expect(shown?.at("lastState", "terminated", "exitCode") == 137)
    }

    @Test func aDeadlineEndsThePod() {
        var machine = running(pod(["activeDeadlineSeconds": 30]))
        time.advance(by: .seconds(30))
        #expect(machine.advance(now: now).contains(.signal(container: "main", .terminate)))
        machine.didExit("main", code: 0, signal: 15, now: now)
        #expect(status(machine)["phase"] == "Failed")
        #expect(status(machine)["reason"] == "DeadlineExceeded")
    }

    @Test func anOlderStateOfThePodIsNoNews() {
        var machine = machine(pod())
        for version in ["9", "11", "10"] {
            var changed = machine.pod
            changed.json.set(JSON(version), at: "metadata", "resourceVersion")
            changed.json.set(JSON(version), at: "metadata", "labels", "seen")
            machine.podChanged(changed, now: now)
        }
        #expect(machine.pod.labels == ["seen": "11"])
    }
}
