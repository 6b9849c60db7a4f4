import StructuredData
import Testing

@testable import KubernetesClient

@Suite struct KubernetesTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
            ("2026-01-02T03:04:05Z", 1_767_323_045_000_000, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
            (
                "2024-02-29T23:59:59.000006Z", 1_709_251_199_000_006, "2024-02-29T23:59:59Z",
                "2024-02-29T23:59:59.000006Z"
            ),
            (
                "2026-01-02T03:04:05.123456789+02:00", 1_767_315_845_123_456, "2026-01-02T01:04:05Z",
                "2026-01-02T01:04:05.123456Z"
            ),
            ("1969-12-31T23:59:59.5Z", -500_000, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.500000Z"),
            ("2100-03-01T00:00:00-00:30", 4_107_544_200_000_000, "2100-03-01T00:30:00Z", "2100-03-01T00:30:00.000000Z"),
        ] as [(String, Int64, String, String)])
    func instantsAreReadAndWritten(text: String, microseconds: Int64, seconds: String, micro: String) throws {
        let time = try #require(KubernetesTime(text))
        #expect(time.microseconds == microseconds)
        #expect(time.text == seconds)
        #expect(time.microText == micro)
    }

    @Test(arguments: [
        "", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02T24:04:05Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05Zx", "2026-01-02T03:04:05+0200", "26-01-02T03:04:05Z", "2026-02-30T00:00:00Z",
    ])
    func otherTextsAreNot(text: String) { #expect(KubernetesTime(text) == nil) }

    @Test func noSpanLeadsPastWhatCanBeWritten() {
        let now = KubernetesTime(seconds: 1_767_225_600)
        for seconds in [Int64.max, 1 << 53, 300_000_000_000] {
            #expect(now.advanced(by: .seconds(seconds)).microText == "9999-12-31T23:59:59.999999Z")
            #expect(KubernetesTime(seconds: seconds).text == "9999-12-31T23:59:59Z")
            #expect(now.advanced(by: .seconds(-seconds)).text == "0001-01-01T00:00:00Z")
            #expect(KubernetesTime(seconds: -seconds).text == "0001-01-01T00:00:00Z")
        }
        #expect(now.advanced(by: .milliseconds(-1500)).microText == "2025-12-31T23:59:58.500000Z")
    }

    @Test func everyDayOfFourCenturiesSurvives() {
        for day in stride(from: Int64(-30_000), to: 146_097, by: 1) {
            let time = KubernetesTime(seconds: day * 86400 + 12345)
            #expect(KubernetesTime(time.text) == time)
        }
    }

    @Test func durationsAddUp() {
        let time = KubernetesTime(seconds: 10)
        #expect(time.advanced(by: .milliseconds(1500)).microseconds == 11_500_000)
        #expect(time.duration(to: time.advanced(by: .seconds(-3))) == .seconds(-3))
    }
}

@Suite struct LeaseTests {
    @Test func fieldsAreReadAndTheRestIsKept() throws {
        var lease = Lease(
            KubernetesObject([
                "metadata": ["name": "l", "resourceVersion": "5"],
                "spec": [
                    "holderIdentity": "a", "leaseDurationSeconds": 15, "acquireTime": "2026-01-01T00:00:00.000001Z",
                    "renewTime": "2026-01-01T00:00:10.000000Z", "leaseTransitions": 2, "strategy": "x",
                ],
            ]))
        #expect(lease.holderIdentity == "a")
        #expect(lease.leaseDurationSeconds == 15)
        #expect(lease.leaseTransitions == 2)
        #expect(lease.acquireTime?.microText == "2026-01-01T00:00:00.000001Z")
        lease.holderIdentity = "b"
        lease.leaseTransitions += 1
        lease.renewTime = KubernetesTime("2026-01-01T00:00:20Z")
        #expect(
            lease.object.spec == [
                "holderIdentity": "b", "leaseDurationSeconds": 15, "acquireTime": "2026-01-01T00:00:00.000001Z",
                "renewTime": "2026-01-01T00:00:20.000000Z", "leaseTransitions": 3, "strategy": "x",
            ])
        #expect(lease.object.resourceVersion == "5")
        lease.holderIdentity = nil
        #expect(lease.object.spec?["holderIdentity"] == nil)
    }

    @Test func aLeaseIsFetchedAsItsType() async throws {
        let server = StubServer(["kind": "Lease", "metadata": ["name": "l"], "spec": ["holderIdentity": "a"]])
        let lease = try await server.client().get(Lease.self, namespace: "n", name: "l")
        #expect(lease.holderIdentity == "a")
        #expect(server.requests.first?.path == "/apis/coordination.k8s.io/v1/namespaces/n/leases/l")
    }
}

@Suite struct EventRecordTests {
    private let time = KubernetesTime("2026-01-01T00:00:00.000001Z") ?? .now

    private func event(note: String = "n", namespace: String? = "home", name: String = "todo") -> EventRecord {
        EventRecord(
            regarding: ObjectReference(
                apiVersion: "todo-operator.dev/v1alpha1", kind: "TodoApp", namespace: namespace, name: name, uid: "u"),
            severity: .warning, reason: "Failed", action: "Reconcile", note: note, time: time)
    }

    @Test func theObjectIsWhatTheAPIWants() {
        #expect(
            event().object(controller: "todo-operator.dev/operator", instance: "pod-1").json == [
                "apiVersion": "events.k8s.io/v1", "kind": "Event",
                "metadata": ["namespace": "home", "name": "todo.6474846204001"],
                "eventTime": "2026-01-01T00:00:00.000001Z", "type": "Warning", "reason": "Failed",
                "action": "Reconcile", "note": "n", "reportingController": "todo-operator.dev/operator",
                "reportingInstance": "pod-1",
                "regarding": [
                    "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp", "name": "todo",
                    "namespace": "home", "uid": "u",
                ],
            ])
    }

    @Test func longTextsAreCutBetweenCharacters() throws {
        let note = String(repeating: "a", count: 1022) + "äö"
        let object = event(note: note, name: String(repeating: "x", count: 253)).object(
            controller: "c", instance: "i")
        #expect(object.json["note"]?.string == String(repeating: "a", count: 1022) + "ä")
        #expect(object.name.utf8.count <= 253)
    }

    @Test func clusterScopedObjectsHaveTheirEventsInDefault() { #expect(event(namespace: nil).namespace == "default") }

    @Test func aSeriesIsCountedUpByMergePatch() async throws {
        let server = StubServer(["kind": "Event"])
        let stored = KubernetesObject(["metadata": ["namespace": "home", "name": "e"]])
        _ = try await server.client().record(.init(count: 3, lastObservedTime: time), of: stored)
        let request = try #require(server.requests.first)
        #expect(request.path == "/apis/events.k8s.io/v1/namespaces/home/events/e")
        #expect(request.body == ["series": ["count": 3, "lastObservedTime": "2026-01-01T00:00:00.000001Z"]])
    }
}
