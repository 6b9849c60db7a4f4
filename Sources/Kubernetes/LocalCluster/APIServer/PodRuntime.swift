public import HTTPTransport
public import KubernetesClient

/// What runs the pods, as the server asks it on behalf of `kubectl logs`.
public protocol PodRuntime: Sendable {
    /// The log of one container, oldest line first; with `follow` it goes on until the container ends for good or the
    /// body is dropped.
    /// - Throws: why there is none; the message reaches the user with 400 `BadRequest`.
    func log(of pod: KubernetesObject, options: PodLogOptions) async throws(PodRuntimeError) -> ResponseBody
}

/// The query of `pods/NAME/log`.
public struct PodLogOptions: Sendable, Hashable {
    /// Always one of the pod's containers.
    public var container: String
    public var follow = false
    /// The log of the container's run before this one.
    public var previous = false
    public var timestamps = false
    public var tailLines: Int?
    public var sinceSeconds: Int?
    /// RFC 3339.
    public var sinceTime: String?
    public var limitBytes: Int?

    public init(container: String) { self.container = container }
}

/// Why a pod's log cannot be read.
public struct PodRuntimeError: Error, Sendable, Hashable {
    public let message: String
    public init(_ message: String) { self.message = message }
}
