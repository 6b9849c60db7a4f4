internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// The Secret with the token of the HTTP API: made once with a random value, and never changed by the operator, so that
/// a person may put a token of their own there.
struct APIToken: Sendable, Equatable {
    static let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")

    /// Fewer than 16 characters can be guessed; more than 4096 do not fit into the header lines that proxies pass on.
    static let length = 16...4096

    let value: String
    /// Whether the informer of what has our label brings a pass when the Secret changes.
    let isWatched: Bool

    static func reference(for app: TodoApp) -> ControllerRuntime.ObjectReference {
        ControllerRuntime.ObjectReference(
            secrets, namespace: app.metadata.namespace, name: AppNames(app).apiTokenSecret)
    }

    /// The token, made first if there is none. Throws `Hindrance` when there is one that cannot be used.
    static func ensure(for app: TodoApp, in context: ReconcileContext) async throws -> APIToken {
        let reference = reference(for: app)
        if let found = context.store(secrets)?.get(reference.key) { return try APIToken(found, of: app) }
        // One without our label is followed by name once it was found.
        if context.isFollowed(reference), let found = try await context.read(reference) {
            return try APIToken(found, of: app)
        }
        let secret: KubernetesObject
        do {
            secret = try await context.create(KubernetesObject(Self.secret(for: app)), secrets)
        } catch let error as APIError where error.isAlreadyExists || error.isForbidden {
            // A role need not allow to make Secrets where a person does it.
            guard let found = try await context.read(reference) else { throw error }
            secret = found
        }
        return try APIToken(secret, of: app)
    }

    init(_ secret: KubernetesObject, of app: TodoApp) throws(AppObservation.Hindrance) {
        if app.isPredecessor(owning: secret) {
            throw .predecessor(of: Self.reference(for: app))
        }
        let name = "the key token of Secret \(secret.namespace ?? "")/\(secret.name)"
        let remedy = "write a better one there, or delete the Secret to get a new random one"
        guard let encoded = secret.json.at("data", "token")?.string, !encoded.isEmpty else {
            throw .apiToken("\(name) is missing or empty; \(remedy)")
        }
        guard let bytes = Data(base64Encoded: encoded), let token = String(validating: bytes, as: UTF8.self),
            Self.isBearerToken(token)
        else {
            throw .apiToken(
                "\(name) has a character that a bearer token may not have: letters, digits and - . _ ~ + / are allowed, "
                    + "and = at the end, but no line end (RFC 6750); \(remedy)")
        }
        guard Self.length.contains(bytes.count) else {
            throw .apiToken(
                "\(name) has \(bytes.count) characters, and should have \(Self.length.lowerBound) to "
                    + "\(Self.length.upperBound); \(remedy)")
        }
        value = token
        isWatched =
            secret.labels[Label.managedBy] == Label.operatorName
            && secret.controller?["uid"]?.string == app.metadata.uid
    }

    /// `b64token` of RFC 6750 section 2.1.
    static func isBearerToken(_ text: String) -> Bool {
        let padding = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let token = text.utf8.dropLast(padding)
        return !token.isEmpty
            && token.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~+/".utf8.contains(byte)
                }
            }
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
