internal import HTTPTypes

/// A kind with a Swift type of its own.
public protocol TypedResource: Sendable {
    static var resourceType: ResourceType { get }
    /// Throws when the object is not one of this kind; the message names the field.
    init(_ object: KubernetesObject) throws
}

extension KubernetesClient {
    /// One object as its Swift type. An object that does not read as one throws `malformedResponse`.
    public func get<Resource: TypedResource>(
        _ type: Resource.Type, namespace: String? = nil, name: String
    ) async throws(APIError) -> Resource {
        let object = try await get(Resource.resourceType, namespace: namespace, name: name)
        do { return try Resource(object) } catch {
            throw core.error(
                try call("get", .get, Resource.resourceType, namespace: namespace, name: name),
                .malformedResponse("\(error)"))
        }
    }

    /// The objects of a list that read as their Swift type, and why the others do not: one bad object costs only
    /// itself.
    public func listAll<Resource: TypedResource>(
        _ type: Resource.Type, namespace: String? = nil, options: ListOptions = ListOptions()
    ) async throws(APIError) -> TypedList<Resource> {
        let list = try await listAll(Resource.resourceType, namespace: namespace, options: options)
        var result = TypedList<Resource>(items: [], undecodable: [], resourceVersion: list.resourceVersion)
        for object in list.items {
            do { result.items.append(try Resource(object)) } catch {
                result.undecodable.append((object, "\(error)"))
            }
        }
        return result
    }
}

/// All objects of a kind as their Swift type.
public struct TypedList<Resource: TypedResource>: Sendable {
    public var items: [Resource]
    public var undecodable: [(object: KubernetesObject, reason: String)]
    public var resourceVersion: String
}
