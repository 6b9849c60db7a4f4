internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// One point in time on both clocks: the steady one for spans, the wall clock for what is written.
struct Moment: Sendable {
    let instant: Instant
    let wall: KubernetesTime

    init(_ time: any TimeSource) {
        instant = time.now
        wall = time.wallClock
    }
}

/// How a run of a container ended.
struct Termination: Sendable, Equatable {
    var exitCode: Int
    var signal: Int?
    var reason: String
    var message: String?
    var started: KubernetesTime?
    var finished: KubernetesTime
    var containerID: String

    var json: JSON {
        var json: JSON = ["exitCode": JSON(exitCode), "reason": JSON(reason)]
        json["signal"] = signal.map { JSON($0) }
        json["message"] = message.map { JSON($0) }
        json["startedAt"] = JSON((started ?? finished).text)
        json["finishedAt"] = JSON(finished.text)
        json["containerID"] = JSON(containerID)
        return json
    }

    init(
        exitCode: Int, signal: Int? = nil, reason: String, message: String? = nil, started: KubernetesTime?,
        finished: KubernetesTime, containerID: String
    ) {
        self.exitCode = exitCode
        self.signal = signal
        self.reason = reason
        self.message = message
        self.started = started
        self.finished = finished
        self.containerID = containerID
    }

    init?(_ json: JSON?) {
        guard let json, let code = json["exitCode"]?.int,
            let finished = json["finishedAt"]?.string.flatMap({ KubernetesTime($0) })
        else { return nil }
        self.init(
            exitCode: code, signal: json["signal"]?.int, reason: json["reason"]?.string ?? "",
            message: json["message"]?.string, started: json["startedAt"]?.string.flatMap { KubernetesTime($0) },
            finished: finished, containerID: json["containerID"]?.string ?? "")
    }
}

/// A container of a pod on this node.
struct ContainerState: Sendable {
    struct Run: Sendable {
        let since: Moment
        let containerID: String
        var probes: [ProbeKind: ProbeState]
        /// Set once it was told to end; then it is killed at that moment.
        var killAt: Instant?
        var isKilled = false
    }

    typealias Waiting = (reason: String, message: String?)

    static let creating: Waiting = ("ContainerCreating", nil)

    enum Phase: Sendable {
        case waiting(reason: String, message: String?)
        /// Its environment is being put together and its process started; meanwhile it shows what it waited for, so
        /// that an attempt that fails again changes nothing.
        case starting(Waiting)
        case running(Run)
        case terminated(Termination)
    }

    var spec: ContainerSpec
    var phase = Phase.waiting(reason: "ContainerCreating", message: nil)
    var last: Termination?
    var restartCount = 0
    /// What the next wait will be.
    var backoff: Duration?
    /// When it may be started.
    var retryAt: Instant?

    init(_ spec: ContainerSpec) { self.spec = spec }

    var run: Run? { if case .running(let run) = phase { run } else { nil } }
    var isRunning: Bool { run != nil }

    var waiting: Waiting? {
        switch phase {
        case .waiting(let reason, let message): (reason, message)
        case .starting(let shown): shown
        case .running, .terminated: nil
        }
    }
    var isStarting: Bool { if case .starting = phase { true } else { false } }
    var termination: Termination? { if case .terminated(let end) = phase { end } else { nil } }
    /// An init container that did its work.
    var hasSucceeded: Bool { termination?.exitCode == 0 }

    /// The startup probe has succeeded, or there is none.
    var isStarted: Bool { run.map { $0.probes[.startup].map { $0.verdict == true } ?? true } ?? false }

    var isReady: Bool {
        if spec.isInit { return hasSucceeded }
        guard let run, isStarted, run.killAt == nil || run.probes[.readiness] == nil else { return false }
        return run.probes[.readiness].map { $0.verdict == true } ?? true
    }

    mutating func updateRun(_ change: (inout Run) -> Void) {
        guard case .running(var run) = phase else { return }
        change(&run)
        phase = .running(run)
    }
}
