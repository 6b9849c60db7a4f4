import APIServer
import Concurrency
import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// The life of an app and a schedule, with an operator that may do what its role allows and nothing else.
@Suite(.timeLimit(.minutes(10))) struct OperatorRoleTests {
    private static let account = UserInfo(
        name: "system:serviceaccount:todo-system:todo-operator",
        groups: ["system:serviceaccounts", "system:serviceaccounts:todo-system", "system:authenticated"])
    /// Specs of an app that together make every kind of child, each merged into the one before.
    private static let specs: [JSON] = [
        external, ["kafka": ["managed": [:], "external": .null], "web": gateway, "monitoring": monitoring],
        ["kafka": withLogin, "services": scaled],
    ]
    private static let withLogin: JSON = [
        "external": [
            "bootstrapServers": ["kafka.example:9098"], "tls": ["mode": "Enabled"],
            "authentication": ["type": "AWSIAM", "aws": ["region": "eu-central-1"]],
        ]
    ]
    /// By all that there is to scale by.
    private static let scaled: JSON = [
        "realtime": ["autoscaling": ["maxReplicas": 3, "targetCPUUtilizationPercentage": 70]],
        "audit": ["autoscaling": ["maxReplicas": 3, "kafkaLag": 100]],
    ]
    private static var external: JSON {
        var kafka = OperatorHarness.externalKafka
        kafka["managed"] = .null
        return ["kafka": kafka, "web": ingress]
    }
    private static let ingress: JSON = ["host": "todo.example.com", "ingress": [:], "gateway": .null]
    private static let gateway: JSON = [
        "host": "todo.example.com", "gateway": ["parentRefs": [["name": "public"]]], "ingress": .null,
    ]
    private static let monitoring: JSON = [
        "serviceMonitor": "Enabled", "podMonitor": "Enabled", "prometheusRule": "Enabled",
    ]

    private static func installation(watching namespace: String?, _ secrets: OperatorRole.SecretAccess) -> Installation
    {
        var installation = Installation()
        installation.watchNamespace = namespace
        installation.secrets = secrets
        return installation
    }

    @Test(
        "The role allows what the operator asks for, and nothing that it never does",
        arguments: [(String?.none, OperatorRole.SecretAccess.watched), ("team", .byName)])
    func theRoleIsWhatIsUsed(namespace: String?, secrets: OperatorRole.SecretAccess) async throws {
        let installation = Self.installation(watching: namespace, secrets)
        let accesses = AccessLog()
        let rules = OperatorRole.rules(secrets: secrets) + OperatorRole.definitionRules + OperatorRole.electionRules
        let granted = Set(rules.flatMap(\.accesses))
        do {
            try await live(with: installation, accesses)
            try await liveWithLaggingWatches(
                with: installation,
                of: [
                    "kafka": Self.withLogin, "services": Self.scaled, "web": Self.ingress,
                    "monitoring": Self.monitoring,
                ],
                reading: DesiredState.ownTypes + DesiredState.daprTypes + DesiredState.autoscalerTypes
                    + DesiredState.monitoringTypes + [
                        DesiredState.ingressType, TodoGroup.todoApp, TodoGroup.reminderSchedule,
                    ],
                accesses)
            try await liveWithLaggingWatches(
                with: installation, of: ["kafka": OperatorHarness.externalKafka, "web": Self.gateway],
                reading: [DesiredState.routeType], accesses)
            try await liveWithLaggingWatches(
                with: installation, of: ["kafka": ["managed": [:]]],
                reading: DesiredState.kafkaTypes + [TodoGroup.kafkaTopicBinding], accesses)
            #expect(granted.subtracting(accesses.used).sorted() == [], "granted and never used")
        } catch {
            // What was refused, below, tells why.
            Issue.record("the life did not go on: \(error)")
        }
        // It is tried, and done without.
        let optional: Set<Access> =
            secrets == .byName ? [Access(verb: "list", group: "", resource: "secrets")] : []
        #expect(accesses.refused.subtracting(optional).sorted() == [], "asked for and not granted")
        // Some clusters ask for it; the API server here does not.
        let finalizers = accesses.used.filter { $0.resource.hasSuffix("/finalizers") }
        #expect(finalizers.subtracting(granted).sorted() == [], "needed and not granted")
    }

    private func live(with installation: Installation, _ accesses: AccessLog) async throws {
        let cluster = try await OperatorHarness(user: Self.account, accesses: accesses) { options in
            options.namespace = installation.watchNamespace
            options.manager.election = .init(namespace: "todo-system", name: "todo-operator", identity: "one")
        }
        try await cluster.install(installation)
        #expect(try await CRDCheck.problems(cluster.client) == [])
        try await cluster.whileRunning {
            try await cluster.createApp()
            try await cluster.whenReason(.secretNotFound)
            try await cluster.createSecret()
            if installation.secrets == .byName {
                // Read in turn, and so late; a change of the spec brings a pass at once.
                try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["services": ["api": ["replicas": 3]]]])
            }
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            try await cluster.createSchedule(ReminderScheduleReconcilerTests.spec)
            try await cluster.whenSchedule(.scheduled)
            // Its Secrets change hands.
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["deletionPolicy": "Retain"]])
            _ = try await eventually("its Secrets stay") {
                let token = try await cluster.find(OperatorHarness.secrets, "todo-api-token")
                return token?.at("metadata", "ownerReferences") == nil ? true : nil
            }
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["deletionPolicy": "Delete"]])
            try await cluster.delete(TodoGroup.reminderSchedule, "important")
            try await cluster.whenGone(TodoGroup.reminderSchedule, "important")
            try await cluster.leaveStrays(of: Self.specs)
            try await cluster.bindATopic()
            _ = try await eventually("the lease is renewed") {
                cluster.accesses.used.contains(
                    Access(verb: "update", group: "coordination.k8s.io", resource: "leases")) ? true : nil
            }
        }
    }

    /// The caches do not show the operator's own writes, so that it reads each object live; and people keep changing
    /// something back, so that an Event becomes a series.
    private func liveWithLaggingWatches(
        with installation: Installation, of parts: JSON, reading kinds: [ResourceType], _ accesses: AccessLog
    ) async throws {
        let time = ManualTime()
        let cluster = try await OperatorHarness(time: time, user: Self.account, accesses: accesses) { options in
            options.namespace = installation.watchNamespace
        }
        try await cluster.install(installation)
        try await cluster.createSecret()
        try await cluster.createApp(
            MergePatch.apply(
                parts, to: ["database": ["secretRef": ["name": "todo-db"]], "services": Self.scaled]))
        try await cluster.createSchedule(ReminderScheduleReconcilerTests.spec)
        try await cluster.createBinding()
        let mute = cluster.server.faults.add(.mute, for: .init(verbs: ["watch"], user: Self.account.name))
        let reads = Set(kinds.map { Access(verb: "get", group: $0.group, resource: $0.plural) })
        let series = Access(verb: "patch", group: "events.k8s.io", resource: "events")
        var step = 0
        try await cluster.whileRunning {
            _ = try await eventually("each kind is read live, and an Event becomes a series", within: .seconds(180)) {
                step += 1
                if accesses.used.isSuperset(of: reads) { cluster.server.faults.remove(mute) }
                // A pass that takes longer than two minutes by this clock is ended.
                try await cluster.rest()
                // Each turn wakes everything: not so often that it takes the processors away from other tests.
                time.advance(by: .seconds(10))
                try await Task.sleep(for: .milliseconds(100))
                if try await cluster.find(DesiredState.deploymentType, "todo-api") != nil {
                    try await cluster.patch(
                        DesiredState.deploymentType, "todo-api", ["spec": ["replicas": JSON(step % 50)]])
                }
                return accesses.used.isSuperset(of: reads.union([series])) ? true : nil
            }
        }
    }

    @Test func noRoleAllowsToListSecretsUnlessAsked() {
        let secrets = OperatorRole.rules().filter { $0.resources.contains("secrets") }
        #expect(secrets.map(\.verbs) == [["create", "get", "patch"]])
    }

    @Test func noRuleAllowsEverything() {
        for rule in OperatorRole.rules(secrets: .watched) + OperatorRole.definitionRules + OperatorRole.electionRules {
            #expect(!(rule.verbs + rule.resources + [rule.group]).contains("*"))
            #expect(!rule.verbs.contains("escalate") && !rule.verbs.contains("impersonate"))
        }
    }
}

extension PolicyRule {
    /// Everything that it allows.
    var accesses: [Access] {
        resources.flatMap { resource in verbs.map { Access(verb: $0, group: group, resource: resource) } }
    }
}

extension OperatorHarness {
    /// What `manifests/install.yaml` holds, by kubectl; and kinds of neighbours that the operator makes objects of.
    fileprivate func install(_ installation: Installation) async throws {
        for type in DesiredState.childTypes where try await served(type.apiVersion, type.kind) == nil {
            _ = try await person.create(
                KubernetesObject(Self.definition(of: type)), .customResourceDefinitions, namespace: nil)
        }
        for object in installation.objects.map(KubernetesObject.init)
        where object.kind != "CustomResourceDefinition" {
            let type = try #require(
                try await served(object.apiVersion, object.kind), "\(object.kind) is not served")
            _ = try await person.create(object, type, namespace: object.namespace)
        }
    }

    private func served(_ apiVersion: String, _ kind: String) async throws -> ResourceType? {
        let parts = apiVersion.split(separator: "/").map(String.init)
        let served = try await person.resources(group: parts.count > 1 ? parts[0] : "", version: parts.last ?? "")
        return served?.first { $0.type.kind == kind && !$0.type.plural.contains("/") }?.type
    }

    /// An object of each kind of child, as an older release may have left them: they are removed.
    fileprivate func leaveStrays(of specs: [JSON]) async throws {
        var missing = Set(DesiredState.childTypes)
        for spec in specs {
            let found = try #require(try await find(TodoGroup.todoApp, "todo"))
            let app = try TodoApp(validating: MergePatch.apply(["spec": spec], to: found))
            for child in DesiredState.children(of: app, inputs: DesiredStateInputs()).map(KubernetesObject.init) {
                guard let type = DesiredState.type(of: child), missing.remove(type) != nil else { continue }
                var stray = child
                stray.json.set("todo-stray", at: "metadata", "name")
                _ = try await person.create(stray, type, namespace: "team")
                try await whenGone(type, "todo-stray")
            }
        }
        #expect(missing.map(\.kind) == [], "no app here has such a child: add a spec that has")
    }

    fileprivate func createBinding() async throws {
        _ = try await person.create(
            KubernetesObject([
                "apiVersion": "todo-operator.dev/v1alpha1", "kind": "KafkaTopicBinding", "metadata": ["name": "more"],
                "spec": ["appRef": ["name": "todo"], "topic": "more", "partitions": 1],
            ]), TodoGroup.kafkaTopicBinding, namespace: "team")
    }

    /// In a Kafka of the app's own: bindings and the app get finalizers, and lose them when they go.
    fileprivate func bindATopic() async throws {
        try await patch(TodoGroup.todoApp, "todo", ["spec": ["kafka": ["managed": [:], "external": .null]]])
        try await createBinding()
        _ = try await eventually("the binding has its finalizer, and its topic") {
            let topic = try await find(DesiredState.kafkaTopicType, "todo-topic-more")
            let finalizers = try await find(TodoGroup.kafkaTopicBinding, "more")?.at("metadata", "finalizers")
            return topic == nil ? nil : finalizers
        }
        try await delete(TodoGroup.kafkaTopicBinding, "more")
        try await ScriptedStrimzi(cluster: self).say(
            ["type": "Unmanaged", "status": "True"], of: DesiredState.kafkaTopicType, "todo-topic-more")
        try await whenGone(TodoGroup.kafkaTopicBinding, "more")
    }
}
