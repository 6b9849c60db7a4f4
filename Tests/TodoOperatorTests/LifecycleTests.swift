import APIServer
import Concurrency
import ControllerRuntime
import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// What comes and goes beside an app: its token, its predecessor, its namespace, the operator's permissions.
@Suite(.timeLimit(.minutes(10))) struct LifecycleTests {
    static let namespaces = ResourceType(
        group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false)

    @Test func aTokenThatCannotBeUsedIsItsOwnConditionAndABetterOneRollsThePods() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.createSecret()
        _ = try await cluster.person.create(
            KubernetesObject(["metadata": ["name": "todo-api-token"], "stringData": ["token": "mine-with-line-end\n"]]),
            OperatorHarness.secrets, namespace: "team")
        try await cluster.whileRunning {
            try await cluster.createApp()
            let refused = try await cluster.whenReason(.apiTokenInvalid, of: .servicesReady)
            #expect(refused["message"]?.string?.contains("no line end (RFC 6750)") == true)
            #expect(try await cluster.condition(.databaseReady)?["status"] == "True")
            #expect(try await cluster.find(DesiredState.deploymentType, "todo-api") == nil)
            func write(_ token: String) async throws {
                try await cluster.rewrite("todo-api-token", ["token": .string(token)])
            }
            try await write("mine-without-line-end")
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let before = try await cluster.checksum()
            try await write("another-one-of-mine")
            _ = try await eventually("the pods are rolled") { try await cluster.checksum() != before ? true : nil }
        }
        let secret = try await cluster.find(OperatorHarness.secrets, "todo-api-token")
        #expect(secret?.at("metadata", "ownerReferences") == nil, "what a person made stays theirs")
    }

    @Test func aTokenThatWasDeletedIsMadeAnew() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let before = try await cluster.checksum()
            try await cluster.delete(OperatorHarness.secrets, "todo-api-token")
            _ = try await eventually("the pods get another token") {
                try await cluster.checksum() != before ? true : nil
            }
        }
    }

    /// Promise 5, as the rights have it: what the operator may not list or watch, it reads by name.
    @Test func itIsEnoughToBeAllowedToGetSecrets() async throws {
        let time = ManualTime()
        let cluster = try await OperatorHarness(time: time)
        cluster.server.faults.add(
            .status(403), for: .init(verbs: ["list", "watch"], resource: "secrets", user: OperatorHarness.user.name))
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let before = try await cluster.checksum()
            try await cluster.rewrite("todo-db", ["uri": "postgresql://other/todo"])
            // Read in turn, each at most once a minute.
            for _ in 0..<16 where try await cluster.checksum() == before {
                time.advance(by: .seconds(10))
                try await cluster.settle()
            }
            #expect(try await cluster.checksum() != before)
            try await cluster.delete(OperatorHarness.secrets, "todo-api-token")
            func token() async throws -> JSON? { try await cluster.find(OperatorHarness.secrets, "todo-api-token") }
            for _ in 0..<16 where try await token() == nil {
                time.advance(by: .seconds(10))
                try await cluster.settle()
            }
            #expect(try await token() != nil, "the operator's own Secrets are read in turn, too")
        }
    }

    @Test func theLoginOfTheMailServerIsChecked() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let before = try await cluster.checksum(of: .notification)
            let email: JSON = ["host": "smtp.example.com", "from": "todo@example.com", "secretRef": ["name": "smtp"]]
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["notifications": ["email": email]]])
            let missing = try await cluster.whenReason(.mailLoginInvalid, of: .servicesReady)
            #expect(missing["message"]?.string?.contains("with the keys username and password") == true)
            #expect(
                try await cluster.checksum(of: .notification) == before, "pods that could not start are not rolled out")
            _ = try await cluster.person.create(
                KubernetesObject(["metadata": ["name": "smtp"], "stringData": ["username": "todo"]]),
                OperatorHarness.secrets, namespace: "team")
            _ = try await eventually("the key that is missing is named") {
                let condition = try await cluster.condition(.servicesReady)
                return condition?["message"]?.string?.contains("has no key password") == true ? true : nil
            }
            try await cluster.rewrite("smtp", ["password": "secret"])
            _ = try await eventually("the pods are rolled") {
                try await cluster.checksum(of: .notification) != before ? true : nil
            }
            let with = try await cluster.checksum(of: .notification)
            try await cluster.rewrite("smtp", ["password": "another"])
            _ = try await eventually("and again with another password") {
                try await cluster.checksum(of: .notification) != with ? true : nil
            }
        }
    }

    /// What runs goes on running, also under an operator that was started since.
    @Test func theWorkersOfASuspendedAppRun() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["suspend": true]])
            try await cluster.whenReason(.suspended)
        }
        cluster.workers.databases.withLock { $0 = [:] }
        cluster.database.prepared.withLock { $0 = [] }
        try await cluster.whileRunning {
            _ = try await eventually("the workers run") {
                cluster.workers.databases.withLock { $0.isEmpty } ? nil : true
            }
            #expect(cluster.database.prepared.withLock { !$0.isEmpty }, "they need the tables of their release")
            try await cluster.settle()
            cluster.workers.become(.failed("no answer"))
            try await cluster.whenReason(.workersFailed, of: .workersReady)
        }
    }

    @Test func aSecretThatMayNotBeReadIsAConditionThatSaysWhatToAllow() async throws {
        let cluster = try await OperatorHarness()
        cluster.server.faults.add(
            .status(403), for: .init(resource: "secrets", name: "todo-db", user: OperatorHarness.user.name))
        try await cluster.whileRunning {
            try await cluster.install()
            let condition = try await cluster.whenReason(.secretForbidden, of: .databaseReady)
            #expect(condition["message"]?.string?.contains("let its ServiceAccount get secrets") == true)
        }
    }

    /// Promise 7: what is left of an app of that name is waited for, not fought over.
    @Test func anAppThatIsMadeAgainWaitsForTheObjectsOfTheOldOne() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.delete(TodoGroup.todoApp, "todo")
            try await cluster.createApp()
            let waiting = try await cluster.whenReason(.waitingForDeletion, of: .servicesReady)
            #expect(waiting["message"]?.string?.contains("deleted TodoApp of this name") == true)
            #expect(try await cluster.condition(.stalled) == nil)
            // The garbage collector comes by.
            for secret in ["todo-api-token", "todo-dapr-token", "todo-link-key"] {
                try await cluster.delete(OperatorHarness.secrets, secret)
            }
            for type in DesiredState.ownTypes + DesiredState.daprTypes {
                for child in try await cluster.person.list(type, namespace: "team", options: ListOptions()).items {
                    try await cluster.delete(type, child.name)
                }
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
        }
    }

    /// The log in the database would be lost with them.
    @Test func theKeysOfTheAuditLogOutliveTheApp() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.install()
            try await cluster.whenReason(.rollingOut)
            let keys = try #require(try await cluster.find(OperatorHarness.secrets, "todo-audit-keys"))
            #expect(keys.at("metadata", "ownerReferences") == nil)
            for key in ["masterKey", "signingKey"] {
                let text = try #require(keys.at("data", key)?.string.flatMap { Data(base64Encoded: $0) })
                #expect(Data(base64Encoded: text)?.count == 32)
            }
            try await cluster.delete(TodoGroup.todoApp, "todo")
            for secret in ["todo-api-token", "todo-dapr-token", "todo-link-key"] {
                try await cluster.delete(OperatorHarness.secrets, secret)
            }
            try await cluster.createApp()
            _ = try await eventually("a new token") {
                try await cluster.find(OperatorHarness.secrets, "todo-api-token")
            }
            #expect(try await cluster.find(OperatorHarness.secrets, "todo-audit-keys")?["data"] == keys["data"])
        }
    }

    /// `kubectl delete --cascade=orphan`, then the app again.
    @Test func orphansOfAnAppOfThisNameAreAdopted() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.createSecret()
        let orphan: JSON = [
            "metadata": [
                "name": "todo-api", "labels": JSON(AppNames(app: "todo", namespace: "team").labels(.api)),
            ], "spec": ["ports": [["port": 8080, "name": "http"]], "selector": ["a": "b"]],
        ]
        _ = try await cluster.person.create(KubernetesObject(orphan), OperatorHarness.services, namespace: "team")
        try await cluster.whileRunning {
            try await cluster.createApp()
            try await cluster.whenReason(.rollingOut)
            let service = try await cluster.find(OperatorHarness.services, "todo-api")
            let app = try await cluster.find(TodoGroup.todoApp, "todo")
            #expect(service?.at("metadata", "ownerReferences")?[0]?["uid"] == app?.at("metadata", "uid"))
        }
    }

    @Test func whatSomebodyElseMadeUnderANameOfOursIsLeftAsItIs() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.createSecret()
        let foreign: JSON = [
            "metadata": ["name": "todo-api"],
            "spec": ["ports": [["port": 99, "name": "theirs"]], "selector": ["a": "b"]],
        ]
        let made = try await cluster.person.create(
            KubernetesObject(foreign), OperatorHarness.services, namespace: "team")
        try await cluster.whileRunning {
            try await cluster.createApp()
            let taken = try await cluster.whenReason(.nameTaken)
            #expect(
                taken["message"]?.string?.contains("Service team/todo-api exists and was not made for this") == true)
            #expect(try await cluster.find(OperatorHarness.services, "todo-api") == made.json)
            #expect(try await cluster.find(DesiredState.deploymentType, "todo-api") == nil)
        }
    }

    /// Promise 7: owner references do the work; an app that is going away gets nothing more.
    @Test func anAppThatIsBeingDeletedIsLeftAlone() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let app = try await cluster.find(TodoGroup.todoApp, "todo")
            #expect(app?.at("metadata", "finalizers") == nil, "nothing of ours holds it")
            try await cluster.patch(TodoGroup.todoApp, "todo", ["metadata": ["finalizers": ["example.com/slow"]]])
            try await cluster.delete(TodoGroup.todoApp, "todo")
            try await cluster.settle()
            let writes = cluster.writes.withLock { $0.count }
            try await cluster.delete(OperatorHarness.services, "todo-api")
            try await cluster.settle()
            #expect(cluster.writes.withLock { $0.count } == writes)
            #expect(try await cluster.find(OperatorHarness.services, "todo-api") == nil)
        }
        #expect(cluster.logs.complaints == [])
    }

    /// Promise 7: the namespace goes away under the operator's hands; nobody is alarmed.
    @Test func aNamespaceThatIsGoingAwayIsNoFault() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.install()
        try await cluster.person.delete(Self.namespaces, namespace: nil, name: "team")
        try await cluster.whileRunning {
            _ = try await eventually("it has met the refusal") {
                cluster.logs.lines.contains { $0.hasPrefix("debug the namespace is being deleted") } ? true : nil
            }
        }
        #expect(try await cluster.condition(.stalled) == nil)
        #expect(cluster.logs.complaints == [])
    }

    @Test func secretsThatGoWithTheirNamespaceAreNotMissed() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.install()
        try await cluster.whileRunning {
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            try await cluster.person.delete(Self.namespaces, namespace: nil, name: "team")
            try await cluster.delete(OperatorHarness.secrets, "todo-db")
            _ = try await eventually("it has met the loss") {
                cluster.logs.lines.contains { $0.hasPrefix("debug the namespace is being deleted") } ? true : nil
            }
            #expect(try await cluster.condition(.ready)?["reason"] == "AllReady")
        }
        #expect(cluster.logs.complaints == [])
    }

    /// Nothing of a Secret ends up where more people may look: children, status, Events, the log.
    @Test func noPartOfASecretIsShownAnywhere() async throws {
        let cluster = try await OperatorHarness()
        let secret = [
            "uri": "postgresql://canary-user:canary-word@canary-host:5432/canary-base",
            "directUri": "postgresql://canary-user:canary-word@canary-direct:5432/canary-base",
        ]
        var token = ""
        try await cluster.whileRunning {
            try await cluster.bringUp(JSON(secret))
            token = try #require(
                try await cluster.find(OperatorHarness.secrets, "todo-api-token")?.at("data", "token")?.string)
            // What goes wrong tells nothing either.
            try await cluster.rewrite(
                "todo-db", ["uri": "postgresql://canary-user:canary-word@canary-host:canary-port/canary-base"])
            try await cluster.whenReason(.secretInvalid)
            try await cluster.rewrite("todo-api-token", ["token": "canary token"])
            try await cluster.rewrite("todo-db", ["uri": "postgresql://canary-user:canary-word@h/d"])
            try await cluster.whenReason(.apiTokenInvalid)
        }
        let events = ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")
        var shown = cluster.logs.lines.joined(separator: "\n")
        for type in DesiredState.ownTypes + DesiredState.daprTypes + [TodoGroup.todoApp, events] {
            let objects = try await cluster.person.list(type, namespace: "team", options: ListOptions()).items
            #expect(!objects.isEmpty, "\(type.kind)")
            shown += objects.map(\.json.text).joined(separator: "\n")
        }
        #expect(shown.contains("todo-db"), "what was shown has been collected")
        #expect(!shown.contains("canary"))
        #expect(!shown.contains(token), "the token in base64")
    }
}

extension OperatorHarness {
    func checksum(of service: TodoApp.ServiceName = .api) async throws -> JSON? {
        try await find(DesiredState.deploymentType, "todo-\(service.rawValue)")?
            .at("spec", "template", "metadata", "annotations", Label.secretChecksum)
    }
}
