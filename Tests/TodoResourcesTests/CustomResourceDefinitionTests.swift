import StructuredData
import Testing

@testable import TodoResources

@Suite struct CustomResourceDefinitionTests {
    static let full: JSON = [
        "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
        "metadata": ["name": "todo", "namespace": "team", "uid": "u-1", "generation": 3, "labels": ["a": "b"]],
        "spec": [
            "image": "registry.example:5000/todo:1.2.3",
            "imagePullSecrets": [["name": "registry"]],
            "database": ["secretRef": ["name": "db"], "tlsMode": "Require", "poolSize": 4],
            "kafka": [
                "external": [
                    "bootstrapServers": ["a.example.com:9093", "b.example.com:9093"], "provider": "MSK",
                    "topicPrefix": "team.",
                    "tls": ["mode": "Enabled", "caSecretRef": ["name": "ca", "key": "root.pem"]],
                    "authentication": [
                        "type": "AWSIAM", "secretRef": ["name": "kafka"],
                        "oidc": ["tokenEndpoint": "https://id.example.com/token", "scopes": ["kafka"]],
                        "aws": ["region": "eu-central-1", "roleArn": "arn:aws:iam::1:role/todo"],
                    ],
                ]
            ],
            "dapr": [
                "controlPlaneNamespace": "dapr",
                "tracing": ["samplingRate": "0.1", "endpoint": "otel.example.com:4317"],
                "sidecar": [
                    "resources": ["requests": ["cpu": "100m"], "limits": ["memory": "256Mi"]], "logLevel": "warn",
                ],
            ],
            "services": [
                "api": pods(["replicas": 3, "autoscaling": ["maxReplicas": 9, "targetCPUUtilizationPercentage": 70]]),
                "audit": pods([
                    "replicas": 1,
                    "autoscaling": ["maxReplicas": 9, "targetCPUUtilizationPercentage": 70, "kafkaLag": 100],
                ]),
                "notification": pods([
                    "replicas": 1,
                    "autoscaling": ["maxReplicas": 9, "targetCPUUtilizationPercentage": 70, "kafkaLag": 100],
                ]),
                "realtime": pods([
                    "replicas": 4,
                    "autoscaling": [
                        "maxReplicas": 9, "targetCPUUtilizationPercentage": 70, "connectionsPerReplica": 8000,
                    ],
                ]),
            ],
            "workers": pods(["placement": "Dedicated", "replicas": 3]),
            "web": [
                "url": "https://todo.example.com", "host": "todo.example.com",
                "ingress": [
                    "className": "nginx", "tlsSecretName": "todo-tls", "issuer": "ca",
                    "annotations": ["example.com/a": "b"],
                ],
            ],
            "notifications": [
                "email": [
                    "host": "smtp.example.com", "port": 465, "tls": "Implicit", "from": "todo@example.com",
                    "secretRef": ["name": "smtp"],
                ],
                "webhooks": ["allowedNetworks": ["10.1.0.0/16"]],
            ],
            "auth": [
                "signUp": "Open",
                "oidc": [
                    "issuer": "https://id.example.com/realms/todo", "audience": "todo",
                    "caSecretRef": ["name": "id-ca", "key": "ca.pem"],
                ],
            ],
            "retention": ["audit": "730d", "bin": "7d"], "networkPolicy": "Disabled",
            "monitoring": [
                "serviceMonitor": "Enabled", "podMonitor": "Enabled", "prometheusRule": "Enabled",
                "labels": ["release": "prometheus"], "interval": "15s",
            ],
            "upgradePolicy": "Parallel", "secretRotation": "first", "suspend": true, "deletionPolicy": "Retain",
        ],
        "status": [
            "observedGeneration": 2, "version": "1.2.3", "url": "http://todo",
            "services": [
                ["name": "api", "desired": 3, "updated": 2, "ready": 1]
            ],
            "conditions": [
                [
                    "type": "Ready", "status": "False", "observedGeneration": 2,
                    "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "RollingOut", "message": "1 of 3",
                ]
            ],
        ],
    ]

    /// A service with everything that may be said of its pods.
    private static func pods(_ service: JSON) -> JSON {
        var service = service
        service["resources"] = ["requests": ["cpu": 2], "limits": ["memory": "1Gi"]]
        service["env"] = [
            ["name": "LOG_LEVEL", "value": "debug"],
            ["name": "ONE", "valueFrom": ["secretKeyRef": ["name": "more", "key": "one", "optional": true]]],
            ["name": "TWO", "valueFrom": ["configMapKeyRef": ["name": "more", "key": "two", "optional": false]]],
        ]
        service["nodeSelector"] = ["disk": "fast"]
        service["tolerations"] = [
            [
                "key": "dedicated", "operator": "Equal", "value": "todo", "effect": "NoExecute",
                "tolerationSeconds": 30,
            ]
        ]
        let term: JSON = ["topologyKey": "zone", "labelSelector": ["matchLabels": ["a": "b"]]]
        service["affinity"] = [
            "nodeAffinity": ["preferredDuringSchedulingIgnoredDuringExecution": [["weight": 1, "preference": [:]]]],
            "podAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [term]],
            "podAntiAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [term]],
        ]
        service["priorityClassName"] = "business"
        service["podAnnotations"] = ["example.com/a": "b"]
        service["podLabels"] = ["team": "platform"]
        return service
    }

    /// With the other one of the Kafkas.
    static var managed: JSON {
        var app = full
        let nodes: JSON = [
            "replicas": 5, "storage": ["size": "1Ti", "className": "fast"],
            "resources": ["requests": ["cpu": "1"], "limits": ["memory": "8Gi"]],
        ]
        app.set(
            [
                "managed": [
                    "version": "4.2.1", "brokers": nodes, "controllers": nodes,
                    "rackTopologyKey": "topology.kubernetes.io/zone", "metrics": "Enabled",
                ]
            ], at: "spec", "kafka")
        app.set(
            [
                "url": "https://todo.example.com", "host": "todo.example.com",
                "gateway": ["parentRefs": [["name": "public", "namespace": "gateways", "sectionName": "https"]]],
            ], at: "spec", "web")
        return app
    }

    @Test func everyFieldOfTheSchemaIsAFieldOfTheTypeAndTheOtherWayRound() throws {
        var missing: [Set<String>] = []
        for object in [Self.full, Self.managed] {
            let encoded = try JSON(encoding: try TodoApp(validating: object))
            var expected = object
            expected["apiVersion"] = nil
            expected["kind"] = nil
            #expect(encoded == expected)
            missing.append(
                Set(
                    try ["spec", "status"].flatMap { part in
                        let schema = try #require(TodoApp.schema.json.at("properties", part))
                        return Self.missing(from: try #require(object[part]), schema: schema, path: part)
                    }))
        }
        #expect(
            missing == [
                ["spec.kafka.managed", "spec.web.gateway", "spec.web.ingress.clusterIssuer"],
                ["spec.kafka.external", "spec.web.ingress"],
            ])
    }

    /// The properties of `schema` that `value` does not show; of a list those that no entry shows.
    static func missing(from value: JSON, schema: JSON, path: String) -> [String] {
        if let items = schema["items"] {
            let entries = (value.array ?? []).map { Set(missing(from: $0, schema: items, path: "\(path)[]")) }
            guard let first = entries.first else { return missing(from: .null, schema: items, path: "\(path)[]") }
            return entries.dropFirst().reduce(first) { $0.intersection($1) }.sorted()
        }
        return (schema["properties"]?.object ?? JSONObject()).flatMap { key, property in
            value[key].map { missing(from: $0, schema: property, path: "\(path).\(key)") } ?? ["\(path).\(key)"]
        }
    }

    @Test func everyFieldIsDescribed() {
        func undescribed(_ schema: JSON, _ path: String) -> [String] {
            let own = (schema["description"]?.string ?? "").isEmpty ? [path] : []
            let nested = (schema["properties"]?.object ?? JSONObject()).flatMap { undescribed($1, "\(path).\($0)") }
            return own + nested + (schema["items"].map { undescribed($0, "\(path)[]") } ?? [])
        }
        #expect(undescribed(TodoApp.schema.json, "TodoApp") == [])
        #expect(undescribed(ReminderSchedule.schema.json, "ReminderSchedule") == [])
    }

    /// Whoever got a text wrong is told in words what to write; of a pattern they would see the regular expression.
    @Test func noTextIsHeldAgainstABarePattern() {
        func patterns(_ schema: JSON, _ path: String) -> [String] {
            // Quantities are Kubernetes' own, and known.
            let own = schema["pattern"] != nil && schema["x-kubernetes-int-or-string"] != true ? [path] : []
            let nested = ["items", "additionalProperties"].compactMap { key in
                schema[key].map { patterns($0, "\(path).\(key)") }
            }
            let fields = (schema["properties"]?.object ?? JSONObject()).map { patterns($1, "\(path).\($0)") }
            return own + (nested + fields).joined()
        }
        for schema in [TodoApp.schema, ReminderSchedule.schema, KafkaTopicBinding.schema] {
            #expect(patterns(schema.json, "") == [])
        }
    }

    /// Else an API server refuses the CRD: it reckons with the most there can be.
    @Test func whatARuleLooksAtIsBounded() {
        func unbounded(_ schema: JSON, _ path: String, isBounded: Bool) -> [String] {
            let isText = schema["type"] == "string" && schema["enum"] == nil && schema["format"] == nil
            let isFree =
                !isBounded || isText && schema["maxLength"] == nil
                || schema["items"] != nil && schema["maxItems"] == nil
            let own = schema["x-kubernetes-validations"] != nil && isFree ? [path] : []
            let children =
                (schema["properties"]?.object ?? JSONObject()).map { ($0, $1, isBounded) }
                + [("items", "maxItems"), ("additionalProperties", "maxProperties")].compactMap { key, bound in
                    schema[key].map { (key, $0, isBounded && schema[bound] != nil) }
                }
            return own + children.flatMap { unbounded($0.1, "\(path).\($0.0)", isBounded: $0.2) }
        }
        for schema in [TodoApp.schema, ReminderSchedule.schema, KafkaTopicBinding.schema] {
            #expect(unbounded(schema.json, "", isBounded: true) == [])
        }
    }

    @Test func theLeastSpecGetsDefaultsThatSuitProduction() throws {
        let app = try TodoApp(validating: [
            "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
            "metadata": ["name": "todo", "namespace": "todo"], "spec": ["database": ["secretRef": ["name": "db"]]],
        ])
        #expect(app.spec.image == ProductVersion.image)
        #expect(app.spec.database.tlsMode == .verifyFull)
        #expect(app.spec.database.poolSize == 16)
        #expect(app.spec.services.api.replicas == 2)
        #expect(app.spec.networkPolicy == .enabled)
        #expect(app.spec.upgradePolicy == .paced)
        #expect(!app.spec.suspend)
        #expect(app.spec.retention.auditDays == 400 && app.spec.retention.binDays == 30)
        #expect(app.spec.deletionPolicy == .delete)
    }

    @Test(
        arguments: [
            (["spec", "database"], nil, "spec.database: Required value"),
            (["spec", "database", "secretRef"], nil, "spec.database.secretRef: Required value"),
            (["spec", "database", "secretRef", "name"], "No Such", "spec.database.secretRef.name"),
            (["spec", "database", "tlsMode"], "Maybe", "spec.database.tlsMode: Unsupported value"),
            (["spec", "database", "poolSize"], 0, "spec.database.poolSize: Invalid value"),
            (["spec", "services", "api", "replicas"], "two", "spec.services.api.replicas"),
            (["spec", "services", "api", "replicas"], -1, "spec.services.api.replicas: Invalid value"),
            (["spec", "services", "api", "resources", "limits"], ["memory": "lots"], "resources.limits.memory"),
            (["spec", "services", "api", "autoscaling"], ["maxReplicas": 9], "needs targetCPUUtilizationPercentage"),
            (["spec", "services", "audit", "autoscaling"], ["maxReplicas": 9], "needs one of"),
            (["spec", "services", "api", "autoscaling", "maxReplicas"], 2, "the least number of pods"),
            (["spec", "services", "api", "autoscaling", "maxReplicas"], nil, "maxReplicas: Required value"),
            (["spec", "services", "api", "replicas"], 0, "the least number of pods"),
            (["spec", "services", "api", "autoscaling", "kafkaLag"], 5, "kafkaLag: no such field"),
            (["spec", "services", "realtime", "autoscaling", "kafkaLag"], 5, "kafkaLag: no such field"),
            (
                ["spec", "services", "api", "resources"], ["requests": ["memory": "1Gi"]],
                "a share of resources.requests.cpu"
            ),
            (
                ["spec", "services", "api", "env"], [["name": "PORT", "value": "1"]],
                "the operator sets this variable itself"
            ),
            (["spec", "services", "api", "env"], [["name": "A"]], "one of value and valueFrom"),
            (["spec", "services", "api", "env"], [["name": "A", "valueFrom": [:]]], "one of secretKeyRef"),
            (
                ["spec", "workers", "env"], [["name": "A", "value": ""], ["name": "A", "value": ""]],
                "spec.workers.env[1]: Duplicate value"
            ),
            (["spec", "services", "api", "tolerations"], [[:]], "needs operator Exists"),
            (
                ["spec", "services", "api", "tolerations"], [["operator": "Exists", "value": "x"]], "has no value"
            ),
            (
                ["spec", "services", "api", "tolerations"], [["key": "a", "tolerationSeconds": 3]],
                "needs effect NoExecute"
            ),
            (["spec", "services", "api", "affinity"], ["node": [:]], "affinity.node: no such field"),
            (["spec", "services", "api", "nodeSelector"], ["a": "not a label value"], "nodeSelector"),
            (["spec", "services", "api", "podLabels"], ["app.kubernetes.io/name": "x"], "are the operator's"),
            (["spec", "workers", "podAnnotations"], ["dapr.io/enabled": "false"], "are the operator's"),
            (["spec", "image"], "registry.example.com/Todo:1", "must be the name of a container image"),
            (["spec", "imagePullSecrets"], [[:]], "imagePullSecrets[0].name: Required value"),
            (["spec", "workers", "placement"], "Elsewhere", "spec.workers.placement: Unsupported value"),
            (["spec", "web", "url"], "todo.example.com", "spec.web.url"),
            (["spec", "web", "url"], "https://todo.example.com/path", "spec.web.url: Invalid value"),
            (["spec", "web", "host"], "*.example.com", "must be a DNS name in lower case"),
            (
                ["spec", "web", "host"], "192.0.2.7",
                "web.host must be a DNS name where web.ingress or web.gateway brings it here, and no IP address"
            ),
            (["spec", "web", "host"], "::1", "must be a DNS name in lower case"),
            (["spec", "web", "host"], nil, "web.ingress and web.gateway need web.host"),
            (
                ["spec", "web", "gateway"], ["parentRefs": [["name": "a"]]],
                "at most one of web.ingress and web.gateway"
            ),
            (["spec", "web"], ["host": "a", "gateway": ["parentRefs": []]], "spec.web.gateway.parentRefs"),
            (
                ["spec", "web", "ingress", "clusterIssuer"], "a",
                "at most one of ingress.issuer and ingress.clusterIssuer"
            ),
            (["spec", "auth", "oidc", "issuer"], "http://id.example.com", "spec.auth.oidc.issuer"),
            (["spec", "auth", "oidc", "audience"], nil, "spec.auth.oidc.audience: Required value"),
            (
                ["spec", "monitoring", "serviceMonitor"], "Disabled",
                "monitoring.prometheusRule needs monitoring.serviceMonitor"
            ),
            (["spec", "monitoring", "interval"], "often", "such as 30s"),
            (["spec", "notifications", "email", "from"], "Todo <todo@example.com>", "spec.notifications.email.from"),
            (["spec", "notifications", "email", "tls"], "None", "a password is not sent in the clear"),
            (["spec", "notifications", "email", "host"], nil, "spec.notifications.email.host: Required value"),
            (["spec", "notifications", "webhooks", "allowedNetworks"], ["10.0.0.1"], "allowedNetworks[0]"),
            (["spec", "kafka", "managed"], [:], "exactly one of managed and external"),
            (["spec", "kafka"], [:], "exactly one of managed and external"),
            (["spec", "kafka"], ["managed": ["version": "4"]], "spec.kafka.managed.version"),
            (["spec", "kafka"], ["managed": ["controllers": ["replicas": 2]]], "an odd number"),
            (
                ["spec", "kafka", "external", "bootstrapServers"], ["kafka"],
                "must be HOST:PORT, such as broker.example.com:9093"
            ),
            (["spec", "kafka", "external", "bootstrapServers"], [], "bootstrapServers"),
            (["spec", "kafka", "external", "authentication"], ["type": "Plain"], "need authentication.secretRef"),
            (["spec", "kafka", "external", "authentication"], ["type": "AWSIAM"], "needs authentication.aws"),
            (
                ["spec", "kafka", "external", "authentication"],
                ["type": "OIDC", "secretRef": ["name": "id"]], "needs authentication.oidc"
            ),
            (["spec", "kafka", "external", "provider"], "Confluent", "authentication.type Plain or OIDC"),
            (["spec", "kafka", "external", "provider"], "Redpanda", "ScramSha256 or ScramSha512"),
            (["spec", "kafka", "external", "tls", "mode"], "Disabled", "need tls.mode Enabled"),
            (["spec", "dapr", "tracing", "samplingRate"], "1.5", "spec.dapr.tracing.samplingRate"),
            (["spec", "dapr", "controlPlaneNamespace"], "Dapr.System", "must be the name of a namespace"),
            (["spec", "retention", "audit"], "29d", "spec.retention.audit: Invalid value"),
            (["spec", "retention", "audit"], "3651d", "must be whole days, from 30d to 3650d"),
            (["spec", "retention", "audit"], "12h", "must be whole days, from 30d to 3650d"),
            (["spec", "retention", "bin"], "0d", "must be whole days, from 1d to 3650d"),
            (["spec", "retention", "bin"], "4000d", "must be whole days, from 1d to 3650d"),
            (["spec", "deletionPolicy"], "Keep", "spec.deletionPolicy: Unsupported value"),
            (["spec", "wat"], 1, "spec.wat: no such field"),
            (["metadata", "name"], "1-is-no-letter", "metadata.name must be a DNS label"),
            (["metadata", "name"], JSON.string(String(repeating: "a", count: 46)), "at most 45 characters"),
        ] as [([String], JSON?, String)])
    func aBadSpecIsRefusedByNameOfTheField(path: [String], value: JSON?, problem: String) {
        var object = Self.full
        Self.set(value, at: path[...], in: &object)
        let error = #expect(throws: InvalidResource.self) { try TodoApp(validating: object) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "accepted")")
    }

    /// The nodes of a Kafka of one's own have the name of the app twice in theirs.
    @Test func withAKafkaOfItsOwnANameIsShorter() throws {
        var object = Self.full
        object.set(.string(String(repeating: "a", count: 45)), at: "metadata", "name")
        _ = try TodoApp(validating: object)
        object.set(["managed": [:]], at: "spec", "kafka")
        let error = #expect(throws: InvalidResource.self) { try TodoApp(validating: object) }
        #expect(error?.description.contains("at most 24 characters") == true)
        object.set(.string(String(repeating: "a", count: 24)), at: "metadata", "name")
        _ = try TodoApp(validating: object)
    }

    static func set(_ value: JSON?, at path: ArraySlice<String>, in json: inout JSON) {
        guard let key = path.first else { return }
        if path.count == 1 {
            json[key] = value
        } else {
            var child = json[key] ?? [:]
            set(value, at: path.dropFirst(), in: &child)
            json[key] = child
        }
    }
}

@Suite struct ConditionSetTests {
    @Test func theTransitionTimeMovesOnlyWithTheStatus() {
        var first = ConditionSet(previous: [], generation: 1, now: "2026-01-01T00:00:00Z")
        first.set(.ready, .no, .rollingOut, "1 of 2")
        var second = ConditionSet(previous: first.all, generation: 2, now: "2026-01-02T00:00:00Z")
        second.set(.ready, .no, .rollingOut, "2 of 2")
        #expect(second[.ready]?.lastTransitionTime == "2026-01-01T00:00:00Z")
        #expect(second[.ready]?.observedGeneration == 2)
        second.set(.ready, .yes, .allReady, "up")
        #expect(second[.ready]?.lastTransitionTime == "2026-01-02T00:00:00Z")
        #expect(second.all.count == 1)
    }
}
