internal import ControllerRuntime
internal import KubernetesClient
internal import Logging

/// What every part of the cluster beside the API server works with.
struct ClusterAccess: Sendable {
    /// The field manager of what the controllers write.
    static let controllerManager = "kube-controller-manager"

    let client: KubernetesClient
    let time: any TimeSource
    let logger: Logger
}
