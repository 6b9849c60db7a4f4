import ControllerRuntime
import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// `spec.secretRotation`: new tokens, and nobody who still shows an old one is turned away meanwhile.
@Suite(.timeLimit(.minutes(10))) struct SecretRotationTests {
    @Test func eachPodKeepsItsSecretsAndTheNewOnesHoldWhatWasTaken() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            let first = try await cluster.secret("todo-api-token")
            let link = try await cluster.secret("todo-link-key")
            let audit = try await cluster.secret("todo-audit-keys")
            try await cluster.rotate(to: "2026-11")
            try await cluster.whenSecret("todo-api-token-2026-11", of: .api)
            // The others have not been rolled, and find what they were started with.
            try await cluster.settle()
            #expect(try await cluster.daprToken(of: .audit) == "todo-dapr-token")
            #expect(try await cluster.secret("todo-dapr-token")["token"] != nil)
            let second = try await cluster.secret("todo-api-token-2026-11")
            #expect(second["previousToken"] == first["token"])
            #expect(second["token"] != first["token"])
            #expect(try await cluster.secret("todo-link-key-2026-11")["previousKey"] == link["key"])
            #expect(try await cluster.secret("todo-dapr-token-2026-11").object?.count == 1, "nobody shows the old one")
            for service in AppStatusRulesTests.services {
                _ = try await eventually("\(service.rawValue) has the new Secret") {
                    try await cluster.daprToken(of: service) == "todo-dapr-token-2026-11" ? true : nil
                }
                try await cluster.bringUpPods(of: [service])
            }
            try await cluster.whenReason(.allReady)
            try await cluster.rotate(to: "again")
            try await cluster.whenSecret("todo-api-token-again", of: .api)
            #expect(try await cluster.secret("todo-api-token-again")["previousToken"] == second["token"])
            #expect(try await cluster.secret("todo-audit-keys") == audit)
            // Its pods never came up, so that callers still show the one before.
            try await cluster.rotate(to: "better")
            try await cluster.whenSecret("todo-api-token-better", of: .api)
            #expect(try await cluster.secret("todo-api-token-better")["previousToken"] == second["token"])
        }
    }

    /// Whoever deletes a Secret does not want it taken any more.
    @Test func aSecretThatWasDeletedIsNotTakenAnyMore() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp(["database": ["secretRef": ["name": "todo-db"]], "secretRotation": "one"])
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let before = try await cluster.secret("todo-api-token-one")
            #expect(before["previousToken"] == nil, "there was none")
            try await cluster.delete(OperatorHarness.secrets, "todo-api-token-one")
            let after = try await eventually("another token") {
                try await cluster.find(OperatorHarness.secrets, "todo-api-token-one")?["data"]
            }
            #expect(after["token"] != before["token"])
            #expect(after["previousToken"] == nil)
        }
    }

    /// Nobody needs it once the app is gone, so that only the present one is kept for another app of the same name.
    @Test(arguments: [TodoApp.DeletionPolicy.delete, .retain])
    func theSecretOfAnEarlierNameGoesWithTheAppAndThePresentOneAsThePolicySays(policy: TodoApp.DeletionPolicy)
        async throws
    {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]], "deletionPolicy": .string(policy.rawValue),
            ])
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let uid = try #require(try await cluster.find(TodoGroup.todoApp, "todo")?.at("metadata", "uid"))
            func owners(_ suffix: String) async throws -> [JSON?] {
                var owners: [JSON?] = []
                for name in ["api-token", "dapr-token", "link-key"] {
                    let found = try #require(try await cluster.find(OperatorHarness.secrets, "todo-\(name)\(suffix)"))
                    owners.append(found.at("metadata", "ownerReferences")?[0]?["uid"])
                }
                return owners
            }
            let owner = policy == .delete ? uid : Optional.none
            #expect(try await owners("") == [owner, owner, owner])
            try await cluster.rotate(to: "next")
            try await cluster.whenSecret("todo-api-token-next", of: .api)
            #expect(try await owners("") == [uid, uid, uid])
            #expect(try await owners("-next") == [owner, owner, owner])
            let keys = try await cluster.find(OperatorHarness.secrets, "todo-audit-keys")
            #expect(keys != nil && keys?.at("metadata", "ownerReferences") == nil)
            // Whoever goes back to a name has it as the present one.
            for service in AppStatusRulesTests.services { try await cluster.bringUpPods(of: [service]) }
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["secretRotation": .null]])
            try await cluster.whenSecret("todo-api-token", of: .api)
            #expect(try await owners("") == [owner, owner, owner])
            #expect(try await owners("-next") == [uid, uid, uid])
        }
    }

    @Test(arguments: ["UPPER", "-a", "a-", "a.b", "", "a23456789-123456789-1"])
    func aNameThatNoSecretMayHaveIsRefused(rotation: String) throws {
        var app = DesiredStateTests.minimal
        app.set(.string(rotation), at: "spec", "secretRotation")
        #expect(throws: InvalidResource.self) { try TodoApp(validating: app) }
    }
}

extension OperatorHarness {
    fileprivate func rotate(to name: String) async throws {
        try await patch(TodoGroup.todoApp, "todo", ["spec": ["secretRotation": .string(name)]])
    }

    fileprivate func secret(_ name: String) async throws -> JSON {
        let found = try await eventually("Secret \(name)") { try await self.find(Self.secrets, name)?["data"] }
        return found
    }

    /// Waits until the service's container reads its token from this Secret.
    fileprivate func whenSecret(_ name: String, of service: TodoApp.ServiceName) async throws {
        _ = try await eventually("\(service.rawValue) reads \(name)") {
            let container = try await self.find(DesiredState.deploymentType, "todo-\(service.rawValue)")?
                .at("spec", "template", "spec", "containers")?[0]
            return container?["env"]?.array?.contains {
                $0["name"] == "TODO_API_TOKEN" && $0.at("valueFrom", "secretKeyRef", "name")?.string == name
            } == true ? true : nil
        }
    }

    fileprivate func daprToken(of service: TodoApp.ServiceName) async throws -> String? {
        try await find(DesiredState.deploymentType, "todo-\(service.rawValue)")?
            .at("spec", "template", "metadata", "annotations", "dapr.io/api-token-secret")?.string
    }
}
