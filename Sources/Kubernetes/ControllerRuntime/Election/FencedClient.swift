public import KubernetesClient

/// A client whose writes pass a fence. Reads go through; a write is refused with `FenceError` when the fence is
/// closed, and cancelled when it closes while the write waits. A `KubernetesClient` asks the fence once more at the
/// moment of sending, after credentials, pauses and retries.
public struct FencedClient: ObjectClient {
    private let client: any ObjectClient
    private let fence: any Fence
    private let time: any TimeSource

    public init(_ client: any ObjectClient, fence: any Fence, time: any TimeSource = SystemTime()) {
        if var kubernetes = client as? KubernetesClient {
            kubernetes.mayWrite = { fence.isOpen }
            self.client = kubernetes
        } else {
            self.client = client
        }
        self.fence = fence
        self.time = time
    }

    private func write<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try fence.check()
        guard let end = fence.validUntil else { return try await work() }
        do { return try await time.run(until: end, work) } catch let error as DeadlineExceeded {
            try fence.check()  // closed: says so
            throw error  // renewed meanwhile; the write took longer than a lease and its result is not known
        } catch let error as APIError where error.isFenced { throw FenceError() }
    }

    public func get(_ type: ResourceType, namespace: String?, name: String) async throws -> KubernetesObject {
        try await client.get(type, namespace: namespace, name: name)
    }

    public func list(_ type: ResourceType, namespace: String?, options: ListOptions) async throws -> ObjectList {
        try await client.list(type, namespace: namespace, options: options)
    }

    public func watch(
        _ type: ResourceType, namespace: String?, options: WatchOptions,
        each: @escaping @Sendable (WatchEvent) -> Bool
    ) async throws { try await client.watch(type, namespace: namespace, options: options, each: each) }

    public func create(
        _ object: KubernetesObject, _ type: ResourceType, namespace: String?, options: WriteOptions
    ) async throws -> KubernetesObject {
        try await write { try await client.create(object, type, namespace: namespace, options: options) }
    }

    public func replace(
        _ object: KubernetesObject, _ type: ResourceType, subresource: String?, options: WriteOptions
    ) async throws -> KubernetesObject {
        try await write { try await client.replace(object, type, subresource: subresource, options: options) }
    }

    public func apply(
        _ object: KubernetesObject, _ type: ResourceType, fieldManager: String, force: Bool, subresource: String?
    ) async throws -> KubernetesObject {
        try await write {
            try await client.apply(object, type, fieldManager: fieldManager, force: force, subresource: subresource)
        }
    }

    public func patch(
        _ type: ResourceType, namespace: String?, name: String, _ patch: Patch, subresource: String?,
        options: WriteOptions
    ) async throws -> KubernetesObject {
        try await write {
            try await client.patch(
                type, namespace: namespace, name: name, patch, subresource: subresource, options: options)
        }
    }

    @discardableResult
    public func delete(
        _ type: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws -> DeleteOutcome {
        try await write { try await client.delete(type, namespace: namespace, name: name, options: options) }
    }

    public func serves(_ type: ResourceType) async throws -> Bool { try await client.serves(type) }

    public func isAllowed(_ verb: String, _ type: ResourceType, namespace: String?) async throws -> Bool {
        try await client.isAllowed(verb, type, namespace: namespace)
    }

    public func ping() async throws { try await client.ping() }
}
