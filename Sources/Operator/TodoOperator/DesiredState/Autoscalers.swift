internal import StructuredData
internal import TodoResources

/// What sets the number of pods of each service that asks for it: a HorizontalPodAutoscaler where the processor's load
/// says it, else a ScaledObject, of which KEDA makes one of the same name.
struct Autoscalers {
    let app: TodoApp
    private let names: AppNames
    private let access: [EventAccess]
    private let bootstrapServers: [String]

    init(_ app: TodoApp, _ plan: TopicPlan, bootstrapServers: [String]) {
        self.app = app
        names = AppNames(app)
        access = EventAccess.all(of: app, plan)
        self.bootstrapServers = bootstrapServers
    }

    /// In the order in which they are applied.
    var all: [JSON] {
        app.autoscaled.flatMap { name -> [JSON] in
            guard let scaling = app[service: name].autoscaling else { return [] }
            guard scaling.needsKEDA else { return [horizontalPodAutoscaler(name, scaling)] }
            return triggerAuthentication(name, scaling) + [scaledObject(name, scaling)]
        }
    }

    // MARK: - By the processor's load

    /// Of the service's container alone: a sidecar without a request would make the load of the pod unknown.
    private func horizontalPodAutoscaler(_ name: TodoApp.ServiceName, _ scaling: TodoApp.Autoscaling) -> JSON {
        let load: JSON = [
            "container": .string(name.rawValue), "name": "cpu",
            "target": [
                "averageUtilization": JSON(scaling.targetCPUUtilizationPercentage ?? 0), "type": "Utilization",
            ],
        ]
        return [
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": DesiredState.metadata(name, of: app),
            "spec": [
                "behavior": Self.behavior,
                "maxReplicas": JSON(scaling.maxReplicas),
                "metrics": [["containerResource": load, "type": "ContainerResource"]],
                "minReplicas": JSON(app[service: name].replicas),
                "scaleTargetRef": target(name),
            ],
        ]
    }

    /// Up as fast as Kubernetes does by itself. Down slowly: each pod that goes closes its connections and hands its
    /// partitions on.
    private static let behavior: JSON = [
        "scaleDown": [
            "policies": [
                ["periodSeconds": 60, "type": "Pods", "value": 1],
                ["periodSeconds": 60, "type": "Percent", "value": 10],
            ],
            "selectPolicy": "Max", "stabilizationWindowSeconds": 300,
        ]
    ]

    private func target(_ name: TodoApp.ServiceName) -> JSON {
        ["apiVersion": "apps/v1", "kind": "Deployment", "name": .string(names.service(name))]
    }

    // MARK: - By KEDA

    private func scaledObject(_ name: TodoApp.ServiceName, _ scaling: TodoApp.Autoscaling) -> JSON {
        var triggers: [JSON] = []
        if let cpu = scaling.targetCPUUtilizationPercentage {
            triggers.append([
                "metadata": ["containerName": .string(name.rawValue), "value": .string("\(cpu)")],
                "metricType": "Utilization", "type": "cpu",
            ])
        }
        if let lag = scaling.kafkaLag { triggers += lagTriggers(name, threshold: lag) }
        if let connections = scaling.connectionsPerReplica { triggers.append(connectionTrigger(name, connections)) }
        return [
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": DesiredState.metadata(name, of: app),
            "spec": [
                // Named here, because the name that KEDA makes up may be too long.
                "advanced": [
                    "horizontalPodAutoscalerConfig": [
                        "behavior": Self.behavior, "name": .string(names.service(name)),
                    ]
                ],
                "maxReplicaCount": JSON(scaling.maxReplicas),
                "minReplicaCount": JSON(app[service: name].replicas),
                "scaleTargetRef": target(name),
                "triggers": .array(triggers),
            ],
        ]
    }

    /// One for each topic: what waits in one is for no more pods than it has partitions.
    private func lagTriggers(_ name: TodoApp.ServiceName, threshold: Int) -> [JSON] {
        guard let access = access.first(where: { $0.service == name }), let group = access.group else { return [] }
        let login = login(name)
        return access.reads.map { topic in
            var metadata: JSON = [
                "bootstrapServers": .string(bootstrapServers.joined(separator: ",")),
                "consumerGroup": .string(group.name),
                "lagThreshold": .string("\(threshold)"),
                // As the group begins.
                "offsetResetPolicy": .string(group.isPrefix ? "latest" : "earliest"),
                "topic": .string(topic),
                "version": .string(PubSubComponent.protocolVersion(of: app)),
            ]
            for (key, value) in login.metadata { metadata[key] = .string(value) }
            var trigger: JSON = ["metadata": metadata, "type": "kafka"]
            if !login.isEmpty { trigger["authenticationRef"] = ["name": .string(names.service(name))] }
            return trigger
        }
    }

    /// KEDA asks each pod: so no Prometheus is needed, and no pod is asked for the others.
    private func connectionTrigger(_ name: TodoApp.ServiceName, _ perReplica: Int) -> JSON {
        [
            "metadata": [
                "aggregateFromKubeServiceEndpoints": "true", "aggregationType": "sum", "format": "prometheus",
                "targetValue": .string("\(perReplica)"), "url": .string("\(names.url(of: name))/metrics"),
                "valueLocation": "realtime_connections",
            ],
            "metricType": "AverageValue", "type": "metrics-api",
        ]
    }

    private func triggerAuthentication(_ name: TodoApp.ServiceName, _ scaling: TodoApp.Autoscaling) -> [JSON] {
        let login = login(name)
        guard scaling.kafkaLag != nil, !login.isEmpty else { return [] }
        var spec: JSON = [:]
        if !login.secrets.isEmpty {
            spec["secretTargetRef"] = .array(
                login.secrets.map { parameter, secret, key in
                    ["key": .string(key), "name": .string(secret), "parameter": .string(parameter)]
                })
        }
        if !login.variables.isEmpty {
            spec["env"] = .array(
                login.variables.map { variable in
                    [
                        "containerName": .string(name.rawValue), "name": .string(variable.name),
                        "parameter": .string(variable.parameter),
                    ]
                })
        }
        spec["podIdentity"] = login.podIdentity
        return [
            [
                "apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication",
                "metadata": DesiredState.metadata(name, of: app), "spec": spec,
            ]
        ]
    }

    private func login(_ name: TodoApp.ServiceName) -> ScalerLogin { ScalerLogin(of: app, as: name) }
}
