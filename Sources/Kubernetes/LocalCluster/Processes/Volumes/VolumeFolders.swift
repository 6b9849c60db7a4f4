internal import Glibc
internal import KubernetesClient
internal import StructuredData

/// The volumes of one pod on disk.
///
/// A container here is a process that shares the machine's files, so nothing can be mounted for it alone. Its volumes
/// are below a folder of its own, at the mount paths; `CONTAINER_SANDBOX_MOUNT_POINT` names the folder, as it does for
/// Kubernetes' host-process containers: `--config=$(CONTAINER_SANDBOX_MOUNT_POINT)/etc/app/config.yaml`. An `emptyDir`
/// at `/tmp` becomes the process' `TMPDIR`.
struct VolumeFolders: Sendable {
    static let variable = "CONTAINER_SANDBOX_MOUNT_POINT"

    /// What is the pod's alone; it goes with the pod.
    let folder: String

    private func place(of volume: String) -> String { "\(folder)/.volumes/\(volume)" }

    /// Below it a container finds its volumes.
    func root(of container: ContainerSpec) -> String { "\(folder)/.mounts/\(container.name)" }

    /// The variables that lead a container to its volumes.
    func variables(_ container: ContainerSpec, of pod: KubernetesObject) -> [String: String] {
        let mounts = container.mounts
        guard !mounts.isEmpty else { return [:] }
        var variables = [Self.variable: root(of: container)]
        if let mount = mounts.first(where: { $0["mountPath"]?.string == "/tmp" }), Self.isEmptyDir(mount, pod) {
            variables["TMPDIR"] = "\(root(of: container))/tmp"
        }
        return variables
    }

    /// For an Event: where a process has to look.
    func remarks(_ container: ContainerSpec, of pod: KubernetesObject) -> [String] {
        container.mounts.filter { $0["mountPath"]?.string != "/tmp" || !Self.isEmptyDir($0, pod) }.map { mount in
            let path = mount["mountPath"]?.string ?? ""
            return "Container \(container.name): volume \"\(mount["name"]?.string ?? "")\" is at "
                + "$\(Self.variable)\(path), not at \(path): containers of this cluster share the machine's files"
        }
    }

    private static func isEmptyDir(_ mount: JSON, _ pod: KubernetesObject) -> Bool {
        pod.spec?["volumes"]?.array?.first { $0["name"] == mount["name"] }?["emptyDir"] != nil
    }

    // MARK: - Writing

    /// Writes what the volumes hold, and makes them visible to the container. What processes wrote into an `emptyDir`
    /// stays.
    func prepare(
        _ container: ContainerSpec, files: [String: [VolumeContents.File]], environment: [String: String]
    ) throws {
        for (volume, files) in files {
            try Self.makeFolders(place(of: volume))
            for file in files { try write(file, to: place(of: volume)) }
        }
        LogFolder.removeTree(root(of: container))
        let mounts = container.mounts.sorted { $0["mountPath"]?.string ?? "" < $1["mountPath"]?.string ?? "" }
        for mount in mounts {
            let name = mount["name"]?.string ?? ""
            guard files[name] != nil else { throw VolumeContents.Missing(message: "volume \"\(name)\" is not defined") }
            try link(mount, to: place(of: name), root(of: container), environment)
        }
    }

    private func link(_ mount: JSON, to volume: String, _ root: String, _ environment: [String: String]) throws {
        var target = volume
        let expression = mount["subPathExpr"]?.string.map { ContainerEnvironment.expand($0, environment) }
        if let part = expression ?? mount["subPath"]?.string, !part.isEmpty {
            target += "/\(try VolumeContents.inside(part))"
            if access(target, F_OK) != 0 { try Self.makeFolders(target) }
        }
        let path = "\(root)/\(try VolumeContents.inside(mount["mountPath"]?.string ?? ""))"
        try Self.makeFolders(Self.parent(of: path))
        // A volume within a volume was linked there by an earlier start.
        unlink(path)
        guard symlink(target, path) == 0 else { throw LogError(path: path, errno: errno) }
    }

    /// A reader sees the old bytes or the new ones.
    private func write(_ file: VolumeContents.File, to folder: String) throws {
        let path = "\(folder)/\(file.path)"
        try Self.makeFolders(Self.parent(of: path))
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw LogError(path: draft, errno: errno) }
        defer { close(descriptor) }
        var rest = file.bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { throw LogError(path: draft, errno: errno) }
            rest = rest.dropFirst(max(0, count))
        }
        guard fchmod(descriptor, mode_t(truncatingIfNeeded: file.mode & 0o777)) == 0, rename(draft, path) == 0 else {
            throw LogError(path: path, errno: errno)
        }
    }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    private static func makeFolders(_ path: String) throws {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path.count > 1 else { throw LogError(path: path, errno: errno) }
        try makeFolders(parent(of: path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw LogError(path: path, errno: errno) }
    }
}
