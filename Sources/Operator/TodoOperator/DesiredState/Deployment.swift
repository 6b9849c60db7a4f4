internal import StructuredData
internal import TodoResources

extension ServiceContext {
    /// The pods of the service, hardened as the "restricted" Pod Security Standard asks.
    var deployment: JSON {
        [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": [
                "progressDeadlineSeconds": 600,
                "replicas": JSON(spec.replicas),
                "revisionHistoryLimit": 3,
                "selector": selector,
                // A pod more while rolling, none less: the service keeps its capacity.
                "strategy": ["rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0], "type": "RollingUpdate"],
                "template": [
                    "metadata": ["annotations": annotations, "labels": JSON(names.labels(name))],
                    "spec": podSpec,
                ],
            ],
        ]
    }

    /// Dapr puts a sidecar beside the container (contracts: annotations of Dapr's injector).
    private var annotations: JSON {
        guard isCalled else { return [Label.secretChecksum: .string(inputs.secretChecksum)] }
        return [
            Label.secretChecksum: .string(inputs.secretChecksum), "dapr.io/enabled": "true",
            "dapr.io/app-id": .string(names.service(name)), "dapr.io/app-port": .string("\(DesiredState.port)"),
            "dapr.io/api-token-secret": .string(names.daprTokenSecret),
            "dapr.io/app-token-secret": .string(names.daprTokenSecret),
        ]
    }

    private var podSpec: JSON {
        [
            "automountServiceAccountToken": false,
            "containers": [container],
            "enableServiceLinks": false,
            "securityContext": [
                "fsGroup": 65532, "runAsGroup": 65532, "runAsNonRoot": true, "runAsUser": 65532,
                "seccompProfile": ["type": "RuntimeDefault"],
            ],
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
            "readinessProbe": Self.probe("/readyz", periodSeconds: 5, failureThreshold: 2),
            "resources": Self.resources(spec.resources),
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

    private static func resources(_ own: TodoApp.Resources?) -> JSON {
        guard let own else {
            return ["limits": ["memory": "256Mi"], "requests": ["cpu": "50m", "memory": "64Mi"]]
        }
        var resources: JSON = [:]
        resources["limits"] = own.limits.map(quantities)
        resources["requests"] = own.requests.map(quantities)
        return resources
    }

    private static func quantities(_ amounts: [String: TodoApp.Quantity]) -> JSON {
        amounts.keys.sorted().reduce(into: [:] as JSON) { $0[$1] = amounts[$1]?.json }
    }
}
