internal import APIServer
internal import Concurrency
internal import ControllerRuntime
internal import Glibc
internal import KubernetesClient

/// Where the logs of all pods are: `FOLDER/NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log`. Of each container the present
/// run and the one before are kept. A pod's volumes are in its folder too, and go with it.
final class LogFolder: Sendable {
    let root: String
    private let open = Lock<[String: ContainerLog]>([:])

    init(_ root: String) { self.root = root }

    func folder(_ pod: KubernetesObject) -> String { "\(root)/\(pod.namespace ?? "")_\(pod.name)_\(pod.uid)" }

    func path(_ pod: KubernetesObject, _ container: String, attempt: Int) -> String {
        "\(folder(pod))/\(container)/\(attempt).log"
    }

    func begin(_ pod: KubernetesObject, _ container: String, attempt: Int) throws(LogError) -> ContainerLog {
        for path in [root, folder(pod), "\(folder(pod))/\(container)"] {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw LogError(path: path, errno: errno) }
        }
        let old = path(pod, container, attempt: attempt - 2)
        for name in [old, old + ".1"] { unlink(name) }
        open.withLock { $0[old] = nil }
        let log = ContainerLog(path: path(pod, container, attempt: attempt))
        open.withLock { $0[log.path] = log }
        return log
    }

    /// The log that a process of this run writes, or has written.
    func log(_ path: String) -> ContainerLog? { open.withLock { $0[path] } }

    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The last of what a container that has ended wrote, as much as a termination message holds: 80 lines, 2048 bytes.
    func ending(of pod: KubernetesObject, _ container: String, attempt: Int, time: any TimeSource) async -> String? {
        let path = path(pod, container, attempt: attempt)
        if let log = log(path) {
            await withTaskGroup { group in
                group.addTask { await log.whenClosed() }
                // Something that it started may go on writing: then what is there must do.
                group.addTask { try? await time.sleep(until: time.now.advanced(by: .seconds(1))) }
                await group.next()
                group.cancelAll()
            }
        }
        var options = PodLogOptions(container: container)
        options.tailLines = 80
        guard let reader = try? LogReader(path: path, live: nil, options: options, now: time.wallClock) else {
            return nil
        }
        var bytes: [UInt8] = []
        while let more = await reader.next() { bytes += more }
        return bytes.isEmpty ? nil : String(decoding: bytes.suffix(2048), as: UTF8.self)
    }

    func remove(_ pod: KubernetesObject) {
        let folder = folder(pod)
        open.withLock { open in open = open.filter { !$0.key.hasPrefix(folder + "/") } }
        Self.removeTree(folder)
    }

    /// Removes the logs of pods that are gone.
    func keepOnly(_ pods: [KubernetesObject]) {
        let kept = Set(pods.map(folder))
        for name in Self.names(in: root) where !kept.contains("\(root)/\(name)") { Self.removeTree("\(root)/\(name)") }
    }

    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func removeTree(_ path: String) {
        if unlink(path) == 0 || errno == ENOENT { return }
        for name in names(in: path) { removeTree("\(path)/\(name)") }
        rmdir(path)
    }
}
