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
    /// Whether it holds certificates, which are looked at.
    private let isBundle: Bool
    /// Where it comes from; nil for people, who are told what to put in.
    private let maker: String?

    /// - Parameter maker: who makes it, and where that can be looked at.
    init(
        _ name: String, keys: [String], field: String, of app: TodoApp, isBundle: Bool = false, maker: String? = nil
    ) {
        self.isBundle = isBundle
        self.maker = maker
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

    /// What they hold. Throws `Problem` where one is missing.
    func read(in context: ReconcileContext) async throws -> SecretContent {
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
                message: "\(name) of \(field) does not exist; \(maker ?? "create it with \(described(keys))")")
        }
        return try keys.reduce(into: [:]) { content, key in
            guard let value = found.json.at("data", key)?.string, !value.isEmpty else {
                throw Problem(reason: .secretKeyMissing, message: "\(name) of \(field) has no key \(key); add it")
            }
            if isBundle, let problem = CertificateBundle.problem(in: Data(base64Encoded: value) ?? Data()) {
                throw Problem(
                    reason: .secretInvalid,
                    message:
                        "the key \(key) of \(name) of \(field) \(problem); write the certificates of the authorities there"
                )
            }
            content[SecretKey(reference.key.name, key)] = value
        }
    }

    /// Those that are there: pods do without the others, or say themselves what they miss.
    func readIfPresent(in context: ReconcileContext) async throws -> SecretContent {
        var content: SecretContent = [:]
        for key in keys {
            var one = self
            one.keys = [key]
            do { content.merge(try await one.read(in: context)) { $1 } } catch is Problem {}
        }
        return content
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
            RequiredSecret($0.name, keys: [$0.key], field: "spec.auth.oidc.caSecretRef", of: app, isBundle: true)
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
