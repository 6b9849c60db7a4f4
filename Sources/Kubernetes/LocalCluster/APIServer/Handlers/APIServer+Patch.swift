internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// The four formats of PATCH.
enum PatchType: String, Sendable {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case strategic = "application/strategic-merge-patch+json"
    case apply = "application/apply-patch+yaml"

    static func accepted(by resource: ServedResource) -> [PatchType] {
        resource.isBuiltin ? [.json, .merge, .strategic, .apply] : [.json, .merge, .apply]
    }

    init(_ request: ResourceRequest) throws(StatusError) {
        let accepted = Self.accepted(by: request.resource)
        guard let type = PatchType(rawValue: request.contentType), accepted.contains(type) else {
            throw .unsupportedMediaType(accepted.map(\.rawValue))
        }
        self = type
    }
}

extension APIServer {
    func patch(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let type = try PatchType(request)
        let options = try WriteOptions(request, kind: "PatchOptions", isApply: type == .apply)
        if type == .apply { return try await apply(request, options: options) }
        let patch = try Patch(type, request)
        var warnings: [String] = []
        let rules = UpdateRules(subresource: request.subresource)
        let result = try await change(request, options: options, rules: rules) { old throws(StatusError) in
            warnings = []
            let patched = try patch.apply(to: old, schema: request.resource.schema)
            return try decodedPatch(patched, patch, request, options: options, warnings: &warnings)
        }
        warnings += request.resource.warnings(result.object, old: result.old)
        return try respond(with: result.object, to: request, warnings: warnings)
    }

    /// The patched object, checked as a body would be.
    private func decodedPatch(
        _ patched: JSON, _ patch: Patch, _ request: ResourceRequest, options: WriteOptions, warnings: inout [String]
    ) throws(StatusError) -> JSON {
        let decoded: DecodedBody
        do throws(BodyError) {
            decoded = try request.resource.decode(patched)
        } catch {
            throw .invalidPatch(patch.shownText(of: patched), error.message)
        }
        var object = decoded.object
        try request.bind(&object)
        let problems =
            patch.duplicates.map { "duplicate field \(quoted($0))" }
            + decoded.unknownFields.map { "unknown field \(quoted($0))" }
        switch options.fieldValidation {
        case .ignore: break
        case .warn: warnings += problems
        case .strict where !problems.isEmpty:
            throw .invalidPatch(
                patch.shownText(of: patched), "strict decoding error: \(problems.joined(separator: ", "))")
        case .strict: break
        }
        return object
    }

    // MARK: - Server-side apply

    private func apply(_ request: ResourceRequest, options: WriteOptions) async throws(StatusError) -> APIResponse {
        let config = try applyConfiguration(request)
        for _ in 0..<8 {
            let isPresent = store.object(request.key, in: request.table) != nil
            if !isPresent, request.subresource == nil {
                do throws(StatusError) {
                    let created = try await applyCreate(config, request, options: options)
                    let warnings = request.resource.warnings(created, old: nil)
                    return try respond(with: created, to: request, status: 201, warnings: warnings)
                } catch {
                    guard error.reason == "AlreadyExists" else { throw error }
                    continue
                }
            }
            do throws(StatusError) {
                return try await applyUpdate(config, request, options: options)
            } catch {
                guard error.code == 404, isPresent, request.subresource == nil else { throw error }
            }
        }
        throw .conflict(request.resource, request.name ?? "")
    }

    private func applyCreate(
        _ config: JSON, _ request: ResourceRequest, options: WriteOptions
    ) async throws(StatusError) -> JSON {
        if let uid = config.at("metadata", "uid")?.string, !uid.isEmpty {
            throw .conflict(
                request.resource, request.name ?? "",
                "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
        }
        try authorize(request, verb: "create")
        let applied = try merged(config, live: nil, request, options: options)
        let object = try request.decode(applied).object
        return try await create(object, request, options: options, isApplied: true)
    }

    private func applyUpdate(
        _ config: JSON, _ request: ResourceRequest, options: WriteOptions
    ) async throws(StatusError) -> APIResponse {
        let result = try await applied(config, request, options: options)
        let warnings = request.resource.warnings(result.object, old: result.old)
        return try respond(with: result.object, to: request, warnings: warnings)
    }

    /// Applies `config` to the object that is there.
    func applied(
        _ config: JSON, _ request: ResourceRequest, options: WriteOptions
    ) async throws(StatusError) -> UpdateResult {
        let rules = UpdateRules(isApplied: true, subresource: request.subresource)
        return try await change(request, options: options, rules: rules) { old throws(StatusError) in
            let applied = try merged(config, live: old, request, options: options)
            let revision = config.at("metadata", "resourceVersion") ?? old.at("metadata", "resourceVersion")
            guard applied != old || revision != old.at("metadata", "resourceVersion") else { return old }
            var object = try request.decode(applied).object
            object.set(revision, at: "metadata", "resourceVersion")
            return object
        }
    }

    private func applyConfiguration(_ request: ResourceRequest) throws(StatusError) -> JSON {
        var config: JSON
        do throws(YAMLError) {
            config = try YAML.parse(request.request.body).first ?? .null
        } catch {
            throw .badRequest("error decoding YAML: \(error)")
        }
        guard config.object != nil else { throw .badRequest("error decoding YAML: the body is not an object") }
        let type = request.resource.type
        let version = config["apiVersion"]?.string ?? ""
        let kind = config["kind"]?.string ?? ""
        guard version == type.apiVersion, kind == type.kind else {
            throw .badRequest(
                "Incorrect version specified in apply patch. Specified patch version: \(version)/\(kind), "
                    + "expected: \(type.apiVersion)/\(type.kind)")
        }
        guard config.at("metadata", "managedFields") == nil else {
            throw .badRequest("metadata.managedFields must be nil")
        }
        try request.bind(&config)
        return config
    }

    private func merged(
        _ config: JSON, live: JSON?, _ request: ResourceRequest, options: WriteOptions
    ) throws(StatusError) -> JSON {
        let resource = request.resource
        guard let schema = resource.schema else {
            throw .internalError("there is no schema for \(resource.qualifiedPlural)")
        }
        var bare = config
        // A resourceVersion is a precondition, not a field to own.
        bare.set(nil, at: "metadata", "resourceVersion")
        do throws(ApplyError) {
            return try ServerSideApply.apply(
                config: bare, live: live, manager: options.fieldManager, force: options.force ?? false,
                subresource: request.subresource, apiVersion: resource.type.apiVersion, schema: schema,
                resetFields: request.resetFields, time: nowText)
        } catch {
            throw StatusError(error)
        }
    }
}

extension StatusError {
    fileprivate init(_ error: ApplyError) {
        switch error {
        case .conflicts(let conflicts):
            self.init(409, "Conflict", error.message)
            causes = conflicts.map { Cause(reason: "FieldManagerConflict", message: $0.message, field: $0.field) }
        case .badRequest: self.init(400, "BadRequest", error.message)
        case .invalid: self.init(500, "", error.message)
        }
    }
}
