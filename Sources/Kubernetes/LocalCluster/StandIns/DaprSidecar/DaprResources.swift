public import KubernetesClient
internal import StructuredData

/// The objects of the group dapr.io, of all namespaces.
public struct DaprResources: Sendable {
    public var components: [KubernetesObject]
    public var subscriptions: [KubernetesObject]
    public var resiliencies: [KubernetesObject]
    public var configurations: [KubernetesObject]

    public init(
        components: [KubernetesObject] = [], subscriptions: [KubernetesObject] = [],
        resiliencies: [KubernetesObject] = [], configurations: [KubernetesObject] = []
    ) {
        self.components = components
        self.subscriptions = subscriptions
        self.resiliencies = resiliencies
        self.configurations = configurations
    }

    /// Those that the pod's app may use.
    func scoped(to pod: SidecarPod) -> DaprResources {
        func own(_ objects: [KubernetesObject]) -> [KubernetesObject] {
            objects.filter { object in
                let scopes = object.json["scopes"]?.array ?? []
                return object.namespace == pod.namespace
                    && (scopes.isEmpty || scopes.contains { $0.string == pod.appID })
            }
        }
        return DaprResources(
            components: own(components), subscriptions: own(subscriptions), resiliencies: own(resiliencies),
            configurations: configurations.filter {
                $0.namespace == pod.namespace && $0.name == pod.configuration
            })
    }
}
