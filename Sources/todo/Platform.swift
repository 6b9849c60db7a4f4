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
    private static let definition: JSON = "CustomResourceDefinition"
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

    /// Applies the CRDs, then `objects`; nil goes on with the TodoApps of earlier starts as people have left them, or else
    /// applies the sample. Gives each TodoApp whose Secret is not there a database of its own. Returns the first TodoApp.
    func apply(_ objects: [JSON]?) async throws -> KubernetesObject? {
        let definitions = (objects ?? []).filter { $0["kind"] == Self.definition }
        for definition in definitions + CustomResourceDefinitions.all {
            try await apply(KubernetesObject(definition), CRDCheck.definitionType)
        }
        if objects == nil, let app = try await goOn() { return app }
        return try await applyInOrder(objects ?? [Sample.todoApp])
    }

    private func applyInOrder(_ objects: [JSON]) async throws -> KubernetesObject? {
        let served = try await client.discovery()
        let rest = objects.filter { $0["kind"] != Self.definition }
        // Secrets first: a TodoApp whose Secret is in the same file gets none of ours.
        let ordered = rest.filter { $0["kind"] == "Secret" } + rest.filter { $0["kind"] != "Secret" }
        var first: KubernetesObject?
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
                object = try await withDatabase(object)
                if first == nil { object = withAddress(object) }
                first = first ?? object
            }
            try await apply(object, type)
        }
        return first
    }

    /// Brings the TodoApps that are there up to what can have moved since: where PostgreSQL is, and the address of the
    /// first, which is the sample where it is among them. Returns that one.
    private func goOn() async throws -> KubernetesObject? {
        let apps = try await client.listAll(TodoGroup.todoApp).items
        let sample = KubernetesObject(Sample.todoApp)
        let first = apps.first { $0.namespace == sample.namespace && $0.name == sample.name } ?? apps.first
        for app in apps {
            let secret = try await databaseSecret(of: app)
            if secret.isOurs || !secret.isThere && isOurs("f:database", "f:secretRef", in: app) {
                try await makeDatabase(of: app, secret: secret.name)
            }
            try await move(app, to: app.uid == first?.uid ? address : nil)
        }
        return first
    }

    /// Sets the address, unless somebody else has.
    private func move(_ app: KubernetesObject, to address: JSON?) async throws {
        let current = app.json.at("spec", "web", "url")
        guard current != address, current == nil || isOurs("f:web", "f:url", in: app) else { return }
        _ = try await client.patch(
            TodoGroup.todoApp, namespace: app.namespace, name: app.name,
            .merge(["spec": ["web": ["url": address ?? .null]]]),
            options: WriteOptions(fieldManager: Self.fieldManager))
    }

    /// Whether a field of the spec has the value that this command gave it.
    private func isOurs(_ part: String, _ field: String, in app: KubernetesObject) -> Bool {
        app.metadata["managedFields"]?.array?.contains {
            $0["manager"]?.string == Self.fieldManager && $0.at("fieldsV1", "f:spec", part, field) != nil
        } ?? false
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
        let secret = try await databaseSecret(of: app)
        guard secret.isOurs || !secret.isThere else { return app }
        try await makeDatabase(of: app, secret: secret.name)
        var app = app
        app.json.set(.string(secret.name), at: "spec", "database", "secretRef", "name")
        // Loopback: the PostgreSQL of this machine has no certificate.
        app.json.set("Disable", at: "spec", "database", "tlsMode")
        return app
    }

    private func databaseSecret(
        of app: KubernetesObject
    ) async throws -> (name: String, isThere: Bool, isOurs: Bool) {
        let name = app.json.at("spec", "database", "secretRef", "name")?.string ?? "\(app.name)-db"
        let found = try await client.getIfPresent(Self.secrets, namespace: app.namespace ?? "default", name: name)
        return (name, found != nil, found?.labels[Label.managedBy] == Self.fieldManager)
    }

    private func makeDatabase(of app: KubernetesObject, secret: String) async throws {
        let namespace = app.namespace ?? "default"
        let uri = try await database.ownedDatabase(Self.databaseName(namespace, app.name))
        try await apply(
            KubernetesObject([
                "apiVersion": "v1", "data": ["uri": .string(Data(uri.utf8).base64EncodedString())], "kind": "Secret",
                "metadata": [
                    "labels": [Label.managedBy: .string(Self.fieldManager)], "name": .string(secret),
                    "namespace": .string(namespace),
                ],
                "type": "Opaque",
            ]), Self.secrets)
    }

    /// What links in messages begin with, where it is known.
    private var address: JSON? { port > 0 ? .string("http://127.0.0.1:\(port)") : nil }

    /// The TodoApp with the address, unless it has another one.
    private func withAddress(_ app: KubernetesObject) -> KubernetesObject {
        guard let address, app.json.at("spec", "web", "url") == nil else { return app }
        var app = app
        app.json.set(address, at: "spec", "web", "url")
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

    /// Waits until the TodoApp is ready, opens its port, and says how to use it.
    func present(_ app: KubernetesObject?) async throws {
        // At once: it takes kubectl to mend what keeps the app from becoming ready.
        OneMachine.say("the cluster is up; export KUBECONFIG=\(folder)/kubeconfig")
        guard let app else { return }
        let names = AppNames(app: app.name, namespace: app.namespace ?? "default")
        let open: Int
        do {
            open = try await cluster.forward(
                port: port, toService: names.service(.api), namespace: names.namespace,
                servicePort: DesiredState.port)
        } catch {
            throw CommandFailure("port \(port) of 127.0.0.1 cannot be used: \(error); choose another with --port")
        }
        guard let pods = try await whenReady(names) else {
            return OneMachine.say("\(names.namespace)/\(names.app) was deleted")
        }
        if pods > 0 { try await whenAnswering("http://127.0.0.1:\(open)") }
        let live = try await client.get(TodoGroup.todoApp, namespace: names.namespace, name: names.app)
        let rotated = AppNames(
            app: names.app, namespace: names.namespace, rotation: live.spec?["secretRotation"]?.string)
        let secret = try await client.get(Self.secrets, namespace: names.namespace, name: rotated.apiTokenSecret)
        let encoded = secret.json.at("data", "token")?.string ?? ""
        let token = Data(base64Encoded: encoded).map { String(decoding: $0, as: UTF8.self) } ?? ""
        OneMachine.say(instructions(names, address: "http://127.0.0.1:\(open)", token: token))
    }

    /// Returns once `Ready` is true and every pod is ready: after a restart the app's status still says for a moment what
    /// was true before. Says what is missing whenever that changes. Gives the number of pods, nil when the app was deleted.
    private func whenReady(_ names: AppNames) async throws -> Int? {
        var said = ""
        while let app = try await client.getIfPresent(
            TodoGroup.todoApp, namespace: names.namespace, name: names.app)
        {
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
        return nil
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
