@testable import APIServerKinds
import Concurrency
import KubernetesSchema
import StructuredData
import Testing

/// Shared values of these tests.
enum Fixture {
    static let now = "2026-01-02T03:04:05Z"
    static let nowSeconds = 1_767_323_045

    static func context() -> WriteContext {
        WriteContext(
            now: now, user: "tester", makeUID: { "6a9d0d4e-0000-4000-8000-000000000001" },
            makeNameSuffix: { "x7k2p" }, addresses: AddressBook())
    }

    static func json(_ text: String) throws -> JSON { try JSON(parsing: text) }

    static func resource(_ group: String, _ plural: String, version: String = "v1") throws -> ServedResource {
        try #require(ResourceRegistry().resource(group: group, version: version, plural: plural))
    }

    /// The definition that the golden cases were recorded with.
    static func gizmos() throws -> JSON {
        try json(
            """
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
             "metadata":{"name":"gizmos.lab.example.test"},
             "spec":{"group":"lab.example.test","scope":"Namespaced",
              "names":{"plural":"gizmos","singular":"gizmo","kind":"Gizmo","listKind":"GizmoList","shortNames":["gz"],
               "categories":["lab"]},
              "conversion":{"strategy":"None"},
              "versions":[{"name":"v1","served":true,"storage":true,
               "subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas",
                "statusReplicasPath":".status.replicas"}},
               "additionalPrinterColumns":[
                {"name":"Size","type":"string","jsonPath":".spec.size"},
                {"name":"Reps","type":"integer","jsonPath":".spec.replicas"},
                {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\\"Ready\\")].status"},
                {"name":"Note","type":"string","priority":1,"jsonPath":".spec.note"}],
               "schema":{"openAPIV3Schema":{"type":"object","required":["spec"],"properties":{
                "spec":{"type":"object","required":["size"],"properties":{
                 "size":{"type":"string","enum":["small","large"],"description":"how big it is"},
                 "replicas":{"type":"integer","minimum":0,"default":1},
                 "note":{"type":"string","maxLength":20,"nullable":true},
                 "port":{"x-kubernetes-int-or-string":true},
                 "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
                "status":{"type":"object","properties":{"replicas":{"type":"integer"},
                 "conditions":{"type":"array","items":{"type":"object","properties":{
                  "type":{"type":"string"},"status":{"type":"string"}}}}}}}}}}]}}
            """)
    }

    static func registryWithGizmos() throws -> ResourceRegistry {
        let registry = ResourceRegistry()
        _ = registry.install(crd: try gizmos(), now: now)
        return registry
    }

    static func gizmoResource() throws -> ServedResource {
        try #require(registryWithGizmos().resource(group: "lab.example.test", version: "v1", plural: "gizmos"))
    }
}

extension FieldError {
    /// `field: message`, as kubectl prints it.
    var line: String { "\(field): \(message)" }
}

/// Gives out addresses and ports one by one, and notes what comes back.
final class AddressBook: ServiceAddressAllocator {
    struct State {
        var next = 0
        var taken: Set<String> = []
        var released: [String] = []
    }

    let state = Lock(State())

    func allocateClusterIP(requested: String?) throws(AddressError) -> String {
        let isFree = state.withLock { state in
            state.next += 1
            return requested.map { state.taken.insert($0).inserted } ?? true
        }
        guard isFree else { throw AddressError("provided IP is already allocated") }
        return requested ?? "10.96.0.\(state.withLock { $0.next })"
    }

    func allocateNodePort(requested: Int?) throws(AddressError) -> Int {
        requested
            ?? state.withLock { state in
                state.next += 1
                return 30_000 + state.next
            }
    }

    func release(clusterIP: String) { state.withLock { $0.released.append(clusterIP) } }
    func release(nodePort: Int) { state.withLock { $0.released.append(String(nodePort)) } }
}
