import Foundation
import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite struct VolumeTests {
    private func contents(_ volume: JSON) -> VolumeContents {
        let pod = KubernetesObject([
            "metadata": ["name": "web", "namespace": "shop", "uid": "u1", "labels": ["b": "2", "a": "1"]],
            "spec": ["volumes": [volume], "containers": [["name": "main", "resources": ["limits": ["cpu": "2"]]]]],
        ])
        return VolumeContents(
            environment: ContainerEnvironment(
                pod: pod, container: ContainerSpec(["name": "main"], isInit: false), address: "127.64.0.9",
                node: NodeDescription()))
    }

    private let sources = VolumeContents.Sources(
        secrets: ["s": KubernetesObject(["data": ["token": "YWJj", "raw": "/wA="]])],
        configMaps: [
            "c": KubernetesObject(["data": ["app.yaml": "a: 1"], "binaryData": ["logo": "/wA="]])
        ])

    private func files(_ volume: JSON) throws -> [VolumeContents.File] {
        var named = volume
        named["name"] = "v"
        return try contents(named).files(sources)["v"] ?? []
    }

    @Test func secretsAndConfigMapsBecomeFiles() throws {
        let secret = try files(["secret": ["secretName": "s", "defaultMode": 256]])
        #expect(secret.map(\.path) == ["raw", "token"])
        #expect(secret.map(\.bytes) == [[255, 0], Array("abc".utf8)])
        #expect(secret.map(\.mode) == [256, 256])
        let map = try files(["configMap": ["name": "c"]])
        #expect(map.map(\.path) == ["app.yaml", "logo"])
        let picked = try files(["configMap": ["name": "c", "items": [["key": "logo", "path": "img/x", "mode": 384]]]])
        #expect(picked == [VolumeContents.File(path: "img/x", bytes: [255, 0], mode: 384)])
    }

    @Test func whatIsMissingIsSaidUnlessItIsOptional() throws {
        #expect(
            throws: ContainerEnvironment.Missing(
                message: "MountVolume.SetUp failed for volume \"v\" : secret \"none\" not found")
        ) { try files(["secret": ["secretName": "none"]]) }
        #expect(
            throws: ContainerEnvironment.Missing(
                message: "MountVolume.SetUp failed for volume \"v\" : references non-existent config key: k")
        ) { try files(["configMap": ["name": "c", "items": [["key": "k", "path": "k"]]]]) }
        #expect(try files(["secret": ["secretName": "none", "optional": true]]).isEmpty)
    }

    @Test func whatThisClusterCannotDoIsRefused() {
        #expect(
            throws: ContainerEnvironment.Missing(
                message: "volume \"v\": persistentVolumeClaim volumes are not supported by this cluster; use emptyDir, "
                    + "configMap, secret, downwardAPI, projected")
        ) { try files(["persistentVolumeClaim": ["claimName": "x"]]) }
        #expect(throws: ContainerEnvironment.Missing.self) {
            try files(["projected": ["sources": [["serviceAccountToken": ["path": "token"]]]]])
        }
        #expect(throws: ContainerEnvironment.Missing.self) {
            try files(["configMap": ["name": "c", "items": [["key": "logo", "path": "../x"]]]])
        }
    }

    @Test func projectsThePodItselfAmongOthers() throws {
        let fields: JSON = [
            "items": [
                ["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]],
                ["path": "name", "fieldRef": ["fieldPath": "metadata.name"]],
                ["path": "cpu", "resourceFieldRef": ["containerName": "main", "resource": "limits.cpu"]],
            ]
        ]
        let all = try files(["projected": ["sources": [["secret": ["name": "s"]], ["downwardAPI": fields]]]])
        #expect(all.map(\.path) == ["raw", "token", "labels", "name", "cpu"])
        #expect(all.suffix(3).map { String(decoding: $0.bytes, as: UTF8.self) } == ["a=\"1\"\nb=\"2\"", "web", "2"])
    }

    // MARK: - On disk

    @Test func aContainerFindsItsVolumesBelowItsFolder() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "todo-volumes-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { LogFolder.removeTree(folder) }
        let volumes = VolumeFolders(folder: folder)
        let container = ContainerSpec(
            [
                "name": "main",
                "volumeMounts": [
                    ["name": "config", "mountPath": "/data/config"], ["name": "data", "mountPath": "/data"],
                    ["name": "config", "mountPath": "/one.yaml", "subPath": "app.yaml"],
                    ["name": "tmp", "mountPath": "/tmp"],
                    ["name": "data", "mountPath": "/mine", "subPathExpr": "$(WHO)"],
                ],
            ], isInit: false)
        let pod = KubernetesObject([
            "spec": ["volumes": [["name": "tmp", "emptyDir": [:]], ["name": "data", "emptyDir": [:]]]]
        ])
        func file(_ text: String) -> VolumeContents.File {
            .init(path: "app.yaml", bytes: Array(text.utf8), mode: 0o400)
        }
        func prepare(_ text: String) throws {
            try volumes.prepare(
                container, files: ["config": [file(text)], "data": [], "tmp": []], environment: ["WHO": "me"])
        }
        let root = volumes.root(of: container)
        try prepare("one")
        try "kept".write(toFile: root + "/data/mark", atomically: false, encoding: .utf8)
        // A second start sees the new contents, and what was written before.
        try prepare("two")
        #expect(try String(contentsOfFile: root + "/data/config/app.yaml", encoding: .utf8) == "two")
        #expect(try String(contentsOfFile: root + "/one.yaml", encoding: .utf8) == "two")
        #expect(try String(contentsOfFile: root + "/data/mark", encoding: .utf8) == "kept")
        let mode = try FileManager.default.attributesOfItem(atPath: root + "/data/config/app.yaml")[.posixPermissions]
        #expect(mode as? Int == 0o400)
        #expect(FileManager.default.fileExists(atPath: folder + "/.volumes/data/me"))
        #expect(
            volumes.variables(container, of: pod) == [VolumeFolders.variable: root, "TMPDIR": root + "/tmp"])
        // A private /tmp needs no remark.
        #expect(volumes.remarks(container, of: pod).count == 4)
        #expect(volumes.variables(ContainerSpec(["name": "x"], isInit: false), of: pod).isEmpty)
    }
}
