internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// A Secret that the operator makes once, with random content, and never changes: a person may put something else there.
/// To rotate is to make another one, under another name, that also holds what the one before it held.
enum GeneratedSecret: CaseIterable {
    /// What callers of the HTTP API may present.
    case apiToken
    /// By which service and Dapr sidecar know each other.
    case daprToken
    /// Without these the audit log in the database can be neither read nor gone on with: so this Secret stays when the
    /// app is deleted.
    case auditKeys
    /// By which links in messages are signed: with another one, those that were sent lead nowhere.
    case linkKey

    static let type = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")

    func reference(for app: TodoApp) -> ControllerRuntime.ObjectReference {
        ControllerRuntime.ObjectReference(Self.type, namespace: app.metadata.namespace, name: name(for: app))
    }

    /// What is there, made first if there is nothing. Throws `Hindrance` when it still belongs to a deleted app.
    func ensure(for app: TodoApp, in context: ReconcileContext) async throws -> KubernetesObject {
        let found = try await find(for: app, in: context)
        guard !app.isPredecessor(owning: found) else {
            throw AppObservation.Hindrance.predecessor(of: reference(for: app))
        }
        // Pods need the one before it until they are rolled, and nobody once the app is gone: what of it is still taken is
        // in the present one. So it goes with the app, whatever stays.
        if let former = try await former(of: app, in: context) {
            _ = try await own(former, by: DesiredState.ownerReference(to: app), in: context)
        }
        return try await assign(found, to: app, in: context)
    }

    /// Sees to it that the Secret goes with the app, or stays, as the app says; what a person made stays theirs.
    private func assign(
        _ secret: KubernetesObject, to app: TodoApp, in context: ReconcileContext
    ) async throws -> KubernetesObject {
        try await own(secret, by: owner(of: app), in: context)
    }

    private func own(
        _ secret: KubernetesObject, by owner: JSON?, in context: ReconcileContext
    ) async throws -> KubernetesObject {
        guard Self.isWatched(secret), secret.controller?["uid"] != owner?["uid"] else { return secret }
        return try await context.own(secret, Self.type, by: owner)
    }

    /// Nil for one that stays.
    private func owner(of app: TodoApp) -> JSON? {
        self == .auditKeys || app.spec.deletionPolicy == .retain ? nil : DesiredState.ownerReference(to: app)
    }

    private func find(for app: TodoApp, in context: ReconcileContext) async throws -> KubernetesObject {
        let reference = reference(for: app)
        if let found = context.store(Self.type)?.get(reference.key) { return found }
        // One without our label is followed by name once it was found.
        if context.isFollowed(reference), let found = try await context.read(reference) { return found }
        let previous = try await previous(of: app, in: context)
        do {
            return try await context.create(KubernetesObject(make(for: app, previous: previous)), Self.type)
        } catch let error as APIError where error.isAlreadyExists || error.isForbidden {
            // A role need not allow to make Secrets where a person does it.
            guard let found = try await context.read(reference) else { throw error }
            return found
        }
    }

    /// What the pods take until they are rolled, in Base64, and others have kept: that of the name before this one. Nil
    /// where nothing is rotated: one that was deleted is not to be taken any more.
    private func previous(of app: TodoApp, in context: ReconcileContext) async throws -> String? {
        guard let key = rotatingKey else { return nil }
        let data = try await former(of: app, in: context)?.json["data"]
        let last = data?[key]?.string
        // While its pods are not all there, nobody else has the token of that name: callers show the one before it.
        let isLive = deployment(of: app, in: context).map { DeploymentProgress($0.json).isRolledOut } ?? false
        return isLive ? last : data?["previous\(key.capitalized)"]?.string ?? last
    }

    /// Until the first pods are told of another name: the Secret of the name before it.
    private func former(of app: TodoApp, in context: ReconcileContext) async throws -> KubernetesObject? {
        let names = AppNames(app)
        guard let deployment = deployment(of: app, in: context) else { return nil }
        let before = AppNames(
            app: names.app, namespace: names.namespace, rotation: deployment.annotations[Label.secretRotation])
        guard name(in: before) != name(in: names) else { return nil }
        return try await context.client.find(
            Self.type, ObjectKey(namespace: names.namespace, name: name(in: before)))
    }

    private func deployment(of app: TodoApp, in context: ReconcileContext) -> KubernetesObject? {
        context.store(DesiredState.deploymentType)?.get(
            namespace: app.metadata.namespace, name: AppNames(app).service(.api))
    }

    /// What callers show, and so is taken for a while after a rotation. The two ends of `daprToken` are in one pod.
    private var rotatingKey: String? {
        switch self {
        case .apiToken: "token"
        case .linkKey: "key"
        case .daprToken, .auditKeys: nil
        }
    }

    /// Whether the informer of what has our label brings a pass when the Secret changes.
    static func isWatched(_ secret: KubernetesObject) -> Bool {
        secret.labels[Label.managedBy] == Label.operatorName
    }

    private func name(for app: TodoApp) -> String { name(in: AppNames(app)) }

    func name(in names: AppNames) -> String {
        switch self {
        case .apiToken: names.apiTokenSecret
        case .daprToken: names.daprTokenSecret
        case .auditKeys: names.auditKeySecret
        case .linkKey: names.linkKeySecret
        }
    }

    private var service: TodoApp.ServiceName {
        switch self {
        case .apiToken, .daprToken: .api
        case .auditKeys: .audit
        case .linkKey: .notification
        }
    }

    private func make(for app: TodoApp, previous: String?) -> JSON {
        var metadata = DesiredState.metadata(service, of: app, name: name(for: app))
        metadata["ownerReferences"] = owner(of: app).map { [$0] }
        var data = content.mapValues { $0.base64EncodedString() }
        if let key = rotatingKey { data["previous\(key.capitalized)"] = previous }
        return [
            "apiVersion": "v1", "data": JSON(data), "kind": "Secret", "metadata": metadata, "type": "Opaque",
        ]
    }

    private var content: [String: Data] {
        switch self {
        case .apiToken, .daprToken: ["token": Data(Self.randomToken().utf8)]
        case .auditKeys: ["masterKey": Self.randomKey(), "signingKey": Self.randomKey()]
        case .linkKey: ["key": Self.randomKey()]
        }
    }

    /// 32 bytes in base64.
    private static func randomKey() -> Data { Data(Data(randomBytes(32)).base64EncodedString().utf8) }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in .random(in: .min ... .max, using: &generator) }
    }

    /// About 256 random bits, in letters and digits that need no quoting in a shell or a header.
    private static func randomToken() -> String {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        return String((0..<43).compactMap { _ in alphabet.randomElement(using: &generator) })
    }
}

/// All of them.
struct GeneratedSecrets {
    let apiToken: APIToken
    let content: SecretContent
    /// Those that are not watched by their label: a person made them, or the operator may not list Secrets.
    let unwatched: Set<ControllerRuntime.ObjectReference>

    /// Makes those that are missing. Throws `Hindrance` when one cannot be used.
    static func ensure(for app: TodoApp, in context: ReconcileContext) async throws -> GeneratedSecrets {
        var found: [GeneratedSecret: KubernetesObject] = [:]
        for secret in GeneratedSecret.allCases { found[secret] = try await secret.ensure(for: app, in: context) }
        let content = found.values.reduce(into: SecretContent()) { content, secret in
            for (key, value) in secret.json["data"]?.object ?? [:] {
                content[SecretKey(secret.name, key)] = value.string
            }
        }
        // A role need not allow to list Secrets.
        let isListed = context.status(of: GeneratedSecret.type)?.isAvailable ?? false
        let unwatched = found.filter { !isListed || !GeneratedSecret.isWatched($0.value) }.keys
            .map { $0.reference(for: app) }
        return GeneratedSecrets(
            apiToken: try APIToken(found[.apiToken] ?? KubernetesObject([:]), of: app), content: content,
            unwatched: Set(unwatched))
    }
}
