internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// A Secret that a field of the spec names, and that somebody else makes.
struct RequiredSecret: Hashable {
    let reference: ControllerRuntime.ObjectReference
    /// The keys that are read, in this order.
    let keys: [String]
    /// The field, for messages: `spec.notifications.email`.
    let field: String

    init(_ name: String, keys: [String], field: String, of app: TodoApp) {
        reference = ControllerRuntime.ObjectReference(
            GeneratedSecret.type, namespace: app.metadata.namespace, name: name)
        self.keys = keys
        self.field = field
    }

    /// Why it cannot be used, and what to do.
    struct Problem: Error, Equatable {
        let reason: ConditionReason
        let message: String
    }

    /// The values as they are in the Secret, in Base64. Throws `Problem` where one is missing.
    func read(in context: ReconcileContext) async throws -> [String] {
        let name = "Secret \(reference.key)"
        let found: KubernetesObject?
        do { found = try await context.read(reference) } catch let error as APIError where error.isForbidden {
            throw Problem(
                reason: .secretForbidden,
                message: "the operator may not read \(name); let its ServiceAccount get secrets in that namespace")
        }
        guard let found else {
            throw Problem(
                reason: .secretNotFound,
                message: "\(name) of \(field) does not exist; create it with \(described(keys))")
        }
        return try keys.map { key in
            guard let value = found.json.at("data", key)?.string, !value.isEmpty else {
                throw Problem(reason: .secretKeyMissing, message: "\(name) of \(field) has no key \(key); add it")
            }
            return value
        }
    }

    private func described(_ keys: [String]) -> String {
        guard let last = keys.last, keys.count > 1 else { return "the key \(keys.first ?? "")" }
        return "the keys \(keys.dropLast().joined(separator: ", ")) and \(last)"
    }
}

extension RequiredSecret {
    /// The login of the mail server; nil when the app sends no mail, or needs no login for it.
    static func mailLogin(of app: TodoApp) -> RequiredSecret? {
        app.spec.notifications.email?.secretRef.map {
            RequiredSecret($0.name, keys: ["username", "password"], field: "spec.notifications.email", of: app)
        }
    }

    /// What a Dapr Component reads to reach a Kafka that others run.
    static func kafkaLogin(of app: TodoApp) -> [RequiredSecret] {
        guard let external = app.spec.kafka?.external else { return [] }
        let login = external.authentication.secretRef.map {
            RequiredSecret(
                $0.name, keys: external.authentication.type.secretKeys, field: "spec.kafka.external.authentication",
                of: app)
        }
        let ca = external.tls.caSecretRef.map {
            RequiredSecret($0.name, keys: [$0.key], field: "spec.kafka.external.tls", of: app)
        }
        return [login, ca].compactMap(\.self).filter { !$0.keys.isEmpty }
    }
}
