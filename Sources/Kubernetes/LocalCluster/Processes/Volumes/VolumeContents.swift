internal import KubernetesClient
internal import StructuredData

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// What lies in the volumes of a pod, as kubelet makes it of their sources.
struct VolumeContents: Sendable {
    struct File: Sendable, Equatable {
        /// Below the volume's folder; checked to stay there.
        let path: String
        let bytes: [UInt8]
        let mode: Int
    }

    /// What the volumes refer to; only what exists.
    struct Sources: Sendable {
        var secrets: [String: KubernetesObject] = [:]
        var configMaps: [String: KubernetesObject] = [:]
    }

    typealias Missing = ContainerEnvironment.Missing

    private static let supported = ["emptyDir", "configMap", "secret", "downwardAPI", "projected"]

    /// For the pod's own fields.
    let environment: ContainerEnvironment

    private var volumes: [JSON] { environment.pod.spec?["volumes"]?.array ?? [] }

    /// Names of the Secrets and ConfigMaps that `files` wants.
    var references: (secrets: Set<String>, configMaps: Set<String>) {
        var (secrets, configMaps): (Set<String>, Set<String>) = ([], [])
        for source in volumes + volumes.flatMap({ $0.at("projected", "sources")?.array ?? [] }) {
            if let name = source.at("secret", "secretName")?.string ?? source.at("secret", "name")?.string {
                secrets.insert(name)
            }
            if let name = source.at("configMap", "name")?.string { configMaps.insert(name) }
        }
        return (secrets, configMaps)
    }

    /// By volume. An `emptyDir` has no files; what containers write there stays.
    func files(_ sources: Sources) throws(Missing) -> [String: [File]] {
        var result: [String: [File]] = [:]
        for volume in volumes {
            let name = volume["name"]?.string ?? ""
            guard let kind = Self.supported.first(where: { volume[$0] != nil }), let source = volume[kind] else {
                let kind = volume.object?.keys.first { $0 != "name" } ?? "such"
                throw Missing(
                    message: "volume \"\(name)\": \(kind) volumes are not supported by this cluster; use "
                        + Self.supported.joined(separator: ", "))
            }
            do throws(Missing) {
                result[name] = try files(kind, source, mode: source["defaultMode"]?.int ?? 0o644, sources)
            } catch {
                throw Missing(message: "MountVolume.SetUp failed for volume \"\(name)\" : \(error.message)")
            }
        }
        return result
    }

    private func files(_ kind: String, _ source: JSON, mode: Int, _ sources: Sources) throws(Missing) -> [File] {
        switch kind {
        case "secret":
            let name = source["secretName"]?.string ?? source["name"]?.string ?? ""
            guard let secret = try find(name, "secret", sources.secrets, source) else { return [] }
            return try pick(Self.decoded(secret.json["data"]), source, mode: mode)
        case "configMap":
            let name = source["name"]?.string ?? ""
            guard let map = try find(name, "configmap", sources.configMaps, source) else { return [] }
            let text = (map.json["data"]?.object ?? [:]).map { ($0, Array(($1.string ?? "").utf8)) }
            let values = Self.decoded(map.json["binaryData"]).merging(text) { $1 }
            return try pick(values, source, mode: mode)
        case "downwardAPI": return try fields(source, mode: mode)
        case "projected":
            var files: [File] = []
            for part in source["sources"]?.array ?? [] {
                guard let kind = ["secret", "configMap", "downwardAPI"].first(where: { part[$0] != nil }),
                    let inner = part[kind]
                else {
                    let kind = part.object?.keys.first ?? "such"
                    throw Missing(message: "a projected \(kind) is not supported by this cluster")
                }
                files += try self.files(kind, inner, mode: mode, sources)
            }
            return files
        default: return []
        }
    }

    /// Nil when it is optional and not there.
    private func find(
        _ name: String, _ kind: String, _ known: [String: KubernetesObject], _ source: JSON
    ) throws(Missing) -> KubernetesObject? {
        if let object = known[name] { return object }
        guard source["optional"]?.bool == true else { throw Missing(message: "\(kind) \"\(name)\" not found") }
        return nil
    }

    /// All keys, or those of `items` at their paths.
    private func pick(_ values: [String: [UInt8]], _ source: JSON, mode: Int) throws(Missing) -> [File] {
        guard let items = source["items"]?.array, !items.isEmpty else {
            return values.sorted { $0.key < $1.key }.map { File(path: $0.key, bytes: $0.value, mode: mode) }
        }
        var files: [File] = []
        for item in items {
            let key = item["key"]?.string ?? ""
            guard let bytes = values[key] else {
                if source["optional"]?.bool == true { continue }
                throw Missing(message: "references non-existent config key: \(key)")
            }
            let path = try Self.inside(item["path"]?.string ?? key)
            files.append(File(path: path, bytes: bytes, mode: item["mode"]?.int ?? mode))
        }
        return files
    }

    private func fields(_ source: JSON, mode: Int) throws(Missing) -> [File] {
        var files: [File] = []
        for item in source["items"]?.array ?? [] {
            let text: String
            switch item.at("fieldRef", "fieldPath")?.string {
            case "metadata.labels"?: text = Self.lines(environment.pod.labels)
            case "metadata.annotations"?: text = Self.lines(environment.pod.annotations)
            case let path?: text = try environment.field(path)
            case nil: text = try environment.resource(item["resourceFieldRef"] ?? [:])
            }
            let path = try Self.inside(item["path"]?.string ?? "")
            files.append(File(path: path, bytes: Array(text.utf8), mode: item["mode"]?.int ?? mode))
        }
        return files
    }

    /// Refuses a path that would lead out of the folder it is meant for.
    static func inside(_ path: String) throws(Missing) -> String {
        let parts = path.split(separator: "/")
        guard !parts.isEmpty, !parts.contains("..") else {
            throw Missing(message: "the path \"\(path)\" must be relative and must not contain '..'")
        }
        return parts.joined(separator: "/")
    }

    private static func lines(_ values: [String: String]) -> String {
        values.sorted { $0.key < $1.key }.map { "\($0)=\(JSON($1).text)" }.joined(separator: "\n")
    }

    private static func decoded(_ data: JSON?) -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for (key, value) in data?.object ?? [:] {
            if let bytes = value.string.flatMap({ Data(base64Encoded: $0) }) { result[key] = Array(bytes) }
        }
        return result
    }
}
