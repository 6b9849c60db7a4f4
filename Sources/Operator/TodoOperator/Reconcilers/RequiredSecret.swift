internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// A Secret that a field of the spec names, and that somebody else makes.
struct RequiredSecret: Hashable {
    let reference: ControllerRuntime.ObjectReference
    /// The keys that are read, in this order.
    private(set) var keys: [String]
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

    /// The values, or a word in place of one that is not there: pods do without, or say themselves what they miss.
    func readIfPresent(in context: ReconcileContext) async throws -> [String] {
        var values: [String] = []
        for key in keys {
            var one = self
            one.keys = [key]
            do { values += try await one.read(in: context) } catch is Problem { values.append("absent") }
        }
        return values
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

    /// What people set as variables of the services. A pod reads it once, so that a change has to roll it.
    static func environment(of app: TodoApp) -> [RequiredSecret] {
        app.services.flatMap { service in
            app[service: service].pod.secretKeys.sorted { $0.key < $1.key }.map { name, keys in
                RequiredSecret(name, keys: keys, field: "env of \(service.rawValue)", of: app)
            }
        }
    }

    /// The certificate authorities of the identity provider; nil for those of the system.
    static func identityProviderCA(of app: TodoApp) -> RequiredSecret? {
        app.spec.auth.oidc?.caSecretRef.map {
            RequiredSecret($0.name, keys: [$0.key], field: "spec.auth.oidc.caSecretRef", of: app)
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
