internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import Postgres
internal import StructuredData
internal import TodoResources

/// The Secret that says how a database is reached.
struct DatabaseSecret: Sendable, Equatable {
    let uri: String
    let directURI: String?
    /// The TCP ports in both URIs, ascending; 5432 where none is given.
    let ports: [Int]
    /// As it is in the Secret.
    let content: SecretContent

    /// The URI for migrations.
    var migrationURI: String { directURI ?? uri }

    /// - Parameter secret: nil when there is none of that name.
    init(_ secret: KubernetesObject?, reference: String, app: TodoApp) throws(DatabaseProblem) {
        let name = "Secret \(app.metadata.namespace)/\(reference)"
        guard let secret else {
            throw DatabaseProblem(
                .secretNotFound,
                "\(name) does not exist; create it with the key uri: kubectl create secret generic \(reference) "
                    + "-n \(app.metadata.namespace) --from-literal=uri=postgresql://user:password@host:5432/database")
        }
        guard let uri = try Self.value("uri", of: secret, name) else {
            throw DatabaseProblem(.secretKeyMissing, "\(name) has no key uri; add it with a PostgreSQL URI")
        }
        self.uri = uri
        directURI = try Self.value("directUri", of: secret, name)
        var found: Set<Int> = []
        for (key, text) in [("uri", uri), ("directUri", directURI)] {
            guard let text else { continue }
            guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://"),
                let configuration = try? PostgresConfiguration(text)
            else {
                throw DatabaseProblem(
                    .secretInvalid,
                    "the key \(key) of \(name) is not a PostgreSQL URI; it should read "
                        + "postgresql://user:password@host:5432/database")
            }
            for port in (configuration["port"] ?? "5432").split(separator: ",") {
                guard let number = Int(port), (1...65535).contains(number) else {
                    throw DatabaseProblem(
                        .secretInvalid, "the key \(key) of \(name) names a port that is not a number from 1 to 65535")
                }
                found.insert(number)
            }
        }
        ports = found.sorted()
        content = ["uri", "directUri"].reduce(into: [:]) {
            $0[SecretKey(reference, $1)] = secret.json.at("data", $1)?.string
        }
    }

    static func reference(for app: TodoApp) -> ControllerRuntime.ObjectReference {
        ControllerRuntime.ObjectReference(
            GeneratedSecret.type, namespace: app.metadata.namespace, name: app.spec.database.secretRef.name)
    }

    /// Throws `DatabaseProblem` when it is not there or cannot be used.
    static func read(
        _ reference: ControllerRuntime.ObjectReference, for app: TodoApp, in context: ReconcileContext
    ) async throws -> DatabaseSecret {
        do {
            return try DatabaseSecret(try await context.read(reference), reference: reference.key.name, app: app)
        } catch let error as APIError where error.isForbidden {
            throw DatabaseProblem(
                .secretForbidden,
                "the operator may not read Secret \(reference.key); let its ServiceAccount get secrets in that namespace"
            )
        }
    }

    /// For what runs beside the pods.
    func database(of app: TodoApp) -> AppDatabase {
        AppDatabase(uri: uri, tlsMode: app.spec.database.tlsMode, directURI: directURI)
    }

    private static func value(_ key: String, of secret: KubernetesObject, _ name: String) throws(DatabaseProblem)
        -> String?
    {
        guard let encoded = secret.json.at("data", key)?.string else { return nil }
        guard let bytes = Data(base64Encoded: encoded), let text = String(validating: bytes, as: UTF8.self) else {
            throw DatabaseProblem(.secretInvalid, "the key \(key) of \(name) is not UTF-8 text in base64")
        }
        let trimmed = text.drop { $0.isWhitespace }
        guard let end = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        return String(trimmed[...end])
    }
}
