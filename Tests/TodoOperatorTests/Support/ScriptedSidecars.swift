import Concurrency
import ControllerRuntime
import HTTPTransport
import HTTPTypes
import KubernetesClient
import StructuredData

@testable import TodoOperator

/// Plays Dapr's injector and the sidecars of pods: they have loaded what the objects of dapr.io say, but for what the test
/// hides from them.
final class ScriptedSidecars: Sendable {
    /// Whether pods that are made get a sidecar.
    let isInjecting = Lock(true)
    /// App ids whose sidecars do not answer.
    let mute = Lock<Set<String>>([])
    /// Names of Components, and topics, that no sidecar has loaded.
    let hidden = Lock<Set<String>>([])
    /// While it is closed a sidecar takes its time to answer.
    let answers = Latch()
    /// How many requests were sent, whether they were answered or not.
    let calls = Lock(0)
    /// The app ids that were asked, in turn.
    let asked = Lock<[String]>([])

    init() { answers.open() }

    /// One ready pod, unless it is there.
    func bringUpPod(of deployment: JSON, by person: KubernetesClient) async throws {
        let name = deployment.at("metadata", "name")?.string ?? ""
        guard (deployment.at("spec", "replicas")?.int ?? 1) > 0,
            try await person.getIfPresent(SidecarInspector.podType, namespace: "team", name: "\(name)-0") == nil
        else { return }
        var spec = deployment.at("spec", "template", "spec") ?? .null
        // There is none in a cluster without controllers.
        spec["serviceAccountName"] = Optional.none
        if isInjecting.withLock({ $0 }) {
            spec["containers"] = .array((spec["containers"]?.array ?? []) + [["image": "daprd", "name": "daprd"]])
        }
        var metadata = deployment.at("spec", "template", "metadata") ?? .null
        metadata["name"] = .string("\(name)-0")
        _ = try await person.create(
            KubernetesObject(["metadata": metadata, "spec": spec]), SidecarInspector.podType, namespace: "team")
        let host = name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
        _ = try await person.patch(
            SidecarInspector.podType, namespace: "team", name: "\(name)-0",
            .merge([
                "status": [
                    "conditions": [["type": "Ready", "status": "True"]], "phase": "Running",
                    "podIP": .string("10.0.\(host >> 8).\(host & 255)"),
                ]
            ]), subresource: "status", options: WriteOptions())
    }

    /// The network between the operator and the pods.
    func transport(_ person: KubernetesClient) -> InMemoryTransport {
        InMemoryTransport(clock: StillClock()) { [self] request in
            calls.withLock { $0 += 1 }
            try? await answers.wait()
            let pods = try await person.list(SidecarInspector.podType, namespace: "team", options: ListOptions()).items
            let pod = pods.first { request.url == "http://\($0.status?["podIP"]?.string ?? ""):3501/v1.0/metadata" }
            guard let pod, let id = pod.annotations["dapr.io/app-id"],
                pod.spec?["containers"]?.array?.contains(where: { $0["name"] == "daprd" }) == true,
                !mute.withLock({ $0.contains(id) })
            else { throw HTTPTransportError.connect("nobody listens") }
            asked.withLock { $0.append(id) }
            let body = try await metadata(of: id, person).encoded()
            let left = Lock<[UInt8]?>(body)
            return ClientResponse(
                status: .ok, headers: [:],
                body: ResponseBody { () async throws(HTTPTransportError) in
                    left.withLock { bytes in
                        defer { bytes = nil }
                        return bytes
                    }
                })
        }
    }

    private func metadata(of id: String, _ person: KubernetesClient) async throws -> JSON {
        func loaded(_ kind: String) async throws -> [KubernetesObject] {
            guard let type = DesiredState.daprTypes.first(where: { $0.kind == kind }) else { return [] }
            return try await person.list(type, namespace: "team", options: ListOptions()).items.filter {
                $0.json["scopes"]?.array?.contains(.string(id)) ?? true
            }
        }
        let hidden = hidden.withLock { $0 }
        let components = try await loaded("Component").filter { !hidden.contains($0.name) }
        let subscriptions = try await loaded("Subscription").compactMap(\.spec).filter {
            !hidden.contains($0["topic"]?.string ?? "")
        }
        return [
            "id": .string(id), "components": .array(components.map { ["name": .string($0.name)] }),
            "subscriptions": .array(subscriptions),
        ]
    }
}

/// Whoever waits for a sidecar waits until the test lets it answer, however long the machine takes for the rest.
private struct StillClock: Clock {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    var now: Instant { Instant() }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws { try await Latch().wait() }
}
