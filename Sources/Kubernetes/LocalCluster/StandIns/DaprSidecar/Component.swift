internal import KubernetesClient
internal import StructuredData

/// A Component with its values filled in.
struct Component: Sendable, Hashable {
    enum Role: Sendable { case pubsub, state, secrets, cron }

    let name: String
    let type: String
    let version: String
    let namespace: String
    private let values: [String: String]

    init(name: String, type: String, version: String = "v1", namespace: String, values: [String: String] = [:]) {
        self.name = name
        self.type = type
        self.version = version
        self.namespace = namespace
        self.values = Dictionary(values.map { ($0.key.lowercased(), $0.value) }) { $1 }
    }

    /// A value of `spec.metadata`; names differ in case among versions of Dapr.
    subscript(name: String) -> String? { values[name.lowercased()] }

    /// What it stands for here; nil for a type that this machine has no stand-in for.
    var role: Role? {
        switch type.split(separator: ".").first {
        case "pubsub": .pubsub
        case "state": .state
        case _ where type == "secretstores.kubernetes": .secrets
        case _ where type == "bindings.cron": .cron
        default: nil
        }
    }

    /// Components with the same one share what they keep: two with the same brokers have the same topics.
    private var backend: String {
        "\(namespace)/\(self["brokers"] ?? self["connectionString"] ?? self["host"] ?? name)"
    }

    func logTopic(_ topic: String) -> String { "\(backend)/\(topic)" }

    /// The key under which a state store keeps an app's `key` (contract section 4).
    func stateKey(_ key: String, of app: String) -> String {
        let prefix =
            switch self["keyPrefix"] ?? "appid" {
            case "none": ""
            case "name": "\(name)||"
            case "namespace": "\(namespace).\(app)||"
            case "appid": "\(app)||"
            case let other: "\(other)||"
            }
        return "\(backend)/\(prefix)\(key)"
    }

    // MARK: - Topics that an app may use

    enum Access { case publishing, subscribing }

    /// `publishingScopes`, `subscriptionScopes`, `allowedTopics` and `protectedTopics` of the component.
    func allows(_ access: Access, to topic: String, by app: String) -> Bool {
        if let allowed = self["allowedTopics"], !allowed.isEmpty, !Self.list(allowed).contains(topic) { return false }
        let scopes = Self.scopes(self[access == .publishing ? "publishingScopes" : "subscriptionScopes"] ?? "")
        if let own = scopes[app] { return own.contains(topic) }
        return !Self.list(self["protectedTopics"] ?? "").contains(topic)
    }

    /// `app1=t1,t2;app2=`.
    private static func scopes(_ text: String) -> [String: [String]] {
        var result: [String: [String]] = [:]
        for part in text.split(separator: ";") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            result[trimmed(sides[0])] = sides.count == 2 ? list(String(sides[1])) : []
        }
        return result
    }

    private static func list(_ text: String) -> [String] { text.split(separator: ",").map(trimmed) }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

/// Who reads a secret.
public enum SecretAudience: Sendable, Hashable {
    /// Dapr itself, for a Component.
    case dapr
    /// An app, by its pod's ServiceAccount.
    case serviceAccount(namespace: String, name: String)
}

/// Reads a secret's values; nil when there is none. Throws when it may not be read.
public typealias SecretReader =
    @Sendable (_ namespace: String, _ name: String, _ audience: SecretAudience) async throws -> [String: String]?

/// Why a Component cannot be used.
struct ComponentFailure: Error, CustomStringConvertible {
    let description: String
}

extension Component {
    /// Fills in secrets, which are read in the Component's namespace, and the templates of the pod.
    init(_ object: KubernetesObject, for pod: SidecarPod, uuid: String, secrets: SecretReader) async throws {
        let namespace = object.namespace ?? pod.namespace
        var values: [String: String] = [:]
        for item in object.spec?["metadata"]?.array ?? [] {
            guard let name = item["name"]?.string else { continue }
            if let reference = item["secretKeyRef"], let secret = reference["name"]?.string {
                let key = reference["key"]?.string ?? ""
                guard let value = try await secrets(namespace, secret, .dapr)?[key] else {
                    throw ComponentFailure(description: "\(name): the Secret \(secret) has no key \(key)")
                }
                values[name] = value
            } else if let value = item["value"] {
                let text = value.string ?? value.text
                values[name] = text.replacing("{uuid}", with: uuid).replacing("{podName}", with: pod.name)
                    .replacing("{appID}", with: pod.appID).replacing("{namespace}", with: pod.namespace)
            }
        }
        self.init(
            name: object.name, type: object.spec?["type"]?.string ?? "",
            version: object.spec?["version"]?.string ?? "v1", namespace: namespace, values: values)
    }
}
