internal import HTTPTypes
public import StructuredData

extension KubernetesClient {
    /// Stores a new object; gives it as stored. `namespace` nil means the object's own, else the configuration's.
    /// The name may be left to the server (`metadata.generateName`). Throws `isAlreadyExists` when the name is taken.
    public func create(
        _ object: KubernetesObject, _ type: ResourceType, namespace: String? = nil,
        options: WriteOptions = WriteOptions()
    ) async throws(APIError) -> KubernetesObject {
        let namespace = namespace ?? object.namespace ?? configuration.namespace
        var call = collectionCall("create", .post, type, namespace: namespace)
        guard !namespace.isEmpty || !type.namespaced else {
            throw core.error(call, .invalidRequest("\(type.kind) needs a namespace that is not empty"))
        }
        call.query = options.query
        call.body = complete(object, type).encoded()
        return try await self.object(call)
    }

    /// Posts to a subresource, such as `token` of a ServiceAccount or `eviction` of a Pod.
    public func create(
        _ body: JSON, _ type: ResourceType, namespace: String? = nil, name: String, subresource: String,
        options: WriteOptions = WriteOptions()
    ) async throws(APIError) -> KubernetesObject {
        var call = try call("create", .post, type, namespace: namespace, name: name, subresource: subresource)
        call.query = options.query
        call.body = body.encoded()
        return try await object(call)
    }

    /// Stores the whole object in place of the present one. With `metadata.resourceVersion` set, throws `isConflict`
    /// when that is not the present version.
    public func replace(
        _ object: KubernetesObject, _ type: ResourceType, subresource: String? = nil,
        options: WriteOptions = WriteOptions()
    ) async throws(APIError) -> KubernetesObject {
        var call = try call(
            "update", .put, type, namespace: object.namespace, name: object.name, subresource: subresource)
        call.query = options.query
        call.body = complete(object, type).encoded()
        return try await self.object(call)
    }

    /// Server-side apply: makes the fields of `object` so, creating the object when there is none, and owns them as
    /// `fieldManager`. Without `force`, throws `isConflict` with a cause per field that another manager owns.
    public func apply(
        _ object: KubernetesObject, _ type: ResourceType, fieldManager: String, force: Bool = true,
        subresource: String? = nil, dryRun: Bool = false, fieldValidation: FieldValidation? = nil
    ) async throws(APIError) -> KubernetesObject {
        var call = try call(
            "apply", .patch, type, namespace: object.namespace, name: object.name, subresource: subresource)
        let options = WriteOptions(fieldManager: fieldManager, dryRun: dryRun, fieldValidation: fieldValidation)
        call.query = options.query
        call.query.add("force", force ? "true" : "false")
        call.contentType = "application/apply-patch+yaml"  // JSON is YAML
        call.body = complete(object, type).encoded()
        return try await self.object(call)
    }

    /// Changes an object, or with `subresource: "status"` its status.
    public func patch(
        _ type: ResourceType, namespace: String? = nil, name: String, _ patch: Patch, subresource: String? = nil,
        options: WriteOptions = WriteOptions()
    ) async throws(APIError) -> KubernetesObject {
        var call = try call("patch", .patch, type, namespace: namespace, name: name, subresource: subresource)
        call.query = options.query
        call.contentType = patch.contentType
        call.body = patch.body.encoded()
        return try await object(call)
    }

    /// Deletes an object. Throws `isNotFound` when there is none, `isConflict` when a precondition does not hold.
    @discardableResult
    public func delete(
        _ type: ResourceType, namespace: String? = nil, name: String, options: DeleteOptions = DeleteOptions()
    ) async throws(APIError) -> DeleteOutcome {
        var call = try call("delete", .delete, type, namespace: namespace, name: name)
        call.body = options.body.encoded()
        let answer = try await json(call)
        // The server answers with a `Status` when the object is gone and with the object when it is not yet.
        if answer["kind"]?.string == "Status" { return .deleted(uid: answer.at("details", "uid")?.string) }
        return .pending(KubernetesObject(answer))
    }

    /// Deletes all objects that `options` selects. `namespace` must be given for namespaced kinds.
    public func deleteCollection(
        _ type: ResourceType, namespace: String?, options: ListOptions = ListOptions(),
        delete: DeleteOptions = DeleteOptions()
    ) async throws(APIError) {
        var call = collectionCall("deletecollection", .delete, type, namespace: namespace)
        guard !type.namespaced || namespace?.isEmpty == false else {
            throw core.error(call, .invalidRequest("deleting \(type.plural) of all namespaces is not supported"))
        }
        call.query = options.query
        call.body = delete.body.encoded()
        _ = try await json(call)
    }

    /// `apiVersion` and `kind` are filled in where the object has none.
    private func complete(_ object: KubernetesObject, _ type: ResourceType) -> JSON {
        var json = object.json
        if object.apiVersion.isEmpty { json["apiVersion"] = JSON(type.apiVersion) }
        if object.kind.isEmpty { json["kind"] = JSON(type.kind) }
        return json
    }
}
