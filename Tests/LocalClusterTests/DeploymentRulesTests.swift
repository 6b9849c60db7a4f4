import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

/// A Deployment and its ReplicaSets in memory; pods become ready when the test says so.
private struct Rollout {
    var deployment: JSON
    var sets: [JSON] = []
    var clock = 0
    var lowestAvailable = Int.max
    var highestTotal = 0

    init(replicas: Int, surge: JSON = "25%", unavailable: JSON = "25%") {
        deployment = [
            "metadata": ["name": "web", "namespace": "n", "uid": "u", "generation": 1],
            "spec": [
                "replicas": JSON(replicas), "selector": ["matchLabels": ["app": "web"]], "revisionHistoryLimit": 2,
                "strategy": [
                    "type": "RollingUpdate", "rollingUpdate": ["maxSurge": surge, "maxUnavailable": unavailable],
                ],
                "template": [
                    "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "c", "image": "i:1"]]],
                ],
            ],
        ]
    }

    mutating func setImage(_ image: String) {
        deployment.set([["name": "c", "image": .string(image)]], at: "spec", "template", "spec", "containers")
    }

    var sizes: [Int] { sets.map { $0.at("spec", "replicas")?.int ?? 1 } }

    var rules: DeploymentRules { DeploymentRules(deployment: deployment, replicaSets: sets) }

    /// Acts until nothing is left to do; `ready` tells which images' pods come up. Returns the number of rounds.
    mutating func settle(ready: (String) -> Bool = { _ in true }) -> Int {
        for round in 0..<200 {
            let actions = rules.actions
            if actions.isEmpty { return round }
            for action in actions { apply(action) }
            for index in sets.indices {
                let image = sets[index].at("spec", "template", "spec", "containers")?[0]?["image"]?.string ?? ""
                let replicas = sets[index].at("spec", "replicas")?.int ?? 0
                let up = ready(image) ? replicas : 0
                sets[index]["status"] = [
                    "replicas": JSON(replicas), "readyReplicas": JSON(up), "availableReplicas": JSON(up),
                ]
            }
            lowestAvailable = min(lowestAvailable, rules.all.reduce(0) { $0 + $1.available })
            highestTotal = max(highestTotal, rules.all.reduce(0) { $0 + $1.replicas })
        }
        return 200
    }

    private mutating func apply(_ action: DeploymentRules.Action) {
        func index(_ name: String) -> Int? { sets.firstIndex { $0.at("metadata", "name")?.string == name } }
        func annotate(_ index: Int, _ annotations: JSON?) {
            for (key, value) in annotations?.object ?? [:] {
                sets[index].set(value, at: "metadata", "annotations", key)
            }
        }
        let scaleAnnotations = rules.scaleAnnotations["annotations"]
        switch action {
        case .create(var set):
            clock += 1
            set.set(.string("2026-01-01T00:00:\(10 + clock)Z"), at: "metadata", "creationTimestamp")
            sets.append(set)
        case .scale(let name, let replicas):
            guard let index = index(name) else { return }
            sets[index].set(JSON(replicas), at: "spec", "replicas")
            annotate(index, scaleAnnotations)
        case .annotate(let name, let annotations): if let index = index(name) { annotate(index, annotations) }
        case .setMinReadySeconds(let name, let seconds):
            if let index = index(name) { sets[index].set(JSON(seconds), at: "spec", "minReadySeconds") }
        case .delete(let name): sets.removeAll { $0.at("metadata", "name")?.string == name }
        }
    }
}

@Suite struct DeploymentRulesTests {
    @Test func theNewestReplicaSetHasTheDeploymentsAnnotations() {
        var rollout = Rollout(replicas: 1, surge: 1, unavailable: 0)
        _ = rollout.settle()
        rollout.deployment.set("why", at: "metadata", "annotations", "kubernetes.io/change-cause")
        rollout.deployment.set("9", at: "metadata", "annotations", DeploymentRules.revisionAnnotation)
        #expect(
            rollout.rules.actions == [
                .annotate(name: rollout.rules.new?.name ?? "", annotations: ["kubernetes.io/change-cause": "why"])
            ])
        _ = rollout.settle()
        #expect(rollout.rules.actions.isEmpty)
    }

    @Test(
        arguments: [(1, "25%", "25%"), (4, 1, 0), (4, 0, 1), (10, "25%", "25%"), (3, 0, 0), (7, "100%", "0%")]
            as [(Int, JSON, JSON)])
    func aRollingUpdateEndsAndKeepsItsBounds(replicas: Int, surge: JSON, unavailable: JSON) {
        var rollout = Rollout(replicas: replicas, surge: surge, unavailable: unavailable)
        _ = rollout.settle()
        #expect(rollout.rules.isComplete)
        rollout.lowestAvailable = .max
        rollout.setImage("i:2")
        #expect(rollout.settle() < 200)
        #expect(rollout.rules.isComplete)
        let bounds = rollout.rules.surgeAndUnavailable
        #expect(rollout.lowestAvailable >= replicas - bounds.unavailable)
        #expect(rollout.highestTotal <= replicas + bounds.surge)
        #expect(rollout.rules.new?.revision == "2")
    }

    @Test func aTemplateThatNeverComesUpLeavesTheOldPodsRunning() {
        var rollout = Rollout(replicas: 4, surge: 1, unavailable: 0)
        _ = rollout.settle()
        rollout.setImage("broken")
        _ = rollout.settle { $0 != "broken" }
        #expect(!rollout.rules.isComplete)
        #expect(rollout.rules.all.reduce(0) { $0 + $1.available } == 4)
    }

    @Test func aRollbackFindsItsReplicaSetAgainAndGetsTheNextRevision() {
        var rollout = Rollout(replicas: 2)
        _ = rollout.settle()
        let first = rollout.rules.new?.name
        rollout.setImage("i:2")
        _ = rollout.settle()
        rollout.setImage("i:1")
        _ = rollout.settle()
        #expect(rollout.rules.new?.name == first)
        #expect(rollout.rules.new?.revision == "3")
        #expect(rollout.sets.count == 2)
    }

    @Test func oldReplicaSetsBeyondTheHistoryLimitGo() {
        var rollout = Rollout(replicas: 1)
        for number in 1...6 {
            rollout.setImage("i:\(number)")
            _ = rollout.settle()
        }
        #expect(rollout.sets.count == 3)
    }

    @Test func whatARollbackMadeCurrentAgainStaysInTheHistory() {
        var rollout = Rollout(replicas: 1)
        for image in ["i:1", "i:2", "i:3", "i:1", "i:4"] {
            rollout.setImage(image)
            _ = rollout.settle()
        }
        #expect(rollout.sets.count == 3)
        let kept = rollout.rules.old.compactMap(\.revision)
        #expect(Set(kept) == ["3", "4"])
    }

    @Test func whatItsReplicaSetCannotMakeTheDeploymentTellsToo() {
        var rollout = Rollout(replicas: 1)
        _ = rollout.settle()
        func told() -> [JSON] {
            (rollout.rules.status(now: KubernetesTime(seconds: 0))["conditions"]?.array ?? [])
                .filter { $0["type"] == "ReplicaFailure" }
        }
        #expect(told() == [])
        let failure: JSON = ["type": "ReplicaFailure", "status": "True", "message": "exceeded quota"]
        rollout.sets[0].set([failure], at: "status", "conditions")
        #expect(told() == [failure])
    }

    @Test func recreateStopsAllOldPodsFirst() {
        var rollout = Rollout(replicas: 3)
        rollout.deployment.set(["type": "Recreate"], at: "spec", "strategy")
        _ = rollout.settle()
        rollout.setImage("i:2")
        rollout.highestTotal = 0
        _ = rollout.settle()
        #expect(rollout.rules.isComplete)
        #expect(rollout.highestTotal == 3)
        #expect(rollout.lowestAvailable == 0)
    }

    @Test func scalingKeepsTheTemplateAndItsRevision() {
        var rollout = Rollout(replicas: 2)
        _ = rollout.settle()
        rollout.deployment.set(5, at: "spec", "replicas")
        _ = rollout.settle()
        #expect(rollout.rules.isComplete)
        #expect(rollout.sets.count == 1)
        rollout.deployment.set(0, at: "spec", "replicas")
        _ = rollout.settle()
        #expect(rollout.sets[0].at("spec", "replicas") == 0)
        #expect(rollout.rules.new?.revision == "1")
    }

    @Test func theTimeOfAPauseDoesNotCountAgainstTheDeadline() {
        var rollout = Rollout(replicas: 2)
        _ = rollout.settle()
        rollout.setImage("broken")
        _ = rollout.settle { $0 != "broken" }
        func progressing(_ seconds: Int64) -> JSON? {
            let status = rollout.rules.status(now: KubernetesTime(seconds: seconds))
            rollout.deployment["status"] = status
            return status["conditions"]?.array?.first { $0["type"] == "Progressing" }
        }
        #expect(progressing(0)?["status"] == "True")
        rollout.deployment.set(true, at: "spec", "paused")
        #expect(progressing(1)?["reason"] == "DeploymentPaused")
        rollout.deployment.set(nil, at: "spec", "paused")
        #expect(progressing(5000)?["reason"] == "DeploymentResumed")
        #expect(rollout.rules.progressDeadline(now: KubernetesTime(seconds: 5000)) == .seconds(601))
        #expect(progressing(5599)?["reason"] == "DeploymentResumed")
        #expect(progressing(5601)?["reason"] == "ProgressDeadlineExceeded")
    }

    @Test func theNewestReplicaSetHasTheTimeAfterWhichAPodIsAvailable() {
        var rollout = Rollout(replicas: 1)
        _ = rollout.settle()
        rollout.deployment.set(30, at: "spec", "minReadySeconds")
        #expect(rollout.rules.actions == [.setMinReadySeconds(name: rollout.rules.new?.name ?? "", 30)])
        _ = rollout.settle()
        rollout.deployment.set(nil, at: "spec", "minReadySeconds")
        _ = rollout.settle()
        #expect(rollout.sets[0].at("spec", "minReadySeconds") == 0)
        #expect(rollout.rules.actions.isEmpty)
    }

    /// The example of Kubernetes' documentation: of five pods more the larger one gets three.
    @Test(arguments: [false, true]) func aRolloutThatDoesNotGetOnIsScaledInProportion(isPaused: Bool) {
        var rollout = Rollout(replicas: 10, surge: 3, unavailable: 2)
        _ = rollout.settle()
        rollout.setImage("broken")
        _ = rollout.settle { $0 != "broken" }
        #expect(rollout.sizes == [8, 5])
        rollout.deployment.set(JSON(isPaused), at: "spec", "paused")
        for (replicas, expected) in [(15, [11, 7]), (10, [8, 5]), (0, [0, 0])] {
            rollout.deployment.set(JSON(replicas), at: "spec", "replicas")
            _ = rollout.settle { $0 != "broken" }
            #expect(rollout.sizes == expected)
        }
    }

    @Test func aPausedDeploymentIsScaledWhateverItsTemplateSays() {
        var rollout = Rollout(replicas: 2)
        _ = rollout.settle()
        rollout.deployment.set(true, at: "spec", "paused")
        rollout.setImage("i:2")
        for replicas in [4, 0, 1] {
            rollout.deployment.set(JSON(replicas), at: "spec", "replicas")
            _ = rollout.settle()
            #expect(rollout.sizes == [replicas])
        }
    }

    @Test func pausedMakesNoNewReplicaSet() {
        var rollout = Rollout(replicas: 2)
        _ = rollout.settle()
        rollout.deployment.set(true, at: "spec", "paused")
        rollout.setImage("i:2")
        #expect(rollout.rules.actions.isEmpty)
    }
}
