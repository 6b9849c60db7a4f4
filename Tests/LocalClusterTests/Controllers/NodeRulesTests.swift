import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite struct NodeRulesTests {
    private let now = KubernetesTime(seconds: 1_767_225_600)

    private func node(_ spec: JSON) -> KubernetesObject {
        KubernetesObject([
            "metadata": ["name": "local", "labels": ["zone": "a", "cores": "8"]], "spec": spec,
        ])
    }

    private func refusal(_ node: JSON, _ pod: JSON) -> String? { NodeRules(self.node(node)).refusal(of: pod) }

    @Test func aCordonKeepsPodsOffThatDoNotTolerateIt() {
        let cordoned: JSON = ["unschedulable": true]
        #expect(refusal(cordoned, [:]) == "node(s) were unschedulable")
        let toleration: JSON = ["key": "node.kubernetes.io/unschedulable", "operator": "Exists"]
        #expect(refusal(cordoned, ["tolerations": [toleration]]) == nil)
    }

    @Test(
        arguments: [
            (["key": "gpu", "value": "yes", "effect": "NoSchedule"], true),
            (["key": "gpu", "operator": "Exists"], true), (["operator": "Exists"], true),
            (["key": "gpu", "value": "no"], false), (["key": "gpu", "value": "yes", "effect": "NoExecute"], false),
            (["key": "other", "operator": "Exists"], false),
        ] as [(JSON, Bool)])
    func aTaintIsTolerated(toleration: JSON, tolerated: Bool) {
        let taints: JSON = ["taints": [["key": "gpu", "value": "yes", "effect": "NoSchedule"]]]
        let expected = tolerated ? nil : "node(s) had untolerated taint {gpu: yes}"
        #expect(refusal(taints, ["tolerations": [toleration]]) == expected)
    }

    @Test func aPreferenceKeepsNobodyOff() {
        #expect(refusal(["taints": [["key": "gpu", "effect": "PreferNoSchedule"]]], [:]) == nil)
    }

    @Test(
        arguments: [
            (["nodeSelector": ["zone": "a"]], true), (["nodeSelector": ["zone": "b"]], false),
        ] as [(JSON, Bool)])
    func aSelectorMustFit(spec: JSON, fits: Bool) { #expect((refusal([:], spec) == nil) == fits) }

    @Test(arguments: [
        ("zone", "In", ["a", "b"], true), ("zone", "NotIn", ["a"], false), ("zone", "Exists", [], true),
        ("disk", "Exists", [], false), ("disk", "DoesNotExist", [], true), ("cores", "Gt", ["4"], true),
        ("cores", "Lt", ["4"], false), ("disk", "NotIn", ["ssd"], true),
    ])
    func anAffinityMustFit(key: String, operation: String, values: [String], fits: Bool) {
        let requirement: JSON = [
            "key": JSON(key), "operator": JSON(operation), "values": .array(values.map { JSON($0) }),
        ]
        let terms: JSON = ["nodeSelectorTerms": [["matchExpressions": [requirement]]]]
        let spec: JSON = ["affinity": ["nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": terms]]]
        #expect((refusal([:], spec) == nil) == fits)
    }

    @Test func aNoExecuteTaintEndsPodsAfterTheirTime() {
        let added = now.advanced(by: .seconds(-10)).text
        let rules = NodeRules(
            node(["taints": [["key": "bad", "effect": "NoExecute", "timeAdded": JSON(added)]]]))
        #expect(rules.stay(of: [:], now: now) == .zero)
        let patient: JSON = ["tolerations": [["key": "bad", "operator": "Exists", "tolerationSeconds": 30]]]
        #expect(rules.stay(of: patient, now: now) == .seconds(20))
        #expect(rules.stay(of: ["tolerations": [["key": "bad", "operator": "Exists"]]], now: now) == nil)
    }

    @Test func theTaintOfACordonComesAndGoes() throws {
        let taints = try #require(NodeController.taints(of: node(["unschedulable": true]), now: now))
        #expect(taints[0]?["key"] == "node.kubernetes.io/unschedulable")
        #expect(NodeController.taints(of: node(["unschedulable": true, "taints": taints]), now: now) == nil)
        #expect(NodeController.taints(of: node(["taints": taints]), now: now) == .null)
        #expect(NodeController.taints(of: node([:]), now: now) == nil)
    }
}

@Suite struct AutoscalerRulesTests {
    private func rules(_ spec: JSON, status: JSON = [:]) -> AutoscalerRules {
        let object = KubernetesObject(["metadata": ["name": "web"], "spec": spec, "status": status])
        return AutoscalerRules(autoscaler: object, now: KubernetesTime(seconds: 1_767_225_600))
    }

    @Test(arguments: [(1, 2), (2, nil), (5, nil), (6, 5), (0, nil)] as [(Int, Int?)])
    func keepsWithinItsBounds(current: Int, wanted: Int?) {
        #expect(rules(["minReplicas": 2, "maxReplicas": 5]).rescale(current: current)?.replicas == wanted)
    }

    @Test func saysThatThereAreNoMetricsOnce() {
        let spec: JSON = [
            "maxReplicas": 5, "metrics": [["type": "Resource", "resource": ["name": "cpu"]]],
        ]
        let (status, note) = rules(spec).report(current: 2, observed: 2)
        #expect(note?.reason == "FailedGetResourceMetric")
        let conditions = status["conditions"]?.array ?? []
        #expect(conditions.map { $0["type"] } == ["AbleToScale", "ScalingActive"])
        #expect(conditions.map { $0["status"] } == ["True", "False"])
        #expect(conditions[1]["reason"] == "FailedGetResourceMetric")
        #expect(conditions[1]["message"]?.string?.hasSuffix("(get pods.metrics.k8s.io)") == true)
        let again = rules(spec, status: status).report(current: 2, observed: 2)
        #expect(again.status == status)
        #expect(again.note == nil)
    }

    @Test func aTargetOfZeroIsLeftAlone() {
        let (status, note) = rules(["maxReplicas": 5]).report(current: 0, observed: 0)
        #expect(status["conditions"]?[1]?["reason"] == "ScalingDisabled")
        #expect(note == nil)
    }

    @Test func namesATargetThatIsNotThere() {
        let (status, note) = rules([:]).report(failure: "deployments \"x\" not found", reason: "FailedGetScale")
        #expect(status["conditions"]?[0]?["status"] == "False")
        #expect(status["conditions"]?[0]?["reason"] == "FailedGetScale")
        #expect(note?.reason == "FailedGetScale")
    }
}
