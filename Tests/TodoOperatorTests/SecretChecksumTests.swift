import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// A change of a Secret rolls the services whose pods read it, and no other.
@Suite struct SecretChecksumTests {
    private static let withDatabase: Set<TodoApp.ServiceName> = [.api, .audit, .notification, .workers]
    private static let withSidecar: Set<TodoApp.ServiceName> = [.api, .audit, .notification, .realtime]

    private static func app(_ kafka: JSON) throws -> TodoApp {
        var object = DesiredStateTests.minimal
        object["spec"] = [
            "database": ["secretRef": ["name": "db"]], "kafka": kafka, "workers": ["placement": "Dedicated"],
            "services": [
                "audit": [
                    "env": [["name": "MORE", "valueFrom": ["secretKeyRef": ["name": "more", "key": "more"]]]]
                ]
            ],
            "auth": [
                "oidc": ["issuer": "https://id.example.com", "audience": "todo", "caSecretRef": ["name": "id"]]
            ],
            "notifications": [
                "email": ["host": "smtp.example.com", "from": "todo@example.com", "secretRef": ["name": "smtp"]]
            ],
            "secretRotation": "two",
        ]
        return try TodoApp(validating: object)
    }

    private static let external: JSON = [
        "external": [
            "bootstrapServers": ["kafka.example:9093"], "tls": ["caSecretRef": ["name": "broker"]],
            "authentication": ["type": "ScramSha512", "secretRef": ["name": "login"]],
        ]
    ]

    private static func checksums(_ app: TodoApp, _ content: SecretContent) -> [TodoApp.ServiceName: String] {
        let inputs = DesiredStateInputs(secrets: content, hasDirectURI: true)
        let services = DesiredState.services(of: app, TopicPlan(app), inputs: inputs)
        return app.services.reduce(into: [:]) { found, service in
            let name = AppNames(app).service(service)
            let deployment = services.first {
                $0["kind"] == "Deployment" && $0.at("metadata", "name")?.string == name
            }
            found[service] =
                deployment?.at("spec", "template", "metadata", "annotations", Label.secretChecksum)?.string
        }
    }

    /// The services that get another checksum when what one key holds is written, changed or deleted.
    private func rolled(_ kafka: JSON, by key: SecretKey, sourceLocation: SourceLocation = #_sourceLocation) throws
        -> Set<TodoApp.ServiceName>
    {
        let app = try Self.app(kafka)
        let stages = [[:], [key: "b25l"], [key: "dHdv"]].map { Self.checksums(app, $0) }
        func changed(_ one: Int, _ other: Int) -> Set<TodoApp.ServiceName> {
            Set(app.services.filter { stages[one][$0] != stages[other][$0] })
        }
        #expect(stages.allSatisfy { $0.count == 5 })
        #expect(changed(0, 1) == changed(1, 2), sourceLocation: sourceLocation)
        #expect(changed(0, 2) == changed(1, 2), sourceLocation: sourceLocation)
        return changed(1, 2)
    }

    private static let readers: [(SecretKey, Set<TodoApp.ServiceName>)] = [
        (SecretKey("db", "uri"), withDatabase), (SecretKey("db", "directUri"), withDatabase),
        (SecretKey("db", "other"), []), (SecretKey("another", "uri"), []),
        (SecretKey("todo-api-token-two", "token"), [.api]),
        (SecretKey("todo-api-token-two", "previousToken"), [.api]),
        (SecretKey("todo-api-token", "token"), []),
        (SecretKey("todo-dapr-token-two", "token"), withSidecar),
        (SecretKey("todo-audit-keys", "masterKey"), [.audit]),
        (SecretKey("todo-audit-keys", "signingKey"), [.audit]),
        (SecretKey("todo-link-key-two", "key"), [.notification]),
        (SecretKey("todo-link-key-two", "previousKey"), [.notification]),
        (SecretKey("smtp", "username"), [.notification]), (SecretKey("smtp", "password"), [.notification]),
        (SecretKey("id", "ca.crt"), [.api]), (SecretKey("more", "more"), [.audit]),
        (SecretKey("login", "username"), withSidecar), (SecretKey("login", "password"), withSidecar),
        (SecretKey("broker", "ca.crt"), withSidecar),
    ]

    @Test(arguments: readers)
    func whoReadsASecretIsRolledByIt(key: SecretKey, services: Set<TodoApp.ServiceName>) throws {
        #expect(try rolled(Self.external, by: key) == services)
    }

    /// Each service has a login of its own at a Kafka that Strimzi runs.
    @Test(arguments: withSidecar)
    func aPasswordOfAKafkaUserIsOneServices(service: TodoApp.ServiceName) throws {
        #expect(try rolled(["managed": [:]], by: SecretKey("todo-\(service.rawValue)", "password")) == [service])
        #expect(try rolled(["managed": [:]], by: SecretKey("todo-cluster-ca-cert", "ca.crt")) == Self.withSidecar)
    }

    /// Promise 11: were it computed in another way, an upgrade of the operator would roll the pods of every app.
    @Test func theChecksumIsTheSameInEveryRelease() throws {
        let app = try TodoApp(validating: DesiredStateTests.minimal)
        let content = [SecretKey("todo-db", "uri"): "cG9zdGdyZXNxbDovL3U6cEBoL2Q="]
        #expect(Self.checksums(app, content)[.audit] == "a204e0e5189fc86651957adabf2af022")
    }

    /// What was read of the Secret is what the pods read of it.
    @Test func theDatabasesSecretIsReadAsItIs() throws {
        let app = try TodoApp(validating: DesiredStateTests.minimal)
        let uri = Data("postgresql://u:p@h/d\n".utf8).base64EncodedString()
        let secret = KubernetesObject(["data": ["uri": .string(uri), "other": "eA=="]])
        let read = try DatabaseSecret(secret, reference: "todo-db", app: app)
        #expect(read.content == [SecretKey("todo-db", "uri"): uri])
        #expect(read.directURI == nil)
    }
}
