internal import APIServer
internal import Concurrency
internal import ControllerRuntime
internal import HTTPTransport
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// The one node of the cluster: runs the pods that are bound to it.
final class NodeAgent: Sendable {
    private struct Entry {
        enum Drain { case notBegun, underWay, over }

        let runner: PodRunner
        let address: String
        let pod: KubernetesObject
        var drain = Drain.notBegun
    }

    private struct State {
        /// By the pod's uid.
        var entries: [String: Entry] = [:]
        /// No pod is begun any more.
        var isStopping = false
    }

    private enum Change: Sendable {
        case pod(KubernetesObject)
        case gone(uid: String)
    }

    /// How long a pod that is to end may take for the events that its sidecar has brought it.
    private static let drainPatience: Duration = .seconds(5)

    private let services: PodServices
    private let logs: LogFolder
    private let addresses: PodAddresses
    private let pods: Informer
    private let sidecars: DaprStandIn?
    private let state = Lock(State())
    private let changes: AsyncStream<Change>
    private let queue: AsyncStream<Change>.Continuation

    init(
        services: PodServices, logs: LogFolder, addresses: PodAddresses, pods: Informer, sidecars: DaprStandIn?
    ) {
        self.sidecars = sidecars
        self.services = services
        self.logs = logs
        self.addresses = addresses
        self.pods = pods
        (changes, queue) = AsyncStream.makeStream()
        pods.onChange { [queue] change in
            if let new = change.new {
                queue.yield(.pod(new.object))
                if let old = change.old, old.uid != new.uid { queue.yield(.gone(uid: old.uid)) }
            } else if let old = change.old {
                queue.yield(.gone(uid: old.uid))
            }
        }
    }

    /// Runs pods until cancelled. Their processes go on: end them with `shutDown`.
    func run() async {
        guard (try? await pods.whenSynced()) != nil else { return }
        logs.keepOnly(pods.store.list().map(\.object))
        for await change in changes {
            switch change {
            case .pod(let pod): await take(pod)
            case .gone(let uid): release(uid)
            }
        }
    }

    private func take(_ pod: KubernetesObject) async {
        guard pod.spec?["nodeName"]?.string == services.node.name else { return }
        if PodView(pod).isFinished {
            Task { await sidecars?.stop(for: pod) }
        } else if pod.isBeingDeleted, isDraining(pod) {
            return
        }
        if let entry = state.withLock({ $0.entries[pod.uid] }) { return await entry.runner.update(pod) }
        // What has ended stays as it is, unless it is to be removed; what is gone by now is not begun.
        guard !PodView(pod).isFinished || pod.isBeingDeleted, pods.store.stored(ObjectKey(pod))?.uid == pod.uid
        else { return }
        let address = addresses.take(preferred: pod.status?["podIP"]?.string)
        let runner = PodRunner(pod, address: address, services: services)
        let isLate = state.withLock { state in
            if !state.isStopping { state.entries[pod.uid] = Entry(runner: runner, address: address, pod: pod) }
            return state.isStopping
        }
        if !isLate { await runner.begin() }
    }

    /// Whether the pod is at events that its sidecar has brought it, of which others of its group take the next ones. It is
    /// told to end after that: then it comes again. Nobody else waits for an app that hangs.
    private func isDraining(_ pod: KubernetesObject) -> Bool {
        guard let sidecars else { return false }
        let drain = state.withLock { state in
            let drain = state.entries[pod.uid]?.drain ?? .over
            if drain == .notBegun { state.entries[pod.uid]?.drain = .underWay }
            return drain
        }
        if drain == .notBegun {
            let time = services.access.time
            Task {
                await sidecars.drain(for: pod)
                endDrain(of: pod)
            }
            Task {
                try? await time.sleep(until: time.now.advanced(by: Self.drainPatience))
                endDrain(of: pod)
            }
        }
        return drain != .over
    }

    private func endDrain(of pod: KubernetesObject) {
        let isFirst = state.withLock { state in
            guard state.entries[pod.uid]?.drain == .underWay else { return false }
            state.entries[pod.uid]?.drain = .over
            return true
        }
        guard isFirst, let newest = pods.store.get(ObjectKey(pod)), newest.uid == pod.uid else { return }
        queue.yield(.pod(newest))
    }

    private func release(_ uid: String) {
        guard let entry = state.withLock({ $0.entries.removeValue(forKey: uid) }) else { return }
        Task {
            await entry.runner.abandon()
            await sidecars?.stop(for: entry.pod)
            addresses.release(entry.address)
            logs.remove(entry.pod)
        }
    }

    /// Ends all processes: SIGTERM, and SIGKILL after `patience`. The pods' objects stay as they are.
    func shutDown(patience: Duration) async {
        queue.finish()
        let runners = state.withLock { state in
            state.isStopping = true
            return state.entries.values.map(\.runner)
        }
        await withTaskGroup(of: Void.self) { group in
            for runner in runners { group.addTask { await runner.shutDown(patience: patience) } }
        }
    }

    /// The node's object.
    static func node(_ node: NodeDescription, now: KubernetesTime) -> JSON {
        let conditions: [(String, Bool, String, String)] = [
            ("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", true, "KubeletReady", "kubelet is posting ready status"),
        ]
        let capacity: JSON = ["cpu": "1000", "memory": "1Ti", "pods": "10k"]
        return [
            "addresses": [
                ["type": "InternalIP", "address": JSON(node.address)],
                ["type": "Hostname", "address": JSON(node.name)],
            ],
            "allocatable": capacity, "capacity": capacity,
            "conditions": .array(
                conditions.map { type, holds, reason, message in
                    [
                        "type": JSON(type), "status": holds ? "True" : "False", "reason": JSON(reason),
                        "message": JSON(message), "lastHeartbeatTime": JSON(now.text),
                        "lastTransitionTime": JSON(now.text),
                    ]
                }),
            "nodeInfo": [
                "architecture": .string(NodeAgent.architecture), "bootID": "", "containerRuntimeVersion": "process://1",
                "kernelVersion": "", "kubeProxyVersion": "", "kubeletVersion": "v1.36.2", "machineID": "",
                "operatingSystem": "linux", "osImage": "processes of this machine", "systemUUID": "",
            ],
        ]
    }

    #if arch(arm64)
        static let architecture = "arm64"
    #else
        static let architecture = "amd64"
    #endif
}

extension NodeAgent: PodRuntime {
    func log(of pod: KubernetesObject, options: PodLogOptions) async throws(PodRuntimeError) -> ResponseBody {
        let statuses = ["containerStatuses", "initContainerStatuses"].flatMap { pod.status?[$0]?.array ?? [] }
        let status = statuses.first { $0["name"]?.string == options.container }
        let restarts = status?["restartCount"]?.int ?? 0
        let subject = "container \"\(options.container)\" in pod \"\(pod.name)\""
        var attempt = restarts
        if options.previous {
            attempt -= 1
            guard attempt >= 0, logs.exists(logs.path(pod, options.container, attempt: attempt)) else {
                throw PodRuntimeError("previous terminated \(subject) not found")
            }
        }
        let path = logs.path(pod, options.container, attempt: attempt)
        // The process may be there before the status says so.
        guard logs.exists(path) else { throw PodRuntimeError("\(subject) \(Self.whyNoLog(status))") }
        do {
            return try LogReader(
                path: path, live: logs.log(path), options: options, now: services.access.time.wallClock
            ).body
        } catch {
            throw PodRuntimeError("the log of \(subject) cannot be read: \(error)")
        }
    }

    /// Why a container with this status has no log.
    static func whyNoLog(_ status: JSON?) -> String {
        let ended = status?.at("state", "terminated") ?? status?.at("lastState", "terminated")
        if ended?["reason"] == "StartError", let message = ended?["message"]?.string {
            return "could not be started: \(message)"
        }
        let waiting = status?.at("state", "waiting")
        let why = waiting?["message"]?.string ?? waiting?["reason"]?.string ?? "ContainerCreating"
        return "is waiting to start: \(why)"
    }
}
