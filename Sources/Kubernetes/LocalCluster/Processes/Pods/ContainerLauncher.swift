internal import ChildProcess
internal import ControllerRuntime
internal import Glibc
internal import KubernetesClient
internal import StructuredData

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Starts the processes that are containers here.
///
/// A child finds another one by its Service: every ClusterIP is an address of this machine on which the cluster's proxy
/// listens, and the variables `NAME_SERVICE_HOST` and `NAME_SERVICE_PORT` say it (unless `enableServiceLinks` is
/// false). There is no DNS: `TODO_HOSTS` says which address each name `SERVICE.NAMESPACE.svc` of the pod's namespace stands
/// for. Where its volumes are: see `VolumeFolders`. Each pod has a loopback address of its own (`status.podIP`), which
/// its processes get as `TODO_BIND_ADDRESS`: by listening on it many pods can use the same port.
struct ContainerLauncher: Sendable {
    enum Outcome: Sendable {
        /// `remarks` are what people should know of it.
        case started(ChildProcess, remarks: [String])
        case failed(PodMachine.StartFailure)
    }

    let access: ClusterAccess
    let images: ImageList
    let node: NodeDescription
    let services: Store
    let logs: LogFolder
    let sidecars: DaprStandIn?
    /// What every child inherits of this process' environment.
    let inherited: [String: String]

    func start(
        _ container: ContainerSpec, of pod: KubernetesObject, address: String, attempt: Int
    ) async -> Outcome {
        guard let program = images.program(for: container.image) else {
            return .failed(.run(images.refusal(of: container.image)))
        }
        do {
            let volumes = VolumeFolders(folder: logs.folder(pod))
            let environment = try await environment(container, of: pod, address: address, volumes)
            let arguments = try arguments(container, program: program, environment)
            let log = try logs.begin(pod, container.name, attempt: attempt)
            let output = try log.open(time: access.time)
            defer { close(output) }
            var specification = ChildProcess.Specification(
                path: program, arguments: arguments, environment: environment)
            specification.standardOutput = .descriptor(output)
            specification.standardError = .descriptor(output)
            specification.workingDirectory = container.json["workingDir"]?.string ?? "/"
            // A cluster that was killed leaves no process behind.
            specification.signalWhenParentEnds = SIGKILL
            let process = try await ChildProcess.start(specification)
            return .started(process, remarks: volumes.remarks(container, of: pod))
        } catch let missing as ContainerEnvironment.Missing {
            return .failed(.configuration(missing.message))
        } catch { return .failed(.run("\(error)")) }
    }

    /// `command` replaces the image's entry point, which is the program itself; so it may only name that.
    private func arguments(
        _ container: ContainerSpec, program: String, _ environment: [String: String]
    ) throws(RefusedCommand) -> [String] {
        func strings(_ key: String) -> [String] {
            (container.json[key]?.array ?? []).compactMap(\.string).map { ContainerEnvironment.expand($0, environment) }
        }
        let command = strings("command")
        guard let first = command.first else { return strings("args") }
        guard first == program || first.split(separator: "/").last == program.split(separator: "/").last else {
            throw RefusedCommand(command: first, program: program)
        }
        return Array(command.dropFirst()) + strings("args")
    }

    /// The variables of the container; its volumes are there afterwards.
    private func environment(
        _ container: ContainerSpec, of pod: KubernetesObject, address: String, _ volumes: VolumeFolders
    ) async throws -> [String: String] {
        let environment = ContainerEnvironment(pod: pod, container: container, address: address, node: node)
        let contents = VolumeContents(environment: environment)
        let (secrets, configMaps) = environment.references
        let (mountedSecrets, mountedMaps) = contents.references
        var sources = ContainerEnvironment.Sources()
        var mounted = VolumeContents.Sources()
        for name in secrets.union(mountedSecrets) {
            let secret = try await access.client.getIfPresent(.secrets, namespace: pod.namespace, name: name)
            sources.secrets[name] = secret.map { Self.values($0.json["data"], isBase64: true) }
            mounted.secrets[name] = secret
        }
        for name in configMaps.union(mountedMaps) {
            let map = try await access.client.getIfPresent(.configMaps, namespace: pod.namespace, name: name)
            sources.configMaps[name] = map.map { Self.values($0.json["data"], isBase64: false) }
            mounted.configMaps[name] = map
        }
        sources.base = inherited
        sources.base["HOSTNAME"] = pod.spec?["hostname"]?.string ?? pod.name
        sources.base["TODO_BIND_ADDRESS"] = address
        let known = services.list().map(\.object)
        sources.base["TODO_HOSTS"] = ContainerEnvironment.hosts(known, namespace: pod.namespace ?? "")
        let links = ContainerEnvironment.serviceLinks(
            known, enabled: pod.spec?["enableServiceLinks"]?.bool ?? true,
            namespace: pod.namespace ?? "")
        sources.base.merge(links) { $1 }
        if let sidecars { sources.base.merge(try await sidecars.start(for: pod, address: address)) { $1 } }
        sources.base.merge(volumes.variables(container, of: pod)) { $1 }
        let result = try environment.resolve(sources)
        try volumes.prepare(container, files: contents.files(mounted), environment: result)
        return result
    }

    static func values(_ data: JSON?, isBase64: Bool) -> [String: String] {
        var result: [String: String] = [:]
        for (key, value) in data?.object ?? [:] {
            guard let text = value.string else { continue }
            result[key] = isBase64 ? Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } : text
        }
        return result
    }
}

/// A command that is not the image's program.
struct RefusedCommand: Error, CustomStringConvertible {
    let command: String
    let program: String

    var description: String {
        "exec: \"\(command)\": executable file not found: an image of this cluster holds nothing but its program "
            + "\(program); leave command out, or name that program"
    }
}
