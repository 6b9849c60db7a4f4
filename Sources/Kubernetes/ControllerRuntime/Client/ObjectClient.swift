public import KubernetesClient

/// What this module needs of an API server: `KubernetesClient`, the same behind a fence, or a twin in a test.
///
/// Calls throw `APIError`; behind a fence also `FenceError`.
public protocol ObjectClient: Sendable {
    func get(_ type: ResourceType, namespace: String?, name: String) async throws -> KubernetesObject

    func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList

    /// Calls `each` for every event until it returns false or the server ends the watch; then returns.
    func watch(
        _ type: ResourceType, namespace: String?, options: WatchOptions,
        each: @escaping @Sendable (WatchEvent) -> Bool
    ) async throws

    func create(
        _ object: KubernetesObject, _ type: ResourceType, namespace: String?, options: WriteOptions
    ) async throws -> KubernetesObject

    func replace(
        _ object: KubernetesObject, _ type: ResourceType, subresource: String?, options: WriteOptions
    ) async throws -> KubernetesObject

    func apply(
        _ object: KubernetesObject, _ type: ResourceType, fieldManager: String, force: Bool, subresource: String?
    ) async throws -> KubernetesObject

    func patch(
        _ type: ResourceType, namespace: String?, name: String, _ patch: Patch, subresource: String?,
        options: WriteOptions
    ) async throws -> KubernetesObject

    @discardableResult
    func delete(
        _ type: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws -> DeleteOutcome

    /// Whether the server has this type, by discovery.
    func serves(_ type: ResourceType) async throws -> Bool

    /// Whether this client may do `verb`, by SelfSubjectAccessReview. `namespace` nil means in all namespaces.
    func isAllowed(_ verb: String, _ type: ResourceType, namespace: String?) async throws -> Bool

    /// Returns when the server answers at all.
    func ping() async throws
}

extension ObjectClient {
    /// The object, or nil when there is none.
    public func find(_ type: ResourceType, _ key: ObjectKey) async throws -> KubernetesObject? {
        do { return try await get(type, namespace: key.namespace, name: key.name) } catch let error as APIError {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}

extension KubernetesClient: ObjectClient {
    public func get(_ type: ResourceType, namespace: String?, name: String) async throws -> KubernetesObject {
        try await get(type, namespace: namespace, name: name, subresource: nil)
    }

    public func watch(
        _ type: ResourceType, namespace: String?, options: WatchOptions,
        each: @escaping @Sendable (WatchEvent) -> Bool
    ) async throws {
        var client = self
        client.maximumRetries = 0  // a reflector has its own back-off
        for try await event in try await client.watch(type, namespace: namespace, options: options) {
            guard each(event) else { return }
        }
    }

    public func apply(
        _ object: KubernetesObject, _ type: ResourceType, fieldManager: String, force: Bool, subresource: String?
    ) async throws -> KubernetesObject {
        try await apply(
            object, type, fieldManager: fieldManager, force: force, subresource: subresource, dryRun: false,
            fieldValidation: nil)
    }

    public func serves(_ type: ResourceType) async throws -> Bool {
        try await resources(group: type.group, version: type.version)?.contains { $0.type.plural == type.plural }
            ?? false
    }

    public func isAllowed(_ verb: String, _ type: ResourceType, namespace: String?) async throws -> Bool {
        try await can(verb, type, namespace: namespace, name: nil, subresource: nil).allowed
    }

    public func ping() async throws { _ = try await serverVersion() }
}
