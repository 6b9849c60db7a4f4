internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

extension KubernetesClient {
    /// Makes the status of `object` equal to `status` by a merge patch of the members that differ. Returns the object
    /// as written; nil when nothing differs, or when the object is gone or another one of its name.
    ///
    /// - Parameter ofThisVersion: nothing is written either when the object has changed.
    @discardableResult
    func updateStatus(
        of object: KubernetesObject, _ type: ResourceType, to status: JSON, by manager: String,
        ofThisVersion: Bool = false
    ) async throws(APIError) -> KubernetesObject? {
        let change = StatusChange.members(from: object.status ?? [:], to: status)
        guard !change.isEmpty else { return nil }
        var metadata: JSON = ["uid": JSON(object.uid)]
        if ofThisVersion { metadata["resourceVersion"] = JSON(object.resourceVersion) }
        do {
            return try await patch(
                type, namespace: object.namespace, name: object.name,
                .merge(["metadata": metadata, "status": .object(change)]), subresource: "status",
                options: WriteOptions(fieldManager: manager))
        } catch {
            guard error.isNotFound || error.isConflict else { throw error }
            return nil
        }
    }
}

extension ReconcileContext {
    /// The same, of the object that this pass is about. The next pass waits until the cache shows it: one that went by the
    /// status before would take that for what is there, and leave it where it wants just that again.
    @discardableResult
    func updateStatus(
        _ type: ResourceType, to status: JSON, through client: KubernetesClient,
        by manager: String = ClusterAccess.controllerManager, ofThisVersion: Bool = false
    ) async throws(APIError) -> KubernetesObject? {
        guard let object else { return nil }
        let written = try await client.updateStatus(
            of: object, type, to: status, by: manager, ofThisVersion: ofThisVersion)
        if let written { expect(written, type) }
        return written
    }
}

/// What differs between two statuses.
enum StatusChange {
    /// Members of a merge patch that turns `old` into `new`. It goes down into objects: a merge patch with an empty one
    /// would change nothing.
    static func members(from old: JSON, to new: JSON) -> JSONObject {
        var change = JSONObject()
        for (key, value) in new.object ?? [:] where old[key] != value {
            if let before = old[key], before.object != nil, value.object != nil {
                change[key] = .object(members(from: before, to: value))
            } else {
                change[key] = value
            }
        }
        for key in old.object?.keys ?? [] where new[key] == nil { change[key] = .null }
        return change
    }
}

extension APIError {
    /// The server's own words, for Events and conditions.
    var text: String { status.map(\.message) ?? "\(self)" }
}
