internal import ChildProcess
internal import ControllerRuntime
internal import Glibc
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// What all pods of a node have in common.
struct PodServices: Sendable {
    let access: ClusterAccess
    let node: NodeDescription
    let images: ImageList
    let launcher: ContainerLauncher
    let prober: Prober
    let events: EventRecorder
}

/// Carries out what the `PodMachine` of one pod says, and tells it what came of it.
actor PodRunner {
    private let services: PodServices
    private let logger: Logger
    private var machine: PodMachine
    private var processes: [String: ChildProcess] = [:]
    /// The last start of each container.
    private var starts: [String: Task<Void, Never>] = [:]
    private var timer: Task<Void, Never>?
    private var isWriting = false
    /// The machine may say more than was written.
    private var isStale = false
    /// The cluster stops: nothing is started or written any more.
    private var isFrozen = false

    init(_ pod: KubernetesObject, address: String, services: PodServices) {
        self.services = services
        var logger = services.access.logger
        logger[metadataKey: "pod"] = "\(ObjectKey(pod))"
        self.logger = logger
        machine = PodMachine(pod, address: address, images: services.images, now: Moment(services.access.time))
    }

    private var now: Moment { Moment(services.access.time) }

    func begin() { step { _, _ in } }

    func update(_ pod: KubernetesObject) { step { $0.podChanged(pod, now: $1) } }

    /// The object is gone although containers may run: they are ended in a second.
    func abandon() async {
        isFrozen = true
        timer?.cancel()
        await stopProcesses(patience: .seconds(1))
    }

    /// Ends the processes and leaves the object as it is: the next start goes on with it.
    func shutDown(patience: Duration) async {
        isFrozen = true
        timer?.cancel()
        await stopProcesses(patience: patience)
    }

    private func stopProcesses(patience: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            // What is just being started ends by itself.
            for start in starts.values { group.addTask { await start.value } }
            for process in processes.values {
                group.addTask {
                    await process.stop(SIGTERM, patience: patience)
                    Self.killRest(of: process)
                }
            }
        }
        processes = [:]
    }

    /// A container ends with its first process: what that one started goes too, and lets go of the log.
    private static func killRest(of process: ChildProcess) { kill(-process.pid, SIGKILL) }

    // MARK: - Steps

    private func step(_ change: (inout PodMachine, Moment) -> Void) {
        guard !isFrozen else { return }
        change(&machine, now)
        for action in machine.advance(now: now) { perform(action) }
        setTimer()
        writeStatus()
    }

    private func setTimer() {
        timer?.cancel()
        guard let deadline = machine.nextDeadline(now: now) else { return timer = nil }
        let time = services.access.time
        timer = Task { [weak self] in
            guard (try? await time.sleep(until: deadline)) != nil, !Task.isCancelled else { return }
            await self?.begin()
        }
    }

    private func perform(_ action: PodMachine.Action) {
        switch action {
        case .start(let name, let attempt): start(name, attempt: attempt)
        case .signal(let name, let signal): processes[name]?.signal(signal == .terminate ? SIGTERM : SIGKILL)
        case .probe(let name, let kind): probe(name, kind)
        case .event(let note): services.events.record(note, about: machine.pod)
        case .remove: Task { await remove() }
        }
    }

    private func start(_ name: String, attempt: Int) {
        guard let index = machine.index(of: name) else { return }
        let spec = machine.containers[index].spec
        let (pod, address) = (machine.pod, machine.address)
        starts[name] = Task {
            let outcome = await services.launcher.start(spec, of: pod, address: address, attempt: attempt)
            await started(name, attempt: attempt, outcome)
        }
    }

    private func started(_ name: String, attempt: Int, _ outcome: ContainerLauncher.Outcome) async {
        switch outcome {
        case .failed(let failure): step { $0.didFailToStart(name, failure, now: $1) }
        case .started(let process, let remarks):
            guard !isFrozen else {
                await process.stop(SIGTERM, patience: .seconds(1))
                return
            }
            processes[name] = process
            Task { await ended(name, process, await process.exit) }
            step { machine, now in
                machine.didStart(name, id: machine.containerID(name, attempt), now: now)
                for remark in remarks { machine.note(.warning, "VolumeNotMounted", remark) }
            }
        }
    }

    private func ended(_ name: String, _ process: ChildProcess, _ exit: ChildProcess.Exit) async {
        guard processes[name] === process else { return }
        Self.killRest(of: process)
        let message = exit == .exited(0) ? nil : await terminationMessage(name)
        guard processes[name] === process else { return }
        processes[name] = nil
        switch exit {
        case .exited(let code): step { $0.didExit(name, code: Int(code), signal: nil, message: message, now: $1) }
        case .signalled(let signal): step { $0.didExit(name, code: 0, signal: Int(signal), message: message, now: $1) }
        }
    }

    private func terminationMessage(_ name: String) async -> String? {
        guard let index = machine.index(of: name) else { return nil }
        let container = machine.containers[index]
        guard container.spec.json["terminationMessagePolicy"] == "FallbackToLogsOnError" else { return nil }
        return await services.launcher.logs.ending(
            of: machine.pod, name, attempt: container.restartCount, time: services.access.time)
    }

    private func probe(_ name: String, _ kind: ProbeKind) {
        guard let index = machine.index(of: name), let run = machine.containers[index].run,
            let probe = run.probes[kind]?.probe
        else { return }
        let (prober, address) = (services.prober, machine.address)
        Task {
            let failure = await prober.failure(of: probe, address: address)
            step { $0.didProbe(name, kind, failure: failure, run: run.containerID, now: $1) }
        }
    }

    // MARK: - Writing

    /// At most one write at a time, always of the newest state.
    private func writeStatus() {
        isStale = true
        guard !isWriting else { return }
        isWriting = true
        Task {
            while isStale, !isFrozen {
                isStale = false
                if await writeOnce() { isStale = true }
            }
            isWriting = false
        }
    }

    /// True when there may be more to write.
    private func writeOnce() async -> Bool {
        let status = machine.status(node: services.node, now: services.access.time.wallClock)
        do {
            let written = try await services.access.client.updatePodStatus(of: machine.pod, to: status, by: "kubelet")
            // The server may see no difference where this node does: then there is nothing to repeat.
            guard let written, written.resourceVersion != machine.pod.resourceVersion else { return false }
            if !isFrozen { machine.podChanged(written, now: now) }
            return true
        } catch {
            logger.warning("the pod's status was not written: \(error)")
            let time = services.access.time
            return (try? await time.sleep(until: time.now.advanced(by: .seconds(1)))) != nil
        }
    }

    private func remove() async {
        // The last state of the containers is on record before the object goes.
        _ = await writeOnce()
        do {
            try await services.access.client.delete(
                .pods, namespace: machine.pod.namespace, name: machine.pod.name,
                options: DeleteOptions(uid: machine.pod.uid, gracePeriodSeconds: 0))
        } catch {
            guard !error.isNotFound, !error.isConflict else { return }
            logger.warning("the pod was not removed: \(error)")
            let time = services.access.time
            try? await time.sleep(until: time.now.advanced(by: .seconds(1)))
            step { machine, _ in machine.removalFailed() }
        }
    }
}
