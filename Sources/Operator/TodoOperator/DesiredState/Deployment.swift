internal import StructuredData
internal import TodoResources

extension ServiceContext {
    /// The pods of the service, hardened as the "restricted" Pod Security Standard asks.
    var deployment: JSON {
        var deployment: JSON = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": deploymentMetadata,
            "spec": [
                "progressDeadlineSeconds": 600,
                "replicas": JSON(spec.replicas),
                "revisionHistoryLimit": 3,
                "selector": selector,
                // A pod more while rolling, none less: the service keeps its capacity.
                "strategy": ["rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0], "type": "RollingUpdate"],
                "template": ["metadata": podMetadata, "spec": podSpec],
            ],
        ]
        if spec.autoscaling != nil {
            deployment.set(nil, at: "spec", "replicas")
            deployment.set(.string(Label.byAutoscaler), at: "metadata", "annotations", Label.replicas)
        }
        return deployment
    }

    private var podMetadata: JSON {
        [
            "annotations": JSON((spec.pod.podAnnotations ?? [:]).merging(annotations) { $1 }),
            "labels": JSON((spec.pod.podLabels ?? [:]).merging(names.labels(name)) { $1 }),
        ]
    }

    private var deploymentMetadata: JSON {
        var metadata = metadata
        if let rotation = names.rotation { metadata["annotations"] = [Label.secretRotation: .string(rotation)] }
        return metadata
    }

    /// Dapr puts a sidecar beside the container (contracts, section 2).
    private var annotations: [String: String] {
        var annotations = [Label.secretChecksum: secretChecksum]
        guard isCalled else { return annotations }
        annotations["dapr.io/enabled"] = "true"
        annotations["dapr.io/app-id"] = names.service(name)
        annotations["dapr.io/app-port"] = "\(DesiredState.port)"
        annotations["dapr.io/api-token-secret"] = names.daprTokenSecret
        annotations["dapr.io/app-token-secret"] = names.daprTokenSecret
        annotations["dapr.io/config"] = names.daprConfiguration
        // It would want a token of the ServiceAccount, which no pod has, and daprd ends where it cannot have it. What
        // Components read from Secrets, Dapr's operator gives them.
        annotations["dapr.io/disable-builtin-k8s-secret-store"] = "true"
        annotations["dapr.io/log-level"] = app.spec.dapr.sidecar.logLevel.rawValue
        annotations["dapr.io/log-as-json"] = "true"
        for (kind, amounts) in sidecarResources {
            for resource in ["cpu", "memory"] {
                annotations["dapr.io/sidecar-\(resource)-\(kind)"] = amounts?[resource]?.text
            }
        }
        return annotations
    }

    private var sidecarResources: [String: [String: TodoApp.Quantity]?] {
        guard let own = app.spec.dapr.sidecar.resources else {
            return ["request": ["cpu": .text("50m"), "memory": .text("64Mi")]]
        }
        return ["request": own.requests, "limit": own.limits]
    }

    private var podSpec: JSON {
        var podSpec: JSON = [
            "automountServiceAccountToken": false,
            "containers": [container],
            "enableServiceLinks": false,
            // As which user the image says by its number, or the namespace, as on OpenShift, which refuses any other.
            "securityContext": ["runAsNonRoot": true, "seccompProfile": ["type": "RuntimeDefault"]],
            "serviceAccountName": .string(names.service(name)),
            "terminationGracePeriodSeconds": 30,
            "topologySpreadConstraints": .array(
                ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map { key in
                    [
                        "labelSelector": selector, "maxSkew": 1, "topologyKey": .string(key),
                        "whenUnsatisfiable": "ScheduleAnyway",
                    ]
                }),
        ]
        podSpec["imagePullSecrets"] = app.spec.imagePullSecrets.map { .array($0.map { ["name": .string($0.name)] }) }
        podSpec["affinity"] = spec.pod.affinity
        podSpec["nodeSelector"] = spec.pod.nodeSelector.map { JSON($0) }
        podSpec["priorityClassName"] = spec.pod.priorityClassName.map(JSON.string)
        podSpec["tolerations"] = spec.pod.tolerations.map(JSON.array)
        return podSpec
    }

    private var container: JSON {
        [
            "args": ["serve", .string(name.rawValue)],
            "env": .array(ServiceEnvironment(self).variables),
            "image": .string(app.spec.image),
            "imagePullPolicy": "IfNotPresent",
            "livenessProbe": Self.probe("/livez", periodSeconds: 10, failureThreshold: 3),
            "name": .string(name.rawValue),
            "ports": [["containerPort": JSON(DesiredState.port), "name": "http", "protocol": "TCP"]],
            "readinessProbe": Self.probe("/readyz", periodSeconds: 2, failureThreshold: 5),
            "resources": spec.resources?.json
                ?? ["limits": ["memory": "256Mi"], "requests": ["cpu": "50m", "memory": "64Mi"]],
            "securityContext": [
                "allowPrivilegeEscalation": false, "capabilities": ["drop": ["ALL"]], "readOnlyRootFilesystem": true,
            ],
            "startupProbe": Self.probe("/livez", periodSeconds: 1, failureThreshold: 60),
            // So that `kubectl describe pod` shows the line that says why a service ended.
            "terminationMessagePolicy": "FallbackToLogsOnError",
        ]
    }

    private static func probe(_ path: String, periodSeconds: Int, failureThreshold: Int) -> JSON {
        [
            "failureThreshold": JSON(failureThreshold), "httpGet": ["path": .string(path), "port": "http"],
            "periodSeconds": JSON(periodSeconds), "timeoutSeconds": 2,
        ]
    }
}

extension TodoApp.Resources {
    /// As a container has them.
    var json: JSON {
        var resources: JSON = [:]
        resources["limits"] = limits.map(Self.quantities)
        resources["requests"] = requests.map(Self.quantities)
        return resources
    }

    private static func quantities(_ amounts: [String: TodoApp.Quantity]) -> JSON {
        amounts.keys.sorted().reduce(into: [:] as JSON) { $0[$1] = amounts[$1]?.json }
    }
}
