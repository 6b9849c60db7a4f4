public import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// A pod that has a sidecar, as far as the sidecar is concerned.
public struct SidecarPod: Sendable, Hashable {
    public var uid: String
    public var name: String
    public var namespace: String
    public var serviceAccount: String
    public var appID: String
    /// Where the app listens; nil for an app that is never called.
    public var appPort: Int?
    /// The host under which the app listens.
    public var address: String
    /// Where health and metadata are shown to everybody, at `address`; nil shows them nowhere but to the app. Dapr's is
    /// `publicPort`.
    public var openPort: Int?
    /// Of a sidecar in a cluster (contract section 2).
    public static let publicPort = 3501
    /// Callers of the sidecar must show it; nil lets everybody in.
    public var apiToken: String?
    /// The sidecar shows it to the app.
    public var appToken: String?
    /// The name of its Configuration.
    public var configuration: String?
    public var maxBodyBytes = 4 << 20
    /// Nil takes the app for healthy once it has answered.
    public var health: AppHealthCheck?

    public init(uid: String, name: String, namespace: String, appID: String, appPort: Int?, address: String) {
        self.uid = uid
        self.name = name
        self.namespace = namespace
        serviceAccount = "default"
        self.appID = appID
        self.appPort = appPort
        self.address = address
    }

    /// From the annotations `dapr.io/…` (contract section 2); nil without `dapr.io/enabled: "true"`.
    /// The tokens are not in the pod: see `apiTokenSecret` and `appTokenSecret`.
    public init?(_ pod: KubernetesObject, address: String) {
        let annotations = pod.annotations
        guard annotations["dapr.io/enabled"] == "true" else { return nil }
        self.init(
            uid: pod.uid, name: pod.name, namespace: pod.namespace ?? "default",
            appID: annotations["dapr.io/app-id"] ?? pod.name,
            appPort: annotations["dapr.io/app-port"].flatMap { Int($0) }, address: address)
        serviceAccount = pod.spec?["serviceAccountName"]?.string ?? "default"
        configuration = annotations["dapr.io/config"]
        health = AppHealthCheck(annotations)
        if let size = annotations["dapr.io/max-body-size"].flatMap({ Quantity($0) }) { maxBodyBytes = size.roundedUp }
    }

    /// Why the sidecar would end at once; nil when it would not. Dapr's loads a store of Secrets unless it is told to do
    /// without, and for that needs the token of the ServiceAccount (dapr/dapr `appendBuiltinSecretStore`).
    public static func lackOfToken(_ pod: KubernetesObject) -> String? {
        let annotation = "dapr.io/disable-builtin-k8s-secret-store"
        guard pod.spec?["automountServiceAccountToken"]?.bool == false, pod.annotations[annotation] != "true" else {
            return nil
        }
        return "the sidecar has no token for its store of Secrets; set \(annotation)"
    }

    /// The Secret whose key `token` is what callers must show.
    public static func apiTokenSecret(_ pod: KubernetesObject) -> String? {
        pod.annotations["dapr.io/api-token-secret"]
    }

    /// The Secret whose key `token` the app is shown.
    public static func appTokenSecret(_ pod: KubernetesObject) -> String? {
        pod.annotations["dapr.io/app-token-secret"]
    }
}
