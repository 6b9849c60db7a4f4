internal import Concurrency
internal import KubernetesClient
internal import Logging
internal import StructuredData

extension Sidecar {
    /// `secrets/{store}/{name}`, read with the pod's ServiceAccount (contract section 4).
    func secret(_ request: SidecarRequest, _ path: [String]) async -> SidecarAnswer {
        guard path.count == 2, component(path[0], .secrets) != nil else {
            return .error(401, "ERR_SECRET_STORE_NOT_FOUND", "secret store \(path.first ?? "") is not found")
        }
        let forbidden = SidecarAnswer.error(
            403, "ERR_PERMISSION_DENIED", "access denied by policy to get \(path[1]) from \(path[0])")
        guard mayRead(path[1], in: path[0]) else { return forbidden }
        do {
            let namespace = request.metadata["namespace"] ?? pod.namespace
            let app = SecretAudience.serviceAccount(namespace: pod.namespace, name: pod.serviceAccount)
            guard let values = try await services.secrets(namespace, path[1], app) else {
                return .error(500, "ERR_SECRET_GET", "the Secret \(namespace)/\(path[1]) is not found")
            }
            return .json(JSON(values))
        } catch {
            logger.warning("a secret was not read", metadata: ["secret": "\(path[1])", "error": "\(error)"])
            return .error(500, "ERR_SECRET_GET", "\(error)")
        }
    }

    /// `spec.secrets.scopes` of the pod's Configuration.
    private func mayRead(_ name: String, in store: String) -> Bool {
        let configurations = state.withLock { $0.resources?.configurations ?? [] }
        let scopes = configurations.flatMap { $0.spec?.at("secrets", "scopes")?.array ?? [] }
        guard let scope = scopes.first(where: { $0["storeName"]?.string == store }) else { return true }
        func list(_ member: String) -> [String] { (scope[member]?.array ?? []).compactMap(\.string) }
        if list("deniedSecrets").contains(name) { return false }
        let allowed = list("allowedSecrets")
        if !allowed.isEmpty { return allowed.contains(name) }
        return scope["defaultAccess"]?.string != "deny"
    }
}
