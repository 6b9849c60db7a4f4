internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// The images that this node can run, and the program that each stands for.
struct ImageList: Sendable, Equatable {
    /// By image; a name without a tag stands for all its tags.
    let programs: [String: String]

    func program(for image: String) -> String? {
        if let exact = programs[image] { return exact }
        let name = image.split(separator: "@", maxSplits: 1)[0]
        let slash = name.lastIndex(of: "/") ?? name.startIndex
        let repository = name[slash...].lastIndex(of: ":").map { name[..<$0] } ?? name
        return programs[String(repository)]
    }

    /// Why `image` cannot be pulled.
    func refusal(of image: String) -> String {
        let known = programs.keys.sorted().joined(separator: ", ")
        return
            "failed to pull image \"\(image)\": this cluster has no container runtime: it runs only its own program, "
            + "as image \(known)"
    }
}

// MARK: - Starting and probing

extension PodMachine {
    mutating func startContainers(now: Moment) {
        if let index = containers.firstIndex(where: { $0.spec.isInit && !$0.hasSucceeded }) {
            return startIfDue(index, now: now)
        }
        for index in containers.indices where !containers[index].spec.isInit { startIfDue(index, now: now) }
    }

    private mutating func startIfDue(_ index: Int, now: Moment) {
        switch containers[index].phase {
        case .starting, .running: return
        case .terminated(let end):
            // One that stays ended has no `last`.
            guard containers[index].last == end else { return }
        case .waiting(let reason, _):
            if reason == "ImagePullBackOff" { return }
        }
        if let retryAt = containers[index].retryAt, retryAt > now.instant { return }
        let container = containers[index]
        guard images.program(for: container.spec.image) != nil else { return refuseImage(index, now: now) }
        let isRestart = container.last != nil && !isRetry(container)
        if isRestart { containers[index].restartCount += 1 }
        containers[index].retryAt = nil
        containers[index].phase = .starting(containers[index].waiting ?? ContainerState.creating)
        let name = container.spec.name
        if !isRetry(container) {
            note(.normal, "Pulled", "Container image \"\(container.spec.image)\" already present on machine")
        }
        actions.append(.start(container: name, attempt: containers[index].restartCount))
    }

    /// It waits for what its environment refers to: an attempt that was never a run.
    private func isRetry(_ container: ContainerState) -> Bool {
        container.waiting?.reason == "CreateContainerConfigError"
    }

    private mutating func refuseImage(_ index: Int, now: Moment) {
        let image = containers[index].spec.image
        if case .waiting("ErrImagePull", _) = containers[index].phase {
            note(.normal, "BackOff", "Back-off pulling image \"\(image)\"")
            note(.warning, "Failed", "Error: ImagePullBackOff")
            containers[index].phase = .waiting(
                reason: "ImagePullBackOff",
                message: "Back-off pulling image \"\(image)\": ErrImagePull: \(images.refusal(of: image))")
            containers[index].retryAt = nil
            return
        }
        note(.normal, "Pulling", "Pulling image \"\(image)\"")
        note(.warning, "Failed", "Failed to pull image \"\(image)\": \(images.refusal(of: image))")
        note(.warning, "Failed", "Error: ErrImagePull")
        containers[index].phase = .waiting(
            reason: "ErrImagePull", message: "failed to pull image \"\(image)\": \(images.refusal(of: image))")
        containers[index].retryAt = now.instant.advanced(by: Self.firstBackoff)
    }

    mutating func beginProbes(now: Moment) {
        for index in containers.indices {
            guard let run = containers[index].run, run.killAt == nil else { continue }
            for kind in askable(containers[index]) {
                guard let due = run.probes[kind]?.due, due <= now.instant else { continue }
                containers[index].updateRun { $0.probes[kind]?.begin() }
                actions.append(.probe(container: containers[index].spec.name, kind))
            }
        }
    }

    /// Until the startup probe has succeeded it alone is asked; afterwards it no more.
    func askable(_ container: ContainerState) -> [ProbeKind] {
        container.isStarted ? [.liveness, .readiness] : [.startup]
    }

    /// Takes over what the object's status says of runs before this process: they have ended with it.
    mutating func restore(now: Moment) {
        let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { pod.status?[$0]?.array ?? [] }
        for status in statuses {
            guard let index = index(of: status["name"]?.string ?? "") else { continue }
            containers[index].restartCount = status["restartCount"]?.int ?? 0
            containers[index].last = Termination(status.at("lastState", "terminated"))
            if let end = Termination(status.at("state", "terminated")) {
                containers[index].phase = .terminated(end)
                if policy == "Always", !containers[index].spec.isInit { containers[index].last = end }
            } else if let run = status.at("state", "running") {
                let end = Termination(
                    exitCode: 137, reason: "Error", message: "The node was stopped while the container ran.",
                    started: run["startedAt"]?.string.flatMap { KubernetesTime($0) }, finished: now.wall,
                    containerID: status["containerID"]?.string ?? "")
                containers[index].phase = .terminated(end)
                if policy != "Never" { containers[index].last = end }
            }
        }
    }
}
