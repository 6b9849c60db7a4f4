internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// The apps that this operator looks after, of all that there are.
public struct Shard: Sendable {
    /// Everything.
    public static let whole = Shard(isPart: false)

    private let isPart: Bool

    /// - Parameter isPart: others look after other apps.
    public init(isPart: Bool) { self.isPart = isPart }

    /// Whether the object is about an app that another operator looks after. One about an app that does not exist is
    /// everybody's: all say the same about it.
    func isOthers(_ object: KubernetesObject, _ context: ReconcileContext) async throws -> Bool {
        guard isPart, let name = object.json.at("spec", "appRef", "name")?.string else { return false }
        guard context.store(TodoGroup.todoApp)?.get(namespace: object.namespace, name: name) == nil else {
            return false
        }
        // The cache has only those that are selected; one that is there and about to come brings a pass then.
        return try await context.client.find(TodoGroup.todoApp, ObjectKey(namespace: object.namespace, name: name))
            != nil
    }
}
