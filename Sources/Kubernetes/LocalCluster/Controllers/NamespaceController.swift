internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Furnishes new namespaces, and empties those that are being deleted: of all types, custom ones too.
struct NamespaceController: Sendable {
    private static let certificates = "kube-root-ca.crt"
    /// How soon a namespace is looked at again whose content is on its way out.
    private static let interval: Duration = .milliseconds(250)

    let access: ClusterAccess
    let registry: ResourceRegistry
    let authorityPEM: String

    /// - Parameter accounts: those named `default`.
    func register(with manager: Manager, namespaces: Informer, accounts: Informer) {
        let configMaps = manager.informer(.configMaps, .init(fieldSelector: "metadata.name=\(Self.certificates)"))
        let toNamespace: @Sendable (StoreChange) -> [ObjectKey] = { change in
            change.latest?.key.namespace.map { [ObjectKey(namespace: nil, name: $0)] } ?? []
        }
        manager.controller("namespace", for: namespaces, predicate: .all) { try await reconcile($0) }
            .watches(accounts, map: toNamespace)
            .watches(configMaps, map: toNamespace)
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let namespace = context.object else { return .done }
        return namespace.isBeingDeleted ? try await empty(namespace) : try await furnish(namespace, context)
    }

    // MARK: - New ones

    private func furnish(_ namespace: KubernetesObject, _ context: ReconcileContext) async throws -> ReconcileResult {
        let metadata: (String) -> JSON = { ["name": JSON($0), "namespace": JSON(namespace.name)] }
        if context.store(.serviceAccounts)?.get(namespace: namespace.name, name: "default") == nil {
            try await create(KubernetesObject(["metadata": metadata("default")]), .serviceAccounts)
        }
        let data: JSON = ["ca.crt": JSON(authorityPEM)]
        var configMap: JSON = ["metadata": metadata(Self.certificates), "data": data]
        let why =
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
            + "as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
            + "distributions of Kubernetes clusters."
        configMap.set(JSON(why), at: "metadata", "annotations", "kubernetes.io/description")
        let present = context.store(.configMaps)?.get(namespace: namespace.name, name: Self.certificates)
        guard let present else {
            try await create(KubernetesObject(configMap), .configMaps)
            return .done
        }
        if present.json["data"] != data {
            _ = try await access.client.patch(
                .configMaps, namespace: namespace.name, name: Self.certificates, .merge(["data": data]),
                options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
        }
        return .done
    }

    private func create(_ object: KubernetesObject, _ type: ResourceType) async throws(APIError) {
        do {
            _ = try await access.client.create(
                object, type, options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
        } catch {
            guard error.isAlreadyExists || error.isNamespaceTerminating || error.isNotFound else { throw error }
        }
    }

    // MARK: - Old ones

    private func empty(_ namespace: KubernetesObject) async throws -> ReconcileResult {
        guard namespace.spec?["finalizers"]?.array?.contains("kubernetes") == true else { return .done }
        let remaining = try await deleteContent(of: namespace.name)
        guard remaining.isEmpty else {
            let status = NamespaceRules.status(of: namespace, remaining: remaining, now: access.time.wallClock)
            try await access.client.updateStatus(
                of: namespace, .namespaces, to: status, by: ClusterAccess.controllerManager)
            return .requeue(after: Self.interval)
        }
        var finalized = namespace
        let others = namespace.spec?["finalizers"]?.array?.filter { $0 != "kubernetes" } ?? []
        finalized.json.set(.array(others), at: "spec", "finalizers")
        finalized.json.set(nil, at: "metadata", "resourceVersion")
        do {
            _ = try await access.client.replace(finalized, .namespaces, subresource: "finalize")
        } catch { guard error.isNotFound || error.isConflict else { throw error } }
        return .done
    }

    /// Deletes everything that is not yet being deleted; returns what is still there.
    private func deleteContent(of namespace: String) async throws(APIError) -> [NamespaceRules.Remaining] {
        var remaining: [NamespaceRules.Remaining] = []
        var seen: Set<String> = []
        for resource in registry.resources
        where resource.type.namespaced && resource.verbs.contains("list") && resource.verbs.contains("delete") {
            // The versions of one custom resource, and both kinds of events, are views of the same objects.
            guard seen.insert(resource.storageKey).inserted else { continue }
            let type = resource.type
            let objects = try await access.client.list(type, namespace: namespace).items
            for object in objects where !object.isBeingDeleted {
                do {
                    try await access.client.delete(
                        type, namespace: namespace, name: object.name,
                        options: DeleteOptions(uid: object.uid, propagation: .background))
                } catch { guard error.isNotFound || error.isConflict else { throw error } }
            }
            guard !objects.isEmpty else { continue }
            let left = try await access.client.list(type, namespace: namespace).items
            guard !left.isEmpty else { continue }
            remaining.append(
                NamespaceRules.Remaining(
                    resource: type.qualifiedName, count: left.count, finalizers: left.flatMap(\.finalizers)))
        }
        return remaining
    }
}

/// What a namespace that is being deleted says about itself.
enum NamespaceRules {
    struct Remaining: Sendable, Equatable {
        /// `pods`, `gizmos.example.com`.
        let resource: String
        let count: Int
        let finalizers: [String]
    }

    static func status(of namespace: KubernetesObject, remaining: [Remaining], now: KubernetesTime) -> JSON {
        let content = remaining.sorted { $0.resource < $1.resource }
            .map { "\($0.resource). has \($0.count) resource instances" }.joined(separator: ", ")
        var finalizers: [String: Int] = [:]
        for name in remaining.flatMap(\.finalizers) { finalizers[name, default: 0] += 1 }
        let held = finalizers.sorted { $0.key < $1.key }
            .map { "\($0.key) in \($0.value) resource instances" }.joined(separator: ", ")
        let discovered = "All resources successfully discovered"
        let conditions: [(String, Bool, String, String)] = [
            ("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", discovered),
            (
                "NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
                "All legacy kube types successfully parsed"
            ),
            (
                "NamespaceDeletionContentFailure", false, "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"
            ),
            (
                "NamespaceContentRemaining", true, "SomeResourcesRemain",
                "Some resources are remaining: \(content)"
            ),
            held.isEmpty
                ? (
                    "NamespaceFinalizersRemaining", false, "ContentHasNoFinalizers",
                    "All content-preserving finalizers finished"
                )
                : (
                    "NamespaceFinalizersRemaining", true, "SomeFinalizersRemain",
                    "Some content in the namespace has finalizers remaining: \(held)"
                ),
        ]
        let old = namespace.status?["conditions"]?.array ?? []
        var status = namespace.status ?? [:]
        status["phase"] = "Terminating"
        status["conditions"] = .array(
            conditions.map { type, holds, reason, message in
                let state: JSON = holds ? "True" : "False"
                let before = old.first { $0["type"]?.string == type }
                let transition = before?["status"] == state ? before?["lastTransitionTime"] : nil
                return [
                    "type": JSON(type), "status": state, "reason": JSON(reason), "message": JSON(message),
                    "lastTransitionTime": transition ?? JSON(now.text),
                ]
            })
        return status
    }
}
