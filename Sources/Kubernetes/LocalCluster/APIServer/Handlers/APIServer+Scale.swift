internal import APIServerKinds
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
            let change = try scaleChange(type, request)
            return try await setScale(request, paths: paths, options: options, mayRetry: true, change: change)
        }
    }

    private func scaleChange(
        _ type: PatchType, _ request: ResourceRequest
    ) throws(StatusError) -> (JSON) throws(StatusError) -> JSON {
        if type == .apply {
            do throws(YAMLError) {
                let config = try YAML.parse(request.request.body).first ?? .null
                return { MergePatch.apply(config, to: $0) }
            } catch {
                throw .badRequest("error decoding YAML: \(error)")
            }
        }
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
