import ControllerRuntime
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import KubernetesClient
import LocalCluster
import LocalPostgres
import StructuredData
import TodoOperator
import TodoResources

/// The parts of `todo up`, and how its objects get into them.
struct Platform: Sendable {
    private static let fieldManager = "todo-up"
    private static let deployments = ResourceType(
        group: "apps", version: "v1", kind: "Deployment", plural: "deployments")
    private static let pods = ResourceType(group: "", version: "v1", kind: "Pod", plural: "pods")
    private static let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
    private static let namespaces = ResourceType(
        group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false)

    let database: LocalPostgres
    let cluster: LocalCluster
    let folder: String
    /// Of the first TodoApp's HTTP API; 0 is any.
    let port: Int

    private var client: KubernetesClient { cluster.client }

    /// Applies the CRDs, then `objects`; gives each TodoApp whose Secret is not there a database of its own.
    func apply(_ objects: [JSON]) async throws {
        for definition in CustomResourceDefinitions.all {
            try await apply(KubernetesObject(definition), CRDCheck.definitionType)
        }
        let served = try await client.discovery()
        // Secrets first: a TodoApp whose Secret is in the same file gets none of ours.
        let ordered = objects.filter { $0["kind"] == "Secret" } + objects.filter { $0["kind"] != "Secret" }
        for object in ordered.map(KubernetesObject.init) {
            let parts = object.apiVersion.split(separator: "/").map(String.init)
            let group = parts.count > 1 ? parts[0] : ""
            guard let type = served.resource(group: group, version: parts.last, kind: object.kind)?.type else {
                throw CommandFailure("\(object.apiVersion) \(object.kind) is not a kind that this cluster has")
            }
            var object = object
            if type.namespaced {
                let namespace = object.namespace ?? "default"
                object.json.set(.string(namespace), at: "metadata", "namespace")
                try await apply(
                    KubernetesObject([
                        "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)],
                    ]), Self.namespaces)
            }
            if type == TodoGroup.todoApp {
                object = withAddress(try await withDatabase(object))
            }
            try await apply(object, type)
        }
    }

    /// Finds what is wrong with our own kinds in a file before anything is started.
    static func check(_ objects: [JSON], from file: String) throws -> [JSON] {
        for (number, object) in objects.enumerated() {
            var object = object
            if object.at("metadata", "namespace") == nil { object.set("default", at: "metadata", "namespace") }
            do {
                switch object["kind"]?.string {
                case TodoGroup.todoApp.kind:
                    if object.at("spec", "database", "secretRef", "name") == nil {
                        object.set("made-later", at: "spec", "database", "secretRef", "name")
                    }
                    _ = try TodoApp(validating: object)
                case TodoGroup.kafkaTopicBinding.kind: _ = try KafkaTopicBinding(validating: object)
                case TodoGroup.reminderSchedule.kind: _ = try ReminderSchedule(validating: object)
                default: break
                }
            } catch { throw CommandFailure("\(file), object \(number + 1): \(error)") }
        }
        return objects
    }

    private func apply(_ object: KubernetesObject, _ type: ResourceType) async throws {
        _ = try await client.apply(object, type, fieldManager: Self.fieldManager, force: true)
    }

    /// The TodoApp with the Secret of its database made, unless somebody else made one.
    private func withDatabase(_ app: KubernetesObject) async throws -> KubernetesObject {
        var app = app
        let namespace = app.namespace ?? "default"
        let name = app.json.at("spec", "database", "secretRef", "name")?.string ?? "\(app.name)-db"
        let found = try await client.getIfPresent(Self.secrets, namespace: namespace, name: name)
        if let found, found.labels[Label.managedBy] != Self.fieldManager { return app }
        let uri = try await database.ownedDatabase(Self.databaseName(namespace, app.name))
        try await apply(
            KubernetesObject([
                "apiVersion": "v1", "data": ["uri": .string(Data(uri.utf8).base64EncodedString())], "kind": "Secret",
                "metadata": [
                    "labels": [Label.managedBy: .string(Self.fieldManager)], "name": .string(name),
                    "namespace": .string(namespace),
                ],
                "type": "Opaque",
            ]), Self.secrets)
        app.json.set(.string(name), at: "spec", "database", "secretRef", "name")
        // Loopback: the PostgreSQL of this machine has no certificate.
        app.json.set("Disable", at: "spec", "database", "tlsMode")
        return app
    }

    /// The TodoApp with the address that links in messages begin with, where it is known and nobody gave another one.
    private func withAddress(_ app: KubernetesObject) -> KubernetesObject {
        guard port > 0, app.json.at("spec", "web", "url") == nil else { return app }
        var app = app
        app.json.set(.string("http://127.0.0.1:\(port)"), at: "spec", "web", "url")
        return app
    }

    /// A name of its own for each app: hyphens are doubled as `__`, so that no two apps meet, and what is too long for
    /// PostgreSQL (63 bytes) ends in a hash.
    static func databaseName(_ namespace: String, _ app: String) -> String {
        func escaped(_ text: String) -> String {
            text.map { $0 == "-" ? "__" : $0 == "." ? "_0_" : String($0) }.joined()
        }
        let name = "\(escaped(namespace))_1_\(escaped(app))"
        guard name.utf8.count > 63 else { return name }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\(name.prefix(46))_\(String(hash, radix: 16))"
    }

    /// Waits until the first TodoApp is ready, opens its port, and says how to use it.
    func present(_ objects: [JSON]) async throws {
        guard let app = objects.map(KubernetesObject.init).first(where: { $0.kind == TodoGroup.todoApp.kind }) else {
            OneMachine.say("the cluster is up; export KUBECONFIG=\(folder)/kubeconfig")
            return
        }
        let names = AppNames(app: app.name, namespace: app.namespace ?? "default")
        let open: Int
        do {
            open = try await cluster.forward(
                port: port, toService: names.service(.api), namespace: names.namespace,
                servicePort: DesiredState.port)
        } catch {
            throw CommandFailure("port \(port) of 127.0.0.1 cannot be used: \(error); choose another with --port")
        }
        if try await whenReady(names) > 0 { try await whenAnswering("http://127.0.0.1:\(open)") }
        let live = try await client.get(TodoGroup.todoApp, namespace: names.namespace, name: names.app)
        let rotated = AppNames(
            app: names.app, namespace: names.namespace, rotation: live.spec?["secretRotation"]?.string)
        let secret = try await client.get(Self.secrets, namespace: names.namespace, name: rotated.apiTokenSecret)
        let encoded = secret.json.at("data", "token")?.string ?? ""
        let token = Data(base64Encoded: encoded).map { String(decoding: $0, as: UTF8.self) } ?? ""
        OneMachine.say(instructions(names, address: "http://127.0.0.1:\(open)", token: token))
    }

    /// Returns once `Ready` is true and every pod is ready: after a restart the app's status still says for a moment what
    /// was true before. Says what is missing whenever that changes. Gives the number of pods.
    private func whenReady(_ names: AppNames) async throws -> Int {
        var said = ""
        while true {
            let app = try await client.get(TodoGroup.todoApp, namespace: names.namespace, name: names.app)
            let ready = app.status?["conditions"]?.array?.first {
                $0["type"]?.string == ConditionType.ready.rawValue
            }
            if ready?["status"] == "True", let pods = try await readyPods(names) { return pods }
            let message = ready?["message"]?.string ?? "waiting for the operator"
            if message != said { OneMachine.progress("\(names.namespace)/\(names.app): \(message)") }
            said = message
            // Three kinds of objects have to agree: asking is simpler than three watches, and the server is in this process.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// How many pods there are, once they are as many as are wanted, and all of them are ready.
    private func readyPods(_ names: AppNames) async throws -> Int? {
        let options = ListOptions(labelSelector: "\(Label.instance)=\(names.app)")
        let pods = try await client.list(Self.pods, namespace: names.namespace, options: options).items.count(
            where: Self.isReady)
        let deployments = try await client.list(Self.deployments, namespace: names.namespace, options: options).items
        let wanted = deployments.reduce(0) { $0 + ($1.json.at("spec", "replicas")?.int ?? 1) }
        let seen = deployments.reduce(0) { $0 + ($1.json.at("status", "readyReplicas")?.int ?? 0) }
        return wanted == seen && seen == pods ? pods : nil
    }

    private static func isReady(_ pod: KubernetesObject) -> Bool {
        let ready = pod.status?["conditions"]?.array?.first { $0["type"]?.string == "Ready" }
        return ready?["status"]?.string == "True"
    }

    /// Returns once the API takes requests by way of the forwarded port.
    private func whenAnswering(_ address: String) async throws {
        let transport = CurlTransport(configuration: CurlTransport.Configuration(proxy: .none))
        defer { transport.close() }
        while true {
            let request = ClientRequest(url: "\(address)/readyz", totalTimeout: .seconds(2))
            if let response = try? await transport.send(request), response.status.code == 200 { return }
            try await Task.sleep(for: .milliseconds(50))  // nobody tells when a port begins to answer
        }
    }

    private func instructions(_ names: AppNames, address: String, token: String) -> String {
        """

        todo is up.

          address      \(address)
          token        \(token)
          kubeconfig   \(folder)/kubeconfig

        Create a task, list the tasks:

          curl -s -X POST \(address)/v1/tasks -H 'Authorization: Bearer \(token)' -H 'Content-Type: application/json' -d '{"title":"Try todo-operator"}'
          curl -s \(address)/v1/tasks -H 'Authorization: Bearer \(token)'

        See it as Kubernetes does:

          export KUBECONFIG=\(folder)/kubeconfig
          kubectl get todoapps -A
          kubectl edit todoapp \(names.app) -n \(names.namespace)

        Ctrl-C stops everything; the data stays.
        """
    }
}
