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

    /// The same of a Pod, by the patch that kubelet uses: it changes each condition for itself, so that one stays which
    /// somebody else has added since `pod` was read.
    @discardableResult
    func updatePodStatus(
        of pod: KubernetesObject, to status: JSON, by manager: String
    ) async throws(APIError) -> KubernetesObject? {
        let change = StatusChange.podMembers(from: pod.status ?? [:], to: status)
        guard !change.isEmpty else { return nil }
        do {
            return try await patch(
                .pods, namespace: pod.namespace, name: pod.name,
                .strategic(["metadata": ["uid": JSON(pod.uid)], "status": .object(change)]), subresource: "status",
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

    /// Members of a strategic merge patch that turns the status `old` of a Pod into `new`, and takes no condition away.
    static func podMembers(from old: JSON, to new: JSON) -> JSONObject {
        var change = members(from: old, to: new)
        let before = old["conditions"]?.array ?? []
        let conditions = (new["conditions"]?.array ?? []).compactMap { condition -> JSON? in
            let known = before.first { $0["type"] == condition["type"] }
            var element = members(from: known ?? [:], to: condition)
            guard !element.isEmpty else { return nil }
            element["type"] = condition["type"]
            return .object(element)
        }
        change["conditions"] = conditions.isEmpty ? nil : .array(conditions)
        // Else the old address would stay beside the new one.
        let replacement: JSON = ["$patch": "replace"]
        for key in ["hostIPs", "podIPs"] {
            if let addresses = change[key]?.array { change[key] = .array([replacement] + addresses) }
        }
        return change
    }
}

extension APIError {
    /// The server's own words, for Events and conditions.
    var text: String { status.map(\.message) ?? "\(self)" }
}
