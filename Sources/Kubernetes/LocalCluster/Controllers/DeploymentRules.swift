internal import StructuredData

/// What the Deployment controller does next: a pure function of a Deployment and its ReplicaSets, with the rules of
/// Kubernetes' own controller (documentation, "Deployments", "Rolling Update Deployment").
struct DeploymentRules {
    enum Action: Equatable {
        case create(JSON)
        case scale(name: String, replicas: Int)
        case annotate(name: String, annotations: JSON)
        case setMinReadySeconds(name: String, Int)
        case delete(name: String)
    }

    static let hashLabel = "pod-template-hash"
    static let revisionAnnotation = "deployment.kubernetes.io/revision"
    static let desiredAnnotation = "deployment.kubernetes.io/desired-replicas"
    static let maximumAnnotation = "deployment.kubernetes.io/max-replicas"

    let deployment: JSON
    let new: ReplicaSetView?
    /// Oldest first.
    let old: [ReplicaSetView]

    /// - Parameter replicaSets: those whose controller is the Deployment.
    init(deployment: JSON, replicaSets: [JSON]) {
        self.deployment = deployment
        let template = Self.comparable(deployment.at("spec", "template") ?? [:])
        let views = replicaSets.map(ReplicaSetView.init).sorted { ($0.created, $0.name) < ($1.created, $1.name) }
        // The oldest that matches, as Kubernetes takes it: a rollback finds its ReplicaSet again.
        new = views.first { Self.comparable($0.json.at("spec", "template") ?? [:]) == template }
        let newName = new?.name
        old = views.filter { $0.name != newName }
    }

    var desired: Int { deployment.at("spec", "replicas")?.int ?? 1 }
    var isPaused: Bool { deployment.at("spec", "paused")?.bool ?? false }
    var isRecreate: Bool { deployment.at("spec", "strategy", "type")?.string == "Recreate" }
    var all: [ReplicaSetView] { old + (new.map { [$0] } ?? []) }

    /// Pods over and under the desired number that a rolling update may have.
    var surgeAndUnavailable: (surge: Int, unavailable: Int) {
        let rolling = deployment.at("spec", "strategy", "rollingUpdate")
        let surge = Self.count(rolling?["maxSurge"] ?? "25%", of: desired, roundUp: true)
        let unavailable = Self.count(rolling?["maxUnavailable"] ?? "25%", of: desired, roundUp: false)
        // Both zero could never move.
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, unavailable)
    }

    /// The steps that can be taken now; the caller comes back when a ReplicaSet has changed.
    var actions: [Action] {
        let first = new.map { upkeep(of: $0) } ?? []
        // Also a paused one is scaled, and one whose rollout does not get on.
        if let scaling { return first + scaling }
        if isPaused { return first }
        guard let new else { return startNew }
        let moves = isRecreate ? recreate(new) : rollingUpdate(new)
        return first + (moves.isEmpty && isComplete ? cleanUp : moves)
    }

    /// What the newest ReplicaSet takes over although it begins no new one.
    private func upkeep(of new: ReplicaSetView) -> [Action] {
        var actions: [Action] = []
        if let annotations = missingAnnotations(of: new) {
            actions.append(.annotate(name: new.name, annotations: annotations))
        }
        let seconds = deployment.at("spec", "minReadySeconds")?.int ?? 0
        if new.json.at("spec", "minReadySeconds")?.int ?? 0 != seconds {
            actions.append(.setMinReadySeconds(name: new.name, seconds))
        }
        return actions
    }

    private var startNew: [Action] {
        let waitsForOld = isRecreate && old.contains { $0.replicas > 0 || $0.statusReplicas > 0 }
        if waitsForOld { return old.filter { $0.replicas > 0 }.map { .scale(name: $0.name, replicas: 0) } }
        return [.create(replicaSet(replicas: isRecreate ? desired : newReplicas(current: 0)))]
    }

    private func recreate(_ new: ReplicaSetView) -> [Action] {
        let running = old.filter { $0.replicas > 0 }
        if !running.isEmpty { return running.map { .scale(name: $0.name, replicas: 0) } }
        guard old.allSatisfy({ $0.statusReplicas == 0 }), new.replicas != desired else { return [] }
        return [.scale(name: new.name, replicas: desired)]
    }

    private func rollingUpdate(_ new: ReplicaSetView) -> [Action] {
        let target = newReplicas(current: new.replicas)
        if target != new.replicas { return [.scale(name: new.name, replicas: target)] }
        return scaleDownOld(new)
    }

    private func newReplicas(current: Int) -> Int {
        guard current < desired else { return desired }
        let room = desired + surgeAndUnavailable.surge - all.reduce(0) { $0 + $1.replicas }
        return current + max(0, min(room, desired - current))
    }

    private func scaleDownOld(_ new: ReplicaSetView) -> [Action] {
        let minimum = desired - surgeAndUnavailable.unavailable
        let total = all.reduce(0) { $0 + $1.replicas }
        var spare = total - minimum - max(0, new.replicas - new.available)
        var targets = old.map(\.replicas)
        // Pods that do not work go first: they hold nothing up.
        for index in old.indices where spare > 0 {
            let unhealthy = min(spare, max(0, old[index].replicas - old[index].available))
            targets[index] -= unhealthy
            spare -= unhealthy
        }
        var spareAvailable = all.reduce(0) { $0 + $1.available } - minimum
        for index in old.indices where spareAvailable > 0 && spare > 0 {
            let step = min(spare, spareAvailable, targets[index])
            targets[index] -= step
            spare -= step
            spareAvailable -= step
        }
        return zip(old, targets).filter { $0.replicas != $1 }.map { .scale(name: $0.name, replicas: $1) }
    }

    /// What was current longest ago goes first: a rollback made an old ReplicaSet a new revision.
    private var cleanUp: [Action] {
        let limit = deployment.at("spec", "revisionHistoryLimit")?.int ?? 10
        let finished = old.filter { $0.replicas == 0 && $0.statusReplicas == 0 }.sorted {
            (Self.number($0), $0.created, $0.name) < (Self.number($1), $1.created, $1.name)
        }
        return finished.dropLast(max(0, limit)).map { .delete(name: $0.name) }
    }

    /// Every pod is of the current template and available.
    var isComplete: Bool {
        guard let new else { return false }
        return new.replicas == desired && new.statusReplicas == desired && new.available == desired
            && old.allSatisfy { $0.replicas == 0 && $0.statusReplicas == 0 }
    }

    /// What the Deployment's own annotation says once the current ReplicaSet is there.
    var currentRevision: String? { new.map { nextRevision(including: $0) } }

    /// For a ReplicaSet that is scaled.
    var scaleAnnotations: JSON {
        [
            "annotations": [
                Self.desiredAnnotation: .string(String(desired)),
                Self.maximumAnnotation: .string(String(desired + (isRecreate ? 0 : surgeAndUnavailable.surge))),
            ]
        ]
    }

    /// The Deployment's annotations that its newest ReplicaSet has too, such as `kubernetes.io/change-cause`.
    private var inheritedAnnotations: JSON {
        let own = [
            "kubectl.kubernetes.io/last-applied-configuration", Self.revisionAnnotation, Self.desiredAnnotation,
            Self.maximumAnnotation,
        ]
        var annotations = deployment.at("metadata", "annotations")?.object ?? [:]
        annotations.keepMembers { key, _ in !own.contains(key) }
        return .object(annotations)
    }

    /// What the newest ReplicaSet's annotations lack; nil when nothing.
    private func missingAnnotations(of new: ReplicaSetView) -> JSON? {
        var wanted = inheritedAnnotations
        wanted[Self.revisionAnnotation] = JSON(nextRevision(including: new))
        let present = new.json.at("metadata", "annotations")
        let missing = (wanted.object ?? [:]).filter { present?[$0.key] != $0.value }
        return missing.isEmpty ? nil : .object(JSONObject(missing))
    }

    private func nextRevision(including new: ReplicaSetView?) -> String {
        let highest = old.map(Self.number).max() ?? 0
        if let own = new.flatMap({ Int($0.revision ?? "") }), own > highest { return String(own) }
        return String(highest + 1)
    }

    /// Anybody can write the annotation: a number that none can follow does not count.
    private static func number(_ set: ReplicaSetView) -> Int {
        set.revision.flatMap { Int($0) }.flatMap { $0 < .max ? $0 : nil } ?? 0
    }

    private func replicaSet(replicas: Int) -> JSON {
        let hash = Self.hash(deployment.at("spec", "template") ?? [:])
        var template = deployment.at("spec", "template") ?? [:]
        template.set(.string(hash), at: "metadata", "labels", Self.hashLabel)
        var selector = deployment.at("spec", "selector") ?? [:]
        selector.set(.string(hash), at: "matchLabels", Self.hashLabel)
        let name = deployment.at("metadata", "name")?.string ?? ""
        var annotations = inheritedAnnotations
        for (key, value) in scaleAnnotations["annotations"]?.object ?? [:] { annotations[key] = value }
        annotations[Self.revisionAnnotation] = .string(nextRevision(including: nil))
        var spec: JSON = ["replicas": JSON(replicas), "selector": selector, "template": template]
        spec["minReadySeconds"] = deployment.at("spec", "minReadySeconds")
        return [
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": [
                "annotations": annotations,
                "labels": template.at("metadata", "labels") ?? [:],
                "name": .string("\(name)-\(hash)"),
                "namespace": deployment.at("metadata", "namespace") ?? "default",
                "ownerReferences": [
                    [
                        "apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true, "kind": "Deployment",
                        "name": .string(name), "uid": deployment.at("metadata", "uid") ?? "",
                    ]
                ],
            ],
            "spec": spec,
        ]
    }

    /// `25%` or `1`, of a number of pods. Both numbers are of 32 bits in the API.
    static func count(_ value: JSON, of total: Int, roundUp: Bool) -> Int {
        if let absolute = value.int { return Int(Int32(clamping: absolute)) }
        guard let text = value.string, text.hasSuffix("%"), let percent = Int(text.dropLast()) else { return 0 }
        let scaled = Int(Int32(clamping: total)) * Int(Int32(clamping: percent))
        return roundUp ? (scaled + 99) / 100 : scaled / 100
    }

    private static func comparable(_ template: JSON) -> JSON {
        var template = template
        template.set(nil, at: "metadata", "labels", hashLabel)
        return template
    }

    /// FNV-1a over the template, in the alphabet that Kubernetes uses for names (no vowels, so no words).
    static func hash(_ template: JSON) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in comparable(template).encoded(sortedKeys: true) {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String(
            (0..<10).map { _ in
                defer { hash /= UInt64(alphabet.count) }
                return alphabet[Int(hash % UInt64(alphabet.count))]
            })
    }
}

/// The fields of a ReplicaSet that the rules read.
struct ReplicaSetView {
    let json: JSON
    let name: String
    let created: String
    let replicas: Int
    let statusReplicas: Int
    let ready: Int
    let available: Int
    let revision: String?
    /// What the Deployment wanted, and the most it could have, when this one was last scaled.
    let desired: Int?
    let maximum: Int?

    init(_ json: JSON) {
        self.json = json
        name = json.at("metadata", "name")?.string ?? ""
        created = json.at("metadata", "creationTimestamp")?.string ?? ""
        replicas = json.at("spec", "replicas")?.int ?? 1
        statusReplicas = json.at("status", "replicas")?.int ?? 0
        ready = json.at("status", "readyReplicas")?.int ?? 0
        available = json.at("status", "availableReplicas")?.int ?? 0
        func annotation(_ key: String) -> String? { json.at("metadata", "annotations", key)?.string }
        revision = annotation(DeploymentRules.revisionAnnotation)
        desired = annotation(DeploymentRules.desiredAnnotation).flatMap { Int($0) }
        maximum = annotation(DeploymentRules.maximumAnnotation).flatMap { Int($0) }
    }
}
