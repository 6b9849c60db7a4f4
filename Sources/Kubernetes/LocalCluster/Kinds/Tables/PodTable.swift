internal import StructuredData

/// The table of pods: what state a pod is in, told from its phase, its containers and its deletion.
enum PodTable {
    private static let status = "api.core.v1.PodStatus"
    private static let spec = "api.core.v1.PodSpec"

    static let layouts: [String: TableLayout] = [
        "/pods": TableLayout(
            columns: [
                .name,
                TableColumn("Ready", "The aggregate readiness state of this pod for accepting traffic."),
                TableColumn("Status", "The aggregate status of the containers in this pod."),
                TableColumn(
                    "Restarts",
                    "The number of times the containers in this pod have been restarted and when the last container in "
                        + "this pod has restarted."),
                .age,
                TableColumn("IP", priority: 1, of: status, "podIP"),
                TableColumn("Node", priority: 1, of: spec, "nodeName"),
                TableColumn("Nominated Node", priority: 1, of: status, "nominatedNodeName"),
                TableColumn("Readiness Gates", priority: 1, of: spec, "readinessGates"),
            ], cells: cells, conditions: conditions),
        "/podtemplates": TableLayout(
            columns: [
                .name, TableColumn("Containers", "Names of each container in the template."),
                TableColumn("Images", "Images referenced by each container in the template."),
                TableColumn("Pod Labels", "The labels for the pod template."),
            ]
        ) { template, _ in
            [template.nameCell] + Cells.containers(template.at("template", "spec"))
                + [Cells.labels(template.at("template", "metadata", "labels"))]
        },
    ]

    private static func cells(_ pod: JSON, _ now: Int) -> [JSON] {
        let summary = PodSummary(pod, now: now)
        let gates = pod.at("spec", "readinessGates").elements
        let trueGates = gates.count { gate in
            pod.at("status", "conditions").elements.contains {
                $0["type"].text == gate["conditionType"].text && $0["status"].text == "True"
            }
        }
        return [
            pod.nameCell, .string("\(summary.readyContainers)/\(summary.totalContainers)"), .string(summary.reason),
            .string(summary.restartText), pod.ageCell(now),
            .string(pod.at("status", "podIP")?.string ?? pod.at("status", "podIPs")?[0]?["ip"]?.string ?? Cells.none),
            pod.textCell("spec", "nodeName", absent: Cells.none),
            pod.textCell("status", "nominatedNodeName", absent: Cells.none),
            .string(gates.isEmpty ? Cells.none : "\(trueGates)/\(gates.count)"),
        ]
    }

    private static func conditions(_ pod: JSON) -> [JSON] {
        switch pod.at("status", "phase").text {
        case "Succeeded":
            [
                [
                    "type": "Completed", "status": "True", "reason": "Succeeded",
                    "message": "The pod has completed successfully.",
                ]
            ]
        case "Failed":
            [["type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."]]
        default: []
        }
    }
}

/// What a pod's row says.
struct PodSummary {
    private(set) var totalContainers: Int
    private(set) var readyContainers = 0
    private(set) var reason: String
    private(set) var restarts = 0
    private var lastRestart: String?
    private let pod: JSON
    private let now: Int

    init(_ pod: JSON, now: Int) {
        self.pod = pod
        self.now = now
        totalContainers = pod.at("spec", "containers").elements.count
        let status = pod["status"] ?? [:]
        reason = status["reason"].text.isEmpty ? status["phase"].text : status["reason"].text
        if Self.conditions(pod).contains(where: {
            $0["type"].text == "PodScheduled" && $0["reason"].text == "SchedulingGated"
        }) {
            reason = "SchedulingGated"
        }
        let isInitializing = readInitContainers()
        if !isInitializing || Self.isTrue("Initialized", pod) { readContainers() }
        applyDeletion()
    }

    var restartText: String {
        guard restarts > 0, let lastRestart else { return String(restarts) }
        return "\(restarts) (\(Moment.age(of: lastRestart, now: now)) ago)"
    }

    /// Whether the pod is still busy with its init containers.
    private mutating func readInitContainers() -> Bool {
        let specs = pod.at("spec", "initContainers").elements
        let sidecars = Set(specs.filter { $0["restartPolicy"].text == "Always" }.map { $0["name"].text })
        totalContainers += sidecars.count
        for (index, container) in pod.at("status", "initContainerStatuses").elements.enumerated() {
            restarts += container["restartCount"]?.int ?? 0
            noteRestart(container)
            let isSidecar = sidecars.contains(container["name"].text)
            if let ended = container.at("state", "terminated") {
                if ended["exitCode"]?.int == 0 { continue }
                reason = "Init:" + Self.ending(ended)
                return true
            }
            if isSidecar, container["started"]?.bool == true {
                if container["ready"]?.bool == true { readyContainers += 1 }
                continue
            }
            let waiting = container.at("state", "waiting", "reason").text
            reason =
                waiting.isEmpty || waiting == "PodInitializing" ? "Init:\(index)/\(specs.count)" : "Init:\(waiting)"
            return true
        }
        return false
    }

    private mutating func readContainers() {
        restarts = 0
        lastRestart = nil
        var isAnyRunning = false
        for container in pod.at("status", "containerStatuses").elements.reversed() {
            restarts += container["restartCount"]?.int ?? 0
            noteRestart(container)
            let waiting = container.at("state", "waiting", "reason").text
            if !waiting.isEmpty {
                reason = waiting
            } else if let ended = container.at("state", "terminated") {
                reason = Self.ending(ended)
            } else if container["ready"]?.bool == true, container.at("state", "running") != nil {
                isAnyRunning = true
                readyContainers += 1
            }
        }
        if reason == "Completed", isAnyRunning { reason = Self.isTrue("Ready", pod) ? "Running" : "NotReady" }
    }

    private mutating func applyDeletion() {
        guard pod.at("metadata", "deletionTimestamp") != nil else { return }
        if pod.at("status", "reason").text == "NodeLost" {
            reason = "Unknown"
        } else if !["Succeeded", "Failed"].contains(pod.at("status", "phase").text) {
            reason = "Terminating"
        }
    }

    private mutating func noteRestart(_ container: JSON) {
        guard let ended = container.at("lastState", "terminated", "finishedAt")?.string else { return }
        // RFC 3339 in UTC: the order of texts is the order of times.
        lastRestart = max(lastRestart ?? "", ended)
    }

    private static func ending(_ state: JSON) -> String {
        let reason = state["reason"].text
        if !reason.isEmpty { return reason }
        if let signal = state["signal"]?.int, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(state["exitCode"]?.int ?? 0)"
    }

    private static func conditions(_ pod: JSON) -> [JSON] { pod.at("status", "conditions").elements }

    private static func isTrue(_ condition: String, _ pod: JSON) -> Bool {
        conditions(pod).contains { $0["type"].text == condition && $0["status"].text == "True" }
    }
}
