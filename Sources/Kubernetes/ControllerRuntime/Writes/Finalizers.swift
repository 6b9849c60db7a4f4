public import KubernetesClient
internal import StructuredData

/// Adds and removes one finalizer, by a merge patch that names the version it is meant for. A conflict reads the
/// object anew and tries again; other finalizers are never touched.
public struct Finalizers: Sendable {
    private static let attempts = 5

    private let client: any ObjectClient
    private let fieldManager: String

    public init(client: any ObjectClient, fieldManager: String) {
        self.client = client
        self.fieldManager = fieldManager
    }

    /// Returns the object as it is with the finalizer, or nil when there was nothing to write: it has it, is being
    /// deleted, or is gone. Throws `APIError`; a conflict only after five attempts.
    @discardableResult
    public func add(
        _ finalizer: String, to object: KubernetesObject, _ type: ResourceType
    ) async throws -> KubernetesObject? {
        try await change(object, type) { object in
            guard !object.isBeingDeleted, !object.finalizers.contains(finalizer) else { return nil }
            return object.finalizers + [finalizer]
        }
    }

    /// Returns the object as it was left, or nil when there was nothing to write: it has no such finalizer, or is gone.
    @discardableResult
    public func remove(
        _ finalizer: String, from object: KubernetesObject, _ type: ResourceType
    ) async throws -> KubernetesObject? {
        try await change(object, type) { object in
            guard object.finalizers.contains(finalizer) else { return nil }
            return object.finalizers.filter { $0 != finalizer }
        }
    }

    private func change(
        _ object: KubernetesObject, _ type: ResourceType, _ finalizers: (KubernetesObject) -> [String]?
    ) async throws -> KubernetesObject? {
        var current = object
        for attempt in 1...Self.attempts {
            guard let wanted = finalizers(current) else { return nil }
            let patch: JSON = [
                "metadata": [
                    "uid": JSON(current.uid), "resourceVersion": JSON(current.resourceVersion),
                    "finalizers": JSON(wanted.map { JSON($0) }),
                ]
            ]
            do {
                return try await client.patch(
                    type, namespace: current.namespace, name: current.name, .merge(patch), subresource: nil,
                    options: WriteOptions(fieldManager: fieldManager))
            } catch let error as APIError where error.isNotFound { return nil } catch let error as APIError {
                guard error.isConflict, attempt < Self.attempts else { throw error }
            }
            guard let fresh = try await client.find(type, ObjectKey(current)), fresh.uid == current.uid else {
                return nil
            }
            current = fresh
        }
        return nil
    }
}
