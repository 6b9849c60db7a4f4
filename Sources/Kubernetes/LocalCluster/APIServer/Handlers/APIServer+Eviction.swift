internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

extension APIServer {
    /// Deletes the pod, if the PodDisruptionBudget that selects it allows that.
    func evict(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let eviction = try request.parsedBody().json
        guard eviction.at("metadata", "name")?.string == request.name else {
            throw .badRequest("name in URL does not match name in Eviction object")
        }
        let options = try DeleteOptions(eviction["deleteOptions"] ?? .null, request.query)
        while true {
            let pod = try pod(request)
            try checkPreconditions(options, pod, request.resource)
            var exact = options
            if try await takesThisVersion(of: pod, request, isDryRun: options.isDryRun) {
                exact.resourceVersion = pod.at("metadata", "resourceVersion")?.string
            }
            do throws(StatusError) {
                try await condemn(request, exact)
                return .json(
                    201, ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201])
            } catch {
                // It is another version now, which may be one that the budget guards.
                guard error.code == 409, exact.resourceVersion != options.resourceVersion else { throw error }
            }
        }
    }

    /// Says on the pod why it goes, which is what the failure policy of a Job goes by, and deletes it.
    private func condemn(_ request: ResourceRequest, _ options: DeleteOptions) async throws(StatusError) {
        guard !options.isDryRun else {
            _ = try await delete(request.withoutSubresource, options)
            return
        }
        let status = ResourceRequest(
            resource: request.resource, namespace: request.namespace, name: request.name ?? "",
            user: .system("apiserver"), subresource: "status")
        let writeOptions = try WriteOptions(status, kind: "UpdateOptions")
        let rules = UpdateRules(subresource: "status")
        let written = try await change(status, options: writeOptions, rules: rules) { pod throws(StatusError) in
            try checkPreconditions(options, pod, request.resource)
            return marked(pod)
        }
        var exact = options
        if options.resourceVersion != nil {
            exact.resourceVersion = written.object.at("metadata", "resourceVersion")?.string
        }
        _ = try await delete(request.withoutSubresource, exact)
    }

    private func marked(_ pod: JSON) -> JSON {
        let all = pod.at("status", "conditions")?.array ?? []
        let before = all.first { $0["type"] == "DisruptionTarget" && $0["status"] == "True" }
        let condition: JSON = [
            "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
            "lastTransitionTime": before?["lastTransitionTime"] ?? .string(nowText),
        ]
        var marked = pod
        marked.set(
            .array(all.filter { $0["type"] != "DisruptionTarget" } + [condition]), at: "status", "conditions")
        return marked
    }

    // MARK: - Budgets

    /// Refuses what a budget forbids. True when the pod may go only as it is: nobody misses one that has not begun, or
    /// that is not ready, but it may become ready meanwhile.
    private func takesThisVersion(
        of pod: JSON, _ request: ResourceRequest, isDryRun: Bool
    ) async throws(StatusError) -> Bool {
        let phase = pod.at("status", "phase")?.string ?? ""
        // It has ended, or goes anyway.
        guard !["Succeeded", "Failed"].contains(phase), pod.at("metadata", "deletionTimestamp")?.string == nil else {
            return false
        }
        if phase == "Pending" { return true }
        guard let budgets = registry.resource(group: "policy", version: "v1", plural: "poddisruptionbudgets"),
            let budget = try onlyBudget(for: pod, among: budgets, in: request.namespace ?? "")
        else { return false }
        let conditions = pod.at("status", "conditions")?.array ?? []
        let isReady = conditions.contains { $0["type"] == "Ready" && $0["status"] == "True" }
        if !isReady, Self.letsUnreadyGo(budget) { return true }
        try await takeDisruption(from: budget, budgets, request, isDryRun: isDryRun)
        return false
    }

    /// The budget that selects the pod. Of two, one could give what the other refuses: like the real server, this one
    /// takes from neither.
    private func onlyBudget(
        for pod: JSON, among budgets: ServedResource, in namespace: String
    ) throws(StatusError) -> JSON? {
        let prefix = "\(namespace)/"
        var iterator = store.objects(in: budgets.table).objects.iterator(from: prefix)
        var selecting: [JSON] = []
        while let stored = iterator.next(), stored.key.hasPrefix(prefix) {
            guard let budget = try? JSON(parsing: stored.bytes),
                let selector = budget.at("spec", "selector").flatMap({ LabelSelector(labelSelector: $0) }),
                selector.matches(pod.at("metadata", "labels"))
            else { continue }
            selecting.append(budget)
        }
        guard selecting.count <= 1 else {
            throw StatusError(
                500, "",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        }
        return selecting.first
    }

    /// A pod that is not ready is none of those that the budget counts.
    private static func letsUnreadyGo(_ budget: JSON) -> Bool {
        if budget.at("spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow" { return true }
        let desired = budget.at("status", "desiredHealthy")?.int ?? 0
        return desired > 0 && budget.at("status", "currentHealthy")?.int ?? 0 >= desired
    }

    /// Taken from what is stored, so that of evictions at once each finds what the others have left; the pod is noted
    /// there until it is seen to go.
    private func takeDisruption(
        from budget: JSON, _ budgets: ServedResource, _ request: ResourceRequest, isDryRun: Bool
    ) async throws(StatusError) {
        let status = ResourceRequest(
            resource: budgets, namespace: request.namespace, name: budget.at("metadata", "name")?.string ?? "",
            user: .system("apiserver"), subresource: "status")
        var options = try WriteOptions(status, kind: "UpdateOptions")
        options.isDryRun = isDryRun
        do throws(StatusError) {
            _ = try await change(status, options: options, rules: UpdateRules(subresource: "status")) {
                budget throws(StatusError) in
                let observed = budget.at("status", "observedGeneration")?.int ?? 0
                guard observed >= budget.at("metadata", "generation")?.int ?? 0 else {
                    throw Self.refusal(by: budget, "is still being processed by the server.", retryAfterSeconds: 10)
                }
                guard let allowed = budget.at("status", "disruptionsAllowed")?.int, allowed > 0 else {
                    let desired = budget.at("status", "desiredHealthy")?.int ?? 0
                    let current = budget.at("status", "currentHealthy")?.int ?? 0
                    throw Self.refusal(by: budget, "needs \(desired) healthy pods and has \(current) currently")
                }
                var taken = budget
                taken.set(JSON(allowed - 1), at: "status", "disruptionsAllowed")
                taken.set(.string(nowText), at: "status", "disruptedPods", request.name ?? "")
                return taken
            }
        } catch { guard error.code == 404 else { throw error } }
    }

    /// - Parameter retryAfterSeconds: nil where nobody knows when it will be otherwise. A client that is told waits
    ///   without a word, and `kubectl drain` is to say why it waits.
    private static func refusal(by budget: JSON, _ why: String, retryAfterSeconds: Int? = nil) -> StatusError {
        var error = StatusError.tooManyRequests(
            "Cannot evict pod as it would violate the pod's disruption budget.", retryAfterSeconds: retryAfterSeconds)
        let name = budget.at("metadata", "name")?.string ?? ""
        error.causes = [.init(reason: "DisruptionBudget", message: "The disruption budget \(name) \(why)")]
        return error
    }
}
