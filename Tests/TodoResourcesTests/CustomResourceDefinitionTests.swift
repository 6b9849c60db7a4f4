import StructuredData
import Testing

@testable import TodoResources

@Suite struct CustomResourceDefinitionTests {
    static let full: JSON = [
        "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
        "metadata": ["name": "todo", "namespace": "team", "uid": "u-1", "generation": 3, "labels": ["a": "b"]],
        "spec": [
            "image": "registry.example:5000/todo:1.2.3",
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
                "tracing": ["samplingRate": "0.1", "endpoint": "otel.example.com:4317"],
                "sidecar": [
                    "resources": ["requests": ["cpu": "100m"], "limits": ["memory": "256Mi"]], "logLevel": "warn",
                ],
            ],
            "services": [
                "api": ["replicas": 3, "resources": ["requests": ["cpu": "1"], "limits": ["memory": 1_000_000]]],
                "audit": ["replicas": 1, "resources": ["requests": ["cpu": "1"], "limits": ["memory": "1Gi"]]],
                "notification": ["replicas": 1, "resources": ["requests": ["cpu": "1"], "limits": ["memory": "1Gi"]]],
                "realtime": ["replicas": 4, "resources": ["requests": ["cpu": 2], "limits": ["memory": "1Gi"]]],
            ],
            "workers": [
                "placement": "Dedicated", "replicas": 3,
                "resources": ["requests": ["cpu": "1"], "limits": ["memory": "1Gi"]],
            ],
            "web": ["url": "https://todo.example.com"],
            "notifications": [
                "email": [
                    "host": "smtp.example.com", "port": 465, "tls": "Implicit", "from": "todo@example.com",
                    "secretRef": ["name": "smtp"],
                ],
                "webhooks": ["allowedNetworks": ["10.1.0.0/16"]],
            ],
            "auth": ["signUp": "Open"], "networkPolicy": "Disabled", "suspend": true,
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
                    "rackTopologyKey": "topology.kubernetes.io/zone",
                ]
            ], at: "spec", "kafka")
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
        #expect(missing == [["spec.kafka.managed"], ["spec.kafka.external"]])
    }

    /// The properties of `schema` that `value` does not show.
    static func missing(from value: JSON, schema: JSON, path: String) -> [String] {
        if let items = schema["items"] { return missing(from: value[0] ?? .null, schema: items, path: "\(path)[0]") }
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
        #expect(!app.spec.suspend)
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
            (["spec", "workers", "placement"], "Elsewhere", "spec.workers.placement: Unsupported value"),
            (["spec", "web", "url"], "todo.example.com", "spec.web.url"),
            (["spec", "web", "url"], "https://todo.example.com/path", "spec.web.url"),
            (["spec", "notifications", "email", "from"], "Todo <todo@example.com>", "spec.notifications.email.from"),
            (["spec", "notifications", "email", "tls"], "None", "a password is not sent in the clear"),
            (["spec", "notifications", "email", "host"], nil, "spec.notifications.email.host: Required value"),
            (["spec", "notifications", "webhooks", "allowedNetworks"], ["10.0.0.1"], "allowedNetworks[0]"),
            (["spec", "kafka", "managed"], [:], "exactly one of managed and external"),
            (["spec", "kafka"], [:], "exactly one of managed and external"),
            (["spec", "kafka"], ["managed": ["version": "4"]], "spec.kafka.managed.version"),
            (["spec", "kafka"], ["managed": ["controllers": ["replicas": 2]]], "an odd number"),
            (["spec", "kafka", "external", "bootstrapServers"], ["kafka"], "bootstrapServers[0]"),
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
            (["spec", "wat"], 1, "spec.wat: no such field"),
            (["metadata", "name"], "1-is-no-letter", "metadata.name must be a DNS label"),
            (["metadata", "name"], JSON.string(String(repeating: "a", count: 51)), "at most 50 characters"),
        ] as [([String], JSON?, String)])
    func aBadSpecIsRefusedByNameOfTheField(path: [String], value: JSON?, problem: String) {
        var object = Self.full
        Self.set(value, at: path[...], in: &object)
        let error = #expect(throws: InvalidResource.self) { try TodoApp(validating: object) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "accepted")")
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
