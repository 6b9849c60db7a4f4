internal import StructuredData
internal import TodoResources

/// The objects by which the Dapr sidecars of an installation bring its events (contracts, section 4).
struct DaprObjects {
    let app: TodoApp
    let names: AppNames
    let plan: TopicPlan
    let bootstrapServers: [String]

    init(_ app: TodoApp, _ plan: TopicPlan, bootstrapServers: [String]) {
        self.app = app
        names = AppNames(app)
        self.plan = plan
        self.bootstrapServers = bootstrapServers
    }

    var all: [JSON] {
        let access = EventAccess.all(of: app, plan)
        return [configuration, resiliency(of: access.map(\.service))]
            + access.map { PubSubComponent(access: $0, app: app, bootstrapServers: bootstrapServers).object }
            + access.flatMap(\.subscriptions).map(object) + DailyBinding.all(of: app).map(\.object)
    }

    private func object(_ subscription: TopicPlan.Subscription) -> JSON {
        var routes: JSON = [:]
        if !subscription.rules.isEmpty {
            routes["rules"] = .array(subscription.rules.map { ["match": .string($0.match), "path": .string($0.path)] })
        }
        routes["default"] = subscription.path.map(JSON.string)
        var spec: JSON = [
            "pubsubname": .string(names.pubsub(subscription.service)), "routes": routes,
            "topic": .string(app.topicPrefix + subscription.topic),
        ]
        if let bulk = subscription.bulk {
            spec["bulkSubscribe"] = [
                "enabled": true, "maxAwaitDurationMs": JSON(bulk.maxAwaitMilliseconds),
                "maxMessagesCount": JSON(bulk.maxMessages),
            ]
        }
        spec["deadLetterTopic"] = subscription.deadLetterTopic.map { .string(app.topicPrefix + $0) }
        return [
            "apiVersion": "dapr.io/v2alpha1", "kind": "Subscription",
            "metadata": DesiredState.metadata(subscription.service, of: app, name: subscription.name),
            "scopes": [.string(names.service(subscription.service))],
            "spec": spec,
        ]
    }

    /// What a service did not take comes again until it does. Without this, Dapr hands the events that come while the audit
    /// service is down to its dead letters, and the log would lack them.
    private func resiliency(of services: [TodoApp.ServiceName]) -> JSON {
        let targets = services.reduce(into: [:] as JSON) { $0[names.pubsub($1)] = ["inbound": ["retry": "untilTaken"]] }
        return [
            "apiVersion": "dapr.io/v1alpha1", "kind": "Resiliency",
            "metadata": DesiredState.metadata(of: app, name: names.delivery, component: "dapr"),
            "scopes": .array(services.map { .string(names.service($0)) }),
            "spec": [
                "policies": [
                    "retries": ["untilTaken": ["maxInterval": "5s", "maxRetries": -1, "policy": "exponential"]]
                ],
                "targets": ["components": targets],
            ],
        ]
    }

    /// The sidecars give out no Secret, and only their pods' owners stop them. Nor do they pass on calls of other apps: to the
    /// service these would look like events of its own topics, for a sidecar puts the service's token on all it brings.
    private var configuration: JSON {
        let tracing = app.spec.dapr.tracing
        var traced: JSON = ["samplingRate": .string(tracing.samplingRate)]
        if let endpoint = tracing.endpoint {
            traced["otel"] = ["endpointAddress": .string(endpoint), "isSecure": false, "protocol": "grpc"]
        }
        return [
            "apiVersion": "dapr.io/v1alpha1", "kind": "Configuration",
            "metadata": DesiredState.metadata(of: app, name: names.daprConfiguration, component: "dapr"),
            "spec": [
                "accessControl": ["defaultAction": "deny"],
                "api": ["denied": [["name": "shutdown", "protocol": "http", "version": "v1.0"]]],
                "metrics": ["enabled": true],
                "secrets": ["scopes": [["defaultAccess": "deny", "storeName": "kubernetes"]]],
                "tracing": traced,
            ],
        ]
    }
}
