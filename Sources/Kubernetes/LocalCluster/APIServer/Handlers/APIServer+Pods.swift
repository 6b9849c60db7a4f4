internal import APIServerKinds
internal import HTTPTransport
internal import HTTPTypes
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

extension APIServer {
    /// The subresources that only pods have; nil for every other request.
    func answerPod(_ request: ResourceRequest) async throws(StatusError) -> APIResponse? {
        guard request.table == TableID(group: "", plural: "pods") else { return nil }
        switch (request.subresource, request.verb) {
        case ("log", "get"): return try await log(request)
        case ("eviction", "create"): return try await evict(request)
        case ("binding", "create"): return try await bind(request)
        default: return nil
        }
    }

    /// Refuses what leads into a container, or adds one to a running pod.
    func refuseConnection(_ request: ResourceRequest) throws(StatusError) {
        let name = request.subresource.map { String($0.prefix { $0 != "/" }) } ?? ""
        guard request.resource.isBuiltin, request.resource.subresource(name) != nil else { return }
        switch (name, request.verb) {
        case ("ephemeralcontainers", "get"): return
        case ("exec", _), ("attach", _), ("portforward", _), ("proxy", _), ("ephemeralcontainers", _):
            throw .forbidden(
                request.resource, request.name,
                "\(name) is not supported: a container here is a process of this machine; "
                    + "reach its port, or read its log, directly")
        default: return
        }
    }

    func pod(_ request: ResourceRequest) throws(StatusError) -> JSON {
        guard let stored = store.object(request.key, in: request.table) else {
            throw .notFound(request.resource, request.name ?? "")
        }
        return try request.resource.object(from: stored)
    }

    // MARK: - Logs

    private func log(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let pod = try pod(request)
        let options = try logOptions(request, pod)
        guard let runtime = podRuntime else {
            throw .badRequest("the server has no access to the logs of pods: nothing runs pods here")
        }
        do throws(PodRuntimeError) {
            let body = try await runtime.log(of: KubernetesObject(pod), options: options)
            return APIResponse(headers: [.contentType: "text/plain"], body: .stream(body))
        } catch {
            throw .badRequest(error.message)
        }
    }

    private func logOptions(_ request: ResourceRequest, _ pod: JSON) throws(StatusError) -> PodLogOptions {
        let query = request.query
        var options = PodLogOptions(container: try container(request, pod))
        options.follow = query.flag("follow")
        options.previous = query.flag("previous")
        options.timestamps = query.flag("timestamps")
        options.tailLines = try query.integer("tailLines")
        options.sinceSeconds = try query.integer("sinceSeconds")
        options.sinceTime = query["sinceTime"]
        options.limitBytes = try query.integer("limitBytes")
        for (field, value, least) in [
            ("tailLines", options.tailLines, 0), ("sinceSeconds", options.sinceSeconds, 1),
            ("limitBytes", options.limitBytes, 1),
        ] {
            guard let value, value < least else { continue }
            let bound = least == 0 ? "greater than or equal to 0" : "greater than 0"
            throw .invalidOptions(
                "PodLogOptions", group: "", field: field, .invalid, "Invalid value: \(value): must be \(bound)")
        }
        return options
    }

    private func container(_ request: ResourceRequest, _ pod: JSON) throws(StatusError) -> String {
        let kinds = ["initContainers", "containers", "ephemeralContainers"]
        let names = kinds.flatMap { pod.at("spec", $0)?.array?.compactMap { $0["name"]?.string } ?? [] }
        let name = request.name ?? ""
        if let wanted = request.query["container"] {
            guard names.contains(wanted) else { throw .badRequest("container \(wanted) is not valid for pod \(name)") }
            return wanted
        }
        let main = pod.at("spec", "containers")?.array?.compactMap { $0["name"]?.string } ?? []
        if main.count == 1, names.count == 1 { return main[0] }
        if let chosen = pod.at("metadata", "annotations", "kubectl.kubernetes.io/default-container")?.string,
            names.contains(chosen)
        {
            return chosen
        }
        let initial = pod.at("spec", "initContainers")?.array?.compactMap { $0["name"]?.string } ?? []
        let choices =
            "[\(main.joined(separator: " "))]"
            + (initial.isEmpty ? "" : " or one of the init containers: [\(initial.joined(separator: " "))]")
        throw .badRequest("a container name must be specified for pod \(name), choose one of: \(choices)")
    }

    // MARK: - Binding

    /// A Binding that is created binds the pod of its name, and is not kept; nil for every other kind.
    func answerBinding(_ request: ResourceRequest) async throws(StatusError) -> APIResponse? {
        guard request.table == TableID(group: "", plural: "bindings"),
            let pods = registry.resource(group: "", version: "v1", plural: "pods")
        else { return nil }
        guard let name = try request.parsedBody().json.at("metadata", "name")?.string, !name.isEmpty else {
            throw .badRequest("metadata.name is required")
        }
        return try await bind(
            ResourceRequest(
                request: request.request, query: request.query, user: request.user, resource: pods,
                path: ResourcePath(pods.type, namespace: request.namespace, name: name, subresource: "binding"),
                verb: request.verb))
    }

    /// Puts the pod on the node that the Binding names.
    private func bind(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let binding = try request.parsedBody().json
        guard let node = binding.at("target", "name")?.string, !node.isEmpty else {
            throw .badRequest("target.name is required")
        }
        let options = try WriteOptions(request, kind: "CreateOptions")
        let rules = UpdateRules(subresource: "binding")
        let now = nowText
        _ = try await change(request, options: options, rules: rules) { pod throws(StatusError) in
            let present = pod.at("spec", "nodeName")?.string ?? ""
            guard present.isEmpty else {
                throw .conflict(
                    request.resource, request.name ?? "",
                    "pod \(request.name ?? "") is already assigned to node \(quoted(present))")
            }
            var bound = pod
            bound.set(.string(node), at: "spec", "nodeName")
            var conditions = pod.at("status", "conditions")?.array?.filter { $0["type"] != "PodScheduled" } ?? []
            conditions.append(
                ["type": "PodScheduled", "status": "True", "lastProbeTime": nil, "lastTransitionTime": .string(now)])
            bound.set(.array(conditions), at: "status", "conditions")
            return bound
        }
        return .json(201, ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201])
    }
}

extension ResourceRequest {
    /// The same request about the object itself.
    var withoutSubresource: ResourceRequest {
        ResourceRequest(
            request: request, query: query, user: user, resource: resource,
            path: path.about(namespace: namespace, name: name ?? ""), verb: verb)
    }
}
