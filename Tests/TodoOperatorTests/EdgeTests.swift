import APIServer
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

@Suite(.timeLimit(.minutes(10))) struct EdgeTests {
    private static let ingress: JSON = [
        "host": "todo.example.com", "ingress": ["className": "nginx"], "gateway": .null,
    ]
    private static let gateway: JSON = [
        "host": "todo.example.com", "gateway": ["parentRefs": [["name": "public"]]], "ingress": .null,
    ]

    private static func parent(_ type: String, _ status: String, _ reason: String, _ message: String = "") -> JSON {
        [
            "parentRef": ["name": "public"], "controllerName": "example.com/gateway",
            "conditions": [
                [
                    "type": .string(type), "status": .string(status), "reason": .string(reason),
                    "message": .string(message), "observedGeneration": 1,
                ]
            ],
        ]
    }

    @Test func anAppWithoutAnEdgeSaysNothingOfOne() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.bringUp()
            #expect(try await cluster.condition(.edgeReady) == nil)
            #expect(try await cluster.condition(.monitoringReady) == nil)
        }
    }

    @Test func anIngressIsWaitedForUntilItHasAnAddressAndGoesWhenItIsNoLongerWanted() async throws {
        let cluster = try await OperatorHarness(neighbours: DesiredState.daprTypes + [DesiredState.routeType])
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["web": Self.ingress, "upgradePolicy": "Parallel"]])
            let waiting = try await cluster.whenReason(.waitingForIngress, of: .edgeReady)
            #expect(waiting["message"]?.string?.contains("of class nginx") == true)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.waitingForIngress)
            try await cluster.patch(
                DesiredState.ingressType, "todo-web",
                ["status": ["loadBalancer": ["ingress": [["ip": "192.0.2.7"]]]]], subresource: "status")
            let ready = try await cluster.whenReason(.ingressReady, of: .edgeReady)
            #expect(ready["message"]?.string?.contains("192.0.2.7") == true)
            try await cluster.whenReason(.allReady)
            #expect(
                try await cluster.find(TodoGroup.todoApp, "todo")?.at("status", "url") == "http://todo.example.com")

            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["web": Self.gateway]])
            try await cluster.whenReason(.waitingForGateway, of: .edgeReady)
            try await cluster.whenGone(DesiredState.ingressType, "todo-web")
            #expect(try await cluster.find(DesiredState.routeType, "todo-web") != nil)

            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["web": ["host": .null, "gateway": .null]]])
            try await cluster.whenGone(DesiredState.routeType, "todo-web")
            _ = try await eventually("no condition") {
                try await cluster.condition(.edgeReady) == nil ? true : nil
            }
        }
    }

    @Test func whatTheGatewaySaysOfTheRouteIsTheConditionAtOnce() async throws {
        let cluster = try await OperatorHarness(neighbours: DesiredState.daprTypes + [DesiredState.routeType])
        try await cluster.whileRunning {
            try await cluster.bringUp()
            try await cluster.patch(
                TodoGroup.todoApp, "todo", ["spec": ["web": Self.gateway, "upgradePolicy": "Parallel"]])
            try await cluster.whenReason(.waitingForGateway, of: .edgeReady)
            func answer(_ parent: JSON) async throws {
                try await cluster.patch(
                    DesiredState.routeType, "todo-web", ["status": ["parents": [parent]]], subresource: "status")
            }
            try await answer(Self.parent("Accepted", "False", "NotAllowedByListeners", "no listener takes the host"))
            let refused = try await cluster.whenReason(.routeRefused, of: .edgeReady)
            #expect(
                refused["message"]
                    == "HTTPRoute todo-web, Gateway team/public: NotAllowedByListeners: no listener takes the host")
            #expect(refused["status"] == "False")
            try await answer(Self.parent("Accepted", "True", "Accepted"))
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            #expect(
                try await cluster.find(TodoGroup.todoApp, "todo")?.at("status", "url") == "https://todo.example.com")
        }
    }

    @Test func withoutTheGatewayAPITheConditionNamesItAndTheRestGoesOn() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp(["database": ["secretRef": ["name": "todo-db"]], "web": Self.gateway])
            try await cluster.bringUpPods()
            let condition = try await cluster.whenReason(.gatewayAPINotInstalled)
            #expect(condition["message"]?.string?.contains("install the Gateway API") == true)
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            _ = try await cluster.person.create(
                KubernetesObject(OperatorHarness.definition(of: DesiredState.routeType)), CRDCheck.definitionType,
                namespace: nil)
            _ = try await eventually("it is made by itself", within: .seconds(60)) {
                try await cluster.find(DesiredState.routeType, "todo-web")
            }
        }
    }

    /// 422 of the server; 400 of a webhook that denies it, and 500 where it could not be asked.
    @Test(arguments: [400, 422, 500])
    func anEdgeThatTheServerRefusesIsAConditionAndTheRestGoesOn(status: Int) async throws {
        let cluster = try await OperatorHarness()
        let refusal = cluster.server.faults.add(
            .status(status), for: .init(verbs: ["patch"], resource: "ingresses", user: OperatorHarness.user.name))
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp(["database": ["secretRef": ["name": "todo-db"]], "web": Self.ingress])
            try await cluster.whenReason(.applyFailed, of: .edgeReady)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            // What is not wanted is still removed.
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["networkPolicy": "Disabled"]])
            try await cluster.whenGone(OperatorHarness.policies, "todo-api")
            cluster.server.faults.remove(refusal)
            _ = try await eventually("it is made by itself", within: .seconds(60)) {
                try await cluster.find(DesiredState.ingressType, "todo-web")
            }
        }
    }

    @Test func somebodyElsesIngressOfThatNameStopsNothingElse() async throws {
        let cluster = try await OperatorHarness()
        _ = try await cluster.person.create(
            KubernetesObject([
                "metadata": ["name": "todo-web"],
                "spec": ["defaultBackend": ["service": ["name": "x", "port": ["number": 1]]]],
            ]), DesiredState.ingressType, namespace: "team")
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp(["database": ["secretRef": ["name": "todo-db"]], "web": Self.ingress])
            let taken = try await cluster.whenReason(.applyFailed, of: .edgeReady)
            #expect(taken["message"]?.string?.contains("was not made for this TodoApp") == true)
            try await cluster.bringUpPods()
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            // What is not wanted is still removed.
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["networkPolicy": "Disabled"]])
            try await cluster.whenGone(OperatorHarness.policies, "todo-api")
            #expect(try await cluster.condition(.stalled) == nil)
        }
    }

    @Test func withoutThePrometheusOperatorTheConditionNamesItAndTheRestGoesOn() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]],
                "monitoring": ["serviceMonitor": "Enabled", "podMonitor": "Enabled"],
            ])
            try await cluster.bringUpPods()
            try await cluster.whenReason(.prometheusOperatorNotInstalled)
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            for type in DesiredState.monitoringTypes {
                _ = try await cluster.person.create(
                    KubernetesObject(OperatorHarness.definition(of: type)), CRDCheck.definitionType, namespace: nil)
            }
            _ = try await eventually("it is made by itself", within: .seconds(60)) {
                try await cluster.find(DesiredState.podMonitorType, "todo-sidecars")
            }
            let condition = try await cluster.whenReason(.monitoringConfigured, of: .monitoringReady)
            #expect(condition["message"] == "the Prometheus operator has a ServiceMonitor, a PodMonitor")
            try await cluster.whenReason(.allReady)
        }
    }

    @Test func aMonitorThatTheServerRefusesIsAConditionAndTheRestGoesOn() async throws {
        let cluster = try await OperatorHarness(neighbours: DesiredState.daprTypes + DesiredState.monitoringTypes)
        let refusal = cluster.server.faults.add(
            .status(422), for: .init(verbs: ["patch"], resource: "servicemonitors", user: OperatorHarness.user.name))
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]],
                "monitoring": ["serviceMonitor": "Enabled", "podMonitor": "Enabled"],
            ])
            let refused = try await cluster.whenReason(.applyFailed, of: .monitoringReady)
            #expect(refused["message"]?.string?.hasPrefix("ServiceMonitor todo-services: ") == true)
            #expect(try await cluster.find(DesiredState.podMonitorType, "todo-sidecars") != nil, "each by itself")
            try await cluster.bringUpPods()
            try await cluster.whenReason(.rolledOut, of: .servicesReady)
            cluster.server.faults.remove(refusal)
            _ = try await eventually("it is made by itself", within: .seconds(60)) {
                try await cluster.find(DesiredState.serviceMonitorType, "todo-services")
            }
            try await cluster.whenReason(.monitoringConfigured, of: .monitoringReady)
        }
    }

    /// By its own labels an object is known as this app's, and found again.
    @Test func theLabelsThatPeopleGiveAMonitorReplaceNoneOfItsOwn() throws {
        var object = DesiredStateTests.minimal
        object.set(
            [
                "serviceMonitor": "Enabled",
                "labels": [
                    "release": "prometheus", "app.kubernetes.io/instance": "x", "app.kubernetes.io/managed-by": "x",
                ],
            ], at: "spec", "monitoring")
        let app = try TodoApp(validating: object)
        let labels = MonitoringObjects(app).all.first?.object.at("metadata", "labels")
        #expect(labels == JSON(AppNames(app).labels(component: "monitoring").merging(["release": "prometheus"]) { $1 }))
    }

    @Test func theCertificatesOfTheIdentityProviderAreFollowed() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp([
                "database": ["secretRef": ["name": "todo-db"]],
                "auth": [
                    "oidc": [
                        "issuer": "https://id.example.com", "audience": "todo", "caSecretRef": ["name": "id-ca"],
                    ]
                ],
            ])
            let missing = try await cluster.whenReason(.identityProviderCAInvalid, of: .servicesReady)
            #expect(missing["message"]?.string?.contains("spec.auth.oidc.caSecretRef") == true)
            _ = try await cluster.person.create(
                KubernetesObject(["metadata": ["name": "id-ca"], "stringData": ["ca.crt": "pem"]]),
                OperatorHarness.secrets, namespace: "team")
            _ = try await eventually("what is no certificate is named") {
                let condition = try await cluster.condition(.servicesReady)
                return condition?["message"]?.string?.hasPrefix(
                    "the key ca.crt of Secret team/id-ca of spec.auth.oidc.caSecretRef holds no certificate in PEM")
                    == true ? condition : nil
            }
            #expect(try await cluster.condition(.servicesReady)?["reason"] == "IdentityProviderCAInvalid")
            try await cluster.rewrite("id-ca", ["ca.crt": .string(CertificateBundleTests.one)])
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let before = try await cluster.checksum()
            try await cluster.rewrite("id-ca", ["ca.crt": .string(CertificateBundleTests.two)])
            _ = try await eventually("the pods are rolled") { try await cluster.checksum() != before ? true : nil }
        }
    }
}

/// Of what Gateways say about a route.
@Suite struct RouteStatusTests {
    private static func judge(_ refs: JSON, _ parents: JSON) throws -> String {
        let route: JSON = ["metadata": ["generation": 2], "status": ["parents": parents]]
        let gateway = try (["parentRefs": refs] as JSON).decode(TodoApp.Gateway.self)
        switch EdgePass.judge(route, named: "todo-web", for: gateway, in: "team") {
        case .ready(let reason, _), .notReady(let reason, _): return reason.rawValue
        }
    }

    private static func answer(_ reference: JSON, _ conditions: JSON...) -> JSON {
        ["parentRef": reference, "conditions": .array(conditions)]
    }

    private static func condition(_ type: JSON, _ status: JSON, generation: JSON = 2) -> JSON {
        ["type": type, "status": status, "observedGeneration": generation, "reason": "Why"]
    }

    @Test func everyGatewayCounts() throws {
        let both: JSON = [["name": "a", "namespace": "gateways", "sectionName": "https"], ["name": "b"]]
        let first = Self.answer(
            ["name": "a", "namespace": "gateways", "sectionName": "https"], Self.condition("Accepted", "True"))
        let second = Self.answer(["name": "b", "namespace": "team"], Self.condition("Accepted", "True"))
        #expect(try Self.judge(both, [first]) == "WaitingForGateway")
        #expect(try Self.judge(both, [first, second]) == "RouteAccepted")
        let unresolved = Self.answer(
            ["name": "b"], Self.condition("Accepted", "True"), Self.condition("ResolvedRefs", "False"))
        #expect(try Self.judge(both, [first, unresolved]) == "RouteRefused")
    }

    @Test func anAnswerAboutAnotherGatewayOrAnOlderRouteIsNone() throws {
        let own: JSON = [["name": "a"]]
        let other = Self.answer(["name": "a", "namespace": "gateways"], Self.condition("Accepted", "True"))
        #expect(try Self.judge(own, [other]) == "WaitingForGateway")
        let section = Self.answer(["name": "a", "sectionName": "http"], Self.condition("Accepted", "True"))
        #expect(try Self.judge(own, [section]) == "WaitingForGateway")
        let old = Self.answer(["name": "a"], Self.condition("Accepted", "False", generation: 1))
        #expect(try Self.judge(own, [old]) == "WaitingForGateway")
        #expect(try Self.judge(own, .null) == "WaitingForGateway")
    }
}
