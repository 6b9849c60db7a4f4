internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// The pod templates that a StatefulSet or DaemonSet has had, each in a ControllerRevision: what `kubectl rollout
/// history` and `undo` read.
struct RevisionHistory: Sendable {
    /// On pods and on ControllerRevisions.
    static let hashLabel = "controller-revision-hash"

    let access: ClusterAccess
    let revisions: Informer

    /// Of `owner`, oldest first.
    func all(of owner: KubernetesObject) -> [KubernetesObject] {
        revisions.store.list(ownedBy: owner.uid).map(\.object).filter { $0.isControlled(by: owner.uid) }
            .sorted { (Self.number($0), $0.name) < (Self.number($1), $1.name) }
    }

    /// Anybody can write it: a number that none can follow counts as the one before it.
    static func number(_ revision: KubernetesObject) -> Int { min(revision.json["revision"]?.int ?? 0, .max - 1) }

    static func hash(_ revision: KubernetesObject) -> String { revision.labels[hashLabel] ?? "" }

    /// The template that a revision holds.
    static func template(_ revision: KubernetesObject) -> JSON? {
        var template = revision.json.at("data", "spec", "template")
        template?["$patch"] = Optional<JSON>.none
        return template
    }

    /// The revision of the owner's present template: made when there is none, brought to the end when it is an old one.
    func current(
        of owner: KubernetesObject, _ type: ResourceType, _ context: ReconcileContext
    ) async throws(APIError) -> KubernetesObject {
        let all = all(of: owner)
        let hash = DeploymentRules.hash(owner.spec?["template"] ?? [:])
        let highest = all.last.map(Self.number) ?? 0
        let options = WriteOptions(fieldManager: ClusterAccess.controllerManager)
        if let present = all.first(where: { Self.hash($0) == hash }) {
            guard Self.number(present) < highest else { return present }
            let change: JSON = ["metadata": ["uid": JSON(present.uid)], "revision": JSON(highest + 1)]
            let written = try await access.client.patch(
                .controllerRevisions, namespace: owner.namespace, name: present.name, .merge(change), options: options)
            context.expect(written, .controllerRevisions)
            return written
        }
        let created = try await access.client.create(
            revision(of: owner, type, hash: hash, number: highest + 1), .controllerRevisions, options: options)
        context.expect(created, .controllerRevisions, isNew: true)
        return created
    }

    private func revision(of owner: KubernetesObject, _ type: ResourceType, hash: String, number: Int)
        -> KubernetesObject
    {
        var template = owner.spec?["template"] ?? [:]
        template["$patch"] = "replace"
        var labels = owner.spec?.at("template", "metadata", "labels") ?? [:]
        labels[Self.hashLabel] = JSON(hash)
        return KubernetesObject([
            "apiVersion": "apps/v1", "kind": "ControllerRevision",
            "metadata": [
                "name": JSON("\(owner.name)-\(hash)"), "namespace": JSON(owner.namespace ?? ""), "labels": labels,
                "ownerReferences": [owner.controllerReference(kind: type.kind, apiVersion: type.apiVersion)],
            ],
            "data": ["spec": ["template": template]], "revision": JSON(number),
        ])
    }

    /// Deletes the oldest revisions beyond `spec.revisionHistoryLimit`.
    /// - Parameter live: hashes or names of those that pods have.
    func prune(_ owner: KubernetesObject, live: Set<String>, _ context: ReconcileContext) async throws {
        let unused = all(of: owner).filter { !live.contains(Self.hash($0)) && !live.contains($0.name) }
        let limit = max(0, owner.spec?["revisionHistoryLimit"]?.int ?? 10)
        for revision in unused.dropLast(limit) {
            guard let stored = revisions.store.stored(ObjectKey(revision)) else { continue }
            try await context.delete(stored, .controllerRevisions)
        }
    }
}
