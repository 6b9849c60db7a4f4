internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// One pod on this node, without processes, clock and network: what happened goes in, what is to be done comes out.
///
/// It behaves as kubelet does: init containers one after the other; restarts by policy, the first at once, then after
/// 10 s, doubled up to 300 s, forgotten after ten good minutes; probes with their thresholds; on deletion SIGTERM, and
/// SIGKILL after the grace period.
struct PodMachine: Sendable {
    enum Action: Sendable, Equatable {
        case start(container: String, attempt: Int)
        case signal(container: String, Signal)
        case probe(container: String, ProbeKind)
        case event(EventNote)
        /// Every container has ended and the object is being deleted.
        case remove
    }

    enum Signal: Sendable, Equatable { case terminate, kill }

    enum StartFailure: Sendable, Equatable {
        /// What the environment refers to is not there.
        case configuration(String)
        case run(String)
    }

    static let firstBackoff: Duration = .seconds(10)
    static let longestBackoff: Duration = .seconds(300)
    static let goodRun: Duration = .seconds(600)
    static let configurationRetry: Duration = .seconds(2)

    private(set) var pod: KubernetesObject
    var containers: [ContainerState]
    let images: ImageList
    /// When the pod was first seen by this node.
    let started: KubernetesTime
    var address: String
    var actions: [Action] = []
    private var isRemoved = false
    /// Told to end although the object is not being deleted: the deadline of a Job's pod, say.
    private var failure: (reason: String, message: String)?

    init(_ pod: KubernetesObject, address: String, images: ImageList, now: Moment) {
        self.pod = pod
        self.address = address
        self.images = images
        started = pod.status?["startTime"]?.string.flatMap { KubernetesTime($0) } ?? now.wall
        containers = ContainerSpec.all(of: pod.json).map(ContainerState.init)
        restore(now: now)
    }

    var policy: String { pod.spec?["restartPolicy"]?.string ?? "Always" }
    var isTerminating: Bool { pod.isBeingDeleted || failure != nil }
    var mainContainers: [ContainerState] { containers.filter { !$0.spec.isInit } }
    var initContainers: [ContainerState] { containers.filter(\.spec.isInit) }
    var isInitialized: Bool { initContainers.allSatisfy(\.hasSucceeded) }
    /// Nothing runs or is about to.
    var isIdle: Bool { !containers.contains { $0.isRunning || $0.isStarting } }

    var phase: String {
        if failure != nil, isIdle { return "Failed" }
        if policy == "Never", initContainers.contains(where: { ($0.termination?.exitCode ?? 0) != 0 }) {
            return "Failed"
        }
        let main = mainContainers
        let ends = main.compactMap(\.termination)
        if !main.isEmpty, ends.count == main.count, policy != "Always" || isTerminating {
            let failed = ends.contains { $0.exitCode != 0 }
            if !failed { return "Succeeded" }
            if policy == "Never" || isTerminating { return "Failed" }
        }
        let hasRun = main.contains { $0.isRunning || $0.restartCount > 0 || $0.termination != nil }
        return isInitialized && hasRun ? "Running" : "Pending"
    }

    var isFinished: Bool { phase == "Succeeded" || phase == "Failed" }
}

// MARK: - What happens

extension PodMachine {
    mutating func podChanged(_ new: KubernetesObject, now: Moment) {
        // What this node wrote comes back late, when it has written again: an older state would date conditions anew.
        guard ResourceVersion.isAtLeast(new.resourceVersion, pod.resourceVersion) ?? true else { return }
        let specs = ContainerSpec.all(of: new.json)
        for spec in specs {
            guard let index = containers.firstIndex(where: { $0.spec.name == spec.name }) else { continue }
            guard containers[index].spec != spec else { continue }
            containers[index].spec = spec
            // Only the image can change: a new one is tried at once, and a running container begins anew with it.
            containers[index].retryAt = nil
            if case .waiting = containers[index].phase {
                containers[index].phase = .waiting(reason: "ContainerCreating", message: nil)
            } else {
                stop(
                    index, why: "Container \(spec.name) definition changed, will be restarted", grace: gracePeriod,
                    now: now)
            }
        }
        pod = new
    }

    mutating func didStart(_ name: String, id: String, now: Moment) {
        guard let index = index(of: name), containers[index].isStarting else { return }
        var probes: [ProbeKind: ProbeState] = [:]
        for (kind, probe) in containers[index].spec.probes {
            probes[kind] = ProbeState(probe, started: now.instant)
            if case .unsupported(let why) = probe.check {
                note(.warning, "UnsupportedProbe", "Container \(name): the \(kind.rawValue) probe is not used: \(why)")
                probes[kind] = nil
            }
        }
        containers[index].phase = .running(ContainerState.Run(since: now, containerID: id, probes: probes))
        note(.normal, "Created", "Container created")
        note(.normal, "Started", "Container started")
    }

    mutating func didFailToStart(_ name: String, _ failure: StartFailure, now: Moment) {
        guard let index = index(of: name), containers[index].isStarting else { return }
        switch failure {
        case .configuration(let message):
            containers[index].phase = .waiting(reason: "CreateContainerConfigError", message: message)
            containers[index].retryAt = now.instant.advanced(by: Self.configurationRetry)
            note(.warning, "Failed", "Error: \(message)")
        case .run(let message):
            note(.warning, "Failed", "Error: \(message)")
            let end = Termination(
                exitCode: 128, reason: "StartError", message: message, started: nil, finished: now.wall,
                containerID: containerID(name, containers[index].restartCount))
            ended(index, end, ranFor: .zero, now: now)
        }
    }

    mutating func didExit(_ name: String, code: Int, signal: Int?, message: String? = nil, now: Moment) {
        guard let index = index(of: name), let run = containers[index].run else { return }
        let end = Termination(
            exitCode: signal.map { 128 + $0 } ?? code, signal: nil,
            reason: signal == nil && code == 0 ? "Completed" : "Error", message: message, started: run.since.wall,
            finished: now.wall,
            containerID: run.containerID)
        ended(index, end, ranFor: run.since.instant.duration(to: now.instant), now: now)
    }

    mutating func didProbe(_ name: String, _ kind: ProbeKind, failure: String?, run id: String, now: Moment) {
        guard let index = index(of: name), containers[index].run?.containerID == id else { return }
        var changed = false
        containers[index].updateRun { run in
            changed = run.probes[kind]?.record(failure == nil, now: now.instant) ?? false
        }
        guard let run = containers[index].run, run.killAt == nil, !isTerminating, let state = run.probes[kind] else {
            return
        }
        if let failure { note(.warning, "Unhealthy", "\(kind.title) probe failed: \(failure)") }
        guard changed, state.verdict == false, kind != .readiness else { return }
        let grace = state.probe.gracePeriod ?? gracePeriod
        stop(index, why: "Container \(name) failed \(kind.rawValue) probe, will be restarted", grace: grace, now: now)
    }

    private mutating func ended(_ index: Int, _ end: Termination, ranFor span: Duration, now: Moment) {
        containers[index].phase = .terminated(end)
        if span >= Self.goodRun { containers[index].backoff = nil }
        guard willRestart(containers[index], after: end) else { return }
        let wait = containers[index].backoff
        containers[index].backoff = wait.map { min($0 * 2, Self.longestBackoff) } ?? Self.firstBackoff
        containers[index].last = end
        containers[index].retryAt = wait.map { now.instant.advanced(by: $0) }
        guard let wait else { return }
        let name = containers[index].spec.name
        let subject = "container=\(name) pod=\(pod.name)_\(pod.namespace ?? "")(\(pod.uid))"
        containers[index].phase = .waiting(
            reason: "CrashLoopBackOff", message: "back-off \(Self.text(wait)) restarting failed \(subject)")
        note(
            .warning, "BackOff",
            "Back-off restarting failed container \(name) in pod \(pod.name)_\(pod.namespace ?? "")(\(pod.uid))")
    }

    private func willRestart(_ container: ContainerState, after end: Termination) -> Bool {
        guard !isTerminating else { return false }
        switch policy {
        case "Never": return false
        case "OnFailure": return end.exitCode != 0
        default: return !container.spec.isInit || end.exitCode != 0
        }
    }

    /// As Go prints it: `10s`, `1m20s`.
    static func text(_ span: Duration) -> String {
        let seconds = span.components.seconds
        return seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
    }
}

// MARK: - Small parts

extension PodMachine {
    func index(of name: String) -> Int? { containers.firstIndex { $0.spec.name == name } }

    func containerID(_ name: String, _ attempt: Int) -> String { "process://\(pod.uid)/\(name)/\(attempt)" }

    var gracePeriod: Duration {
        let seconds =
            pod.metadata["deletionGracePeriodSeconds"]?.int ?? pod.spec?["terminationGracePeriodSeconds"]?.int ?? 30
        return .seconds(max(1, seconds))
    }

    mutating func note(_ severity: EventNote.Severity, _ reason: String, _ text: String) {
        actions.append(.event(EventNote(severity, reason: reason, action: "Sync", text)))
    }

    /// What is to be done now. Call it after each change and at `nextDeadline`.
    mutating func advance(now: Moment) -> [Action] {
        checkDeadline(now: now)
        if isTerminating {
            for index in containers.indices where containers[index].isRunning {
                stop(index, why: "Stopping container \(containers[index].spec.name)", grace: gracePeriod, now: now)
            }
        } else if !isFinished {
            startContainers(now: now)
            beginProbes(now: now)
        }
        killOverdue(now: now)
        if pod.isBeingDeleted, isIdle, !isRemoved {
            isRemoved = true
            actions.append(.remove)
        }
        defer { actions = [] }
        return actions
    }

    /// The removal did not go through.
    mutating func removalFailed() { isRemoved = false }

    private mutating func checkDeadline(now: Moment) {
        guard failure == nil, let limit = pod.spec?["activeDeadlineSeconds"]?.int, !isFinished,
            started.advanced(by: .seconds(limit)) <= now.wall
        else { return }
        failure = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        note(.normal, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
    }

    /// Reason and message of a pod that failed as a whole.
    var failureText: (reason: String, message: String)? { failure }

    /// Sends SIGTERM unless that was done, and brings a SIGKILL that is due later forward.
    mutating func stop(_ index: Int, why: String, grace: Duration, now: Moment) {
        guard let run = containers[index].run else { return }
        let deadline = now.instant.advanced(by: grace)
        if let killAt = run.killAt {
            if deadline < killAt { containers[index].updateRun { $0.killAt = deadline } }
            return
        }
        containers[index].updateRun { $0.killAt = deadline }
        note(.normal, "Killing", why)
        actions.append(.signal(container: containers[index].spec.name, .terminate))
    }

    private mutating func killOverdue(now: Moment) {
        for index in containers.indices {
            guard let run = containers[index].run, let killAt = run.killAt, killAt <= now.instant, !run.isKilled else {
                continue
            }
            containers[index].updateRun { $0.isKilled = true }
            actions.append(.signal(container: containers[index].spec.name, .kill))
        }
    }

    /// When something happens by time alone.
    func nextDeadline(now: Moment) -> Instant? {
        var deadlines: [Instant] = []
        for container in containers {
            if let run = container.run {
                if let killAt = run.killAt, !run.isKilled { deadlines.append(killAt) }
                if run.killAt == nil, !isTerminating {
                    deadlines += askable(container).compactMap { run.probes[$0]?.due }
                }
            } else if !isTerminating, !container.isStarting, let retryAt = container.retryAt {
                deadlines.append(retryAt)
            }
        }
        if let limit = pod.spec?["activeDeadlineSeconds"]?.int, !isFinished, failure == nil {
            deadlines.append(now.instant.advanced(by: now.wall.duration(to: started.advanced(by: .seconds(limit)))))
        }
        return deadlines.min()
    }
}
