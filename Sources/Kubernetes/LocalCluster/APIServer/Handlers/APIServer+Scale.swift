internal import APIServerKinds
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

extension APIServer {
    /// GET, PUT and PATCH of `…/scale`.
    func scale(_ request: ResourceRequest, paths: ScalePaths) async throws(StatusError) -> APIResponse {
        guard let stored = store.object(request.key, in: request.table) else {
            throw .notFound(request.resource, request.name ?? "")
        }
        switch request.verb {
        case "get": return .json(200, Scale.of(try request.resource.object(from: stored), paths: paths))
        case "update":
            let options = try WriteOptions(request, kind: "UpdateOptions")
            let scale = try request.parsedBody().json
            let revision = scale.at("metadata", "resourceVersion")?.string ?? ""
            return try await setScale(request, paths: paths, options: options, mayRetry: revision.isEmpty) { _ in scale
            }
        default:
            let type = try PatchType(request)
            let options = try WriteOptions(request, kind: "PatchOptions", isApply: type == .apply)
            if type == .apply {
                let config = try scaleConfiguration(request, paths: paths)
                return .json(200, Scale.of(try await applied(config, request, options: options).object, paths: paths))
            }
            let change = try scaleChange(type, request)
            return try await setScale(request, paths: paths, options: options, mayRetry: true, change: change)
        }
    }

    /// An applied Scale as a configuration of the object itself: its replicas and nothing else.
    private func scaleConfiguration(_ request: ResourceRequest, paths: ScalePaths) throws(StatusError) -> JSON {
        let scale: JSON
        do throws(YAMLError) { scale = try YAML.parse(request.request.body).first ?? .null } catch {
            throw .badRequest("error decoding YAML: \(error)")
        }
        guard scale["apiVersion"] == "autoscaling/v1", scale["kind"] == "Scale" else {
            throw .badRequest("Incorrect version specified in apply patch, expected: autoscaling/v1/Scale")
        }
        let type = request.resource.type
        var config: JSON = [
            "apiVersion": .string(type.apiVersion), "kind": .string(type.kind),
            "metadata": ["name": .string(request.name ?? "")],
        ]
        if scale.at("spec", "replicas") != nil {
            do throws(FieldErrors) { config = try Scale.apply(scale, to: config, paths: paths) } catch {
                throw .invalid(request.resource, request.name ?? "", error.errors)
            }
        }
        try request.bind(&config)
        return config
    }

    private func scaleChange(
        _ type: PatchType, _ request: ResourceRequest
    ) throws(StatusError) -> (JSON) throws(StatusError) -> JSON {
        let patch = try Patch(type, request)
        let schema = BuiltinDefinitions.shared.schema(group: "autoscaling", version: "v1", kind: "Scale")
        return { old throws(StatusError) in try patch.apply(to: old, schema: schema) }
    }

    private func setScale(
        _ request: ResourceRequest, paths: ScalePaths, options: WriteOptions, mayRetry: Bool,
        change: (JSON) throws(StatusError) -> JSON
    ) async throws(StatusError) -> APIResponse {
        let rules = UpdateRules(subresource: "scale", mayRetry: mayRetry)
        let result = try await self.change(request, options: options, rules: rules) { old throws(StatusError) in
            let wanted = try change(Scale.of(old, paths: paths))
            var object: JSON
            do throws(FieldErrors) {
                object = try Scale.apply(wanted, to: old, paths: paths)
            } catch {
                throw .invalid(request.resource, request.name ?? "", error.errors)
            }
            object.set(wanted.at("metadata", "resourceVersion"), at: "metadata", "resourceVersion")
            return object
        }
        return .json(200, Scale.of(result.object, paths: paths))
    }
}
