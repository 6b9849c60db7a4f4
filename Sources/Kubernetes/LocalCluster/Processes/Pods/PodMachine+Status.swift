internal import KubernetesClient
internal import StructuredData

extension PodMachine {
    /// The pod's status as kubelet writes it; what others wrote into it stays.
    func status(node: NodeDescription, now: KubernetesTime) -> JSON {
        var status = pod.status ?? [:]
        status["phase"] = JSON(phase)
        status["startTime"] = JSON(started.text)
        status["hostIP"] = JSON(node.address)
        status["hostIPs"] = [["ip": JSON(node.address)]]
        status["podIP"] = JSON(address)
        status["podIPs"] = [["ip": JSON(address)]]
        status["reason"] = failureText.map { JSON($0.reason) }
        status["message"] = failureText.map { JSON($0.message) }
        status["containerStatuses"] = .array(mainContainers.map(containerStatus))
        if !initContainers.isEmpty { status["initContainerStatuses"] = .array(initContainers.map(containerStatus)) }
        status["conditions"] = .array(conditions(now: now))
        return status
    }

    // MARK: - Conditions

    private func conditions(now: KubernetesTime) -> [JSON] {
        let old = pod.status?["conditions"]?.array ?? []
        let own = [
            ("PodReadyToStartContainers", !isFinished, nil, nil), initialized, ready, containersReady,
            ("PodScheduled", true, nil, nil),
        ]
        let names = Set(own.map(\.0))
        let written = own.map { type, holds, reason, message in
            let before = old.first { $0["type"]?.string == type }
            let status: JSON = holds ? "True" : "False"
            let transition = before?["status"] == status ? before?["lastTransitionTime"] : nil
            var condition: JSON = [
                "type": JSON(type), "status": status, "lastTransitionTime": transition ?? JSON(now.text),
            ]
            condition["reason"] = reason.map { JSON($0) }
            condition["message"] = message.map { JSON($0) }
            return condition
        }
        return written + old.filter { !names.contains($0["type"]?.string ?? "") }
    }

    private typealias Condition = (String, Bool, String?, String?)

    private var initialized: Condition {
        let missing = initContainers.filter { !$0.hasSucceeded }.map(\.spec.name)
        if missing.isEmpty { return ("Initialized", true, phase == "Succeeded" ? "PodCompleted" : nil, nil) }
        return (
            "Initialized", false, "ContainersNotInitialized",
            "containers with incomplete status: [\(missing.joined(separator: " "))]"
        )
    }

    private var containersReady: Condition {
        if phase == "Succeeded" { return ("ContainersReady", false, "PodCompleted", nil) }
        if phase == "Failed" { return ("ContainersReady", false, "PodFailed", nil) }
        let unready = mainContainers.filter { !$0.isReady }.map(\.spec.name)
        if unready.isEmpty { return ("ContainersReady", true, nil, nil) }
        return (
            "ContainersReady", false, "ContainersNotReady",
            "containers with unready status: [\(unready.joined(separator: " "))]"
        )
    }

    private var ready: Condition {
        let (_, holds, reason, message) = containersReady
        guard holds else { return ("Ready", false, reason, message) }
        let conditions = pod.status?["conditions"]?.array ?? []
        for gate in pod.spec?["readinessGates"]?.array ?? [] {
            let type = gate["conditionType"]?.string ?? ""
            let condition = conditions.first { $0["type"]?.string == type }
            guard condition?["status"]?.string != "True" else { continue }
            let why =
                condition == nil
                ? "corresponding condition of pod readiness gate \"\(type)\" does not exist."
                : "the status of pod readiness gate \"\(type)\" is not \"True\", but "
                    + (condition?["status"]?.string ?? "Unknown")
            return ("Ready", false, "ReadinessGatesNotReady", why)
        }
        return ("Ready", true, nil, nil)
    }

    // MARK: - Containers

    private func containerStatus(_ container: ContainerState) -> JSON {
        var status: JSON = [
            "name": JSON(container.spec.name), "image": JSON(container.spec.image),
            "imageID": JSON(images.program(for: container.spec.image).map { "process://\($0)" } ?? ""),
            "ready": JSON(container.isReady), "restartCount": JSON(container.restartCount),
            "started": JSON(container.isStarted), "state": state(container), "lastState": [:],
        ]
        if let id = container.run?.containerID ?? container.termination?.containerID ?? container.last?.containerID {
            status["containerID"] = JSON(id)
        }
        if let last = container.last, container.termination != last { status["lastState"] = ["terminated": last.json] }
        return status
    }

    private func state(_ container: ContainerState) -> JSON {
        switch container.phase {
        case .running(let run): return ["running": ["startedAt": JSON(run.since.wall.text)]]
        case .terminated(let end): return ["terminated": end.json]
        case .waiting(let reason, let message), .starting((let reason, let message)):
            let isBlocked = !container.spec.isInit && !isInitialized
            var waiting: JSON = ["reason": JSON(isBlocked ? "PodInitializing" : reason)]
            waiting["message"] = message.map { JSON($0) }
            return ["waiting": waiting]
        }
    }
}

/// This node, as pods see it.
struct NodeDescription: Sendable, Equatable {
    var name = "local"
    var address = "127.0.0.1"
}
