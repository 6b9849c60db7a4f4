internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// The Secret with the token of the HTTP API: made once with a random value, and never changed by the operator, so that
/// a person may put a token of their own there.
enum APIToken {
    static let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")

    static func reference(for app: TodoApp) -> ControllerRuntime.ObjectReference {
        ControllerRuntime.ObjectReference(
            secrets, namespace: app.metadata.namespace, name: AppNames(app).apiTokenSecret)
    }

    /// The token, made first if there is none.
    static func ensure(for app: TodoApp, in context: ReconcileContext) async throws -> String {
        let reference = reference(for: app)
        if let found = try await context.read(reference) { return try token(in: found) }
        do {
            let made = try await context.client.create(
                KubernetesObject(secret(for: app)), secrets, namespace: app.metadata.namespace,
                options: WriteOptions(fieldManager: context.fieldManager))
            return try token(in: made)
        } catch let error as APIError where error.isAlreadyExists {
            // The cache was behind.
            guard let found = try await context.client.find(secrets, reference.key) else { throw error }
            return try token(in: found)
        }
    }

    private static func token(in secret: KubernetesObject) throws(DatabaseProblem) -> String {
        guard let token = secret.json.at("data", "token")?.string, !token.isEmpty else {
            throw DatabaseProblem(
                .secretKeyMissing,
                "Secret \(secret.namespace ?? "")/\(secret.name) has no key token; delete it to get a new one")
        }
        return token
    }

    private static func secret(for app: TodoApp) -> JSON {
        // About 256 random bits, in letters and digits that need no quoting in a shell or a header.
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        let token = String((0..<43).compactMap { _ in alphabet.randomElement(using: &generator) })
        var metadata = DesiredState.metadata("api", of: app)
        metadata["name"] = .string(AppNames(app).apiTokenSecret)
        return [
            "apiVersion": "v1", "data": ["token": .string(Data(token.utf8).base64EncodedString())], "kind": "Secret",
            "metadata": metadata, "type": "Opaque",
        ]
    }
}
