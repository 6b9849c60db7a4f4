internal import StructuredData

extension Installation {
    /// Two replicas, of which one leads; hardened as the "restricted" Pod Security Standard asks.
    var deployment: JSON {
        object(
            "apps/v1", "Deployment", in: namespace,
            [
                (
                    "spec",
                    [
                        "replicas": 2, "revisionHistoryLimit": 3, "selector": ["matchLabels": Self.selector],
                        "template": ["metadata": ["labels": Self.labels], "spec": podSpec],
                    ]
                )
            ])
    }

    private var podSpec: JSON {
        [
            "containers": [container],
            "enableServiceLinks": false,
            "securityContext": ["runAsNonRoot": true, "seccompProfile": ["type": "RuntimeDefault"]],
            "serviceAccountName": .string(Self.name),
            "topologySpreadConstraints": [
                [
                    "labelSelector": ["matchLabels": Self.selector], "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                ]
            ],
        ]
    }

    private var container: JSON {
        let arguments = ["operator", "--leader-elect"] + (watchNamespace.map { ["--namespace=\($0)"] } ?? [])
        return [
            "args": .array(arguments.map(JSON.string)),
            "image": .string(image),
            "imagePullPolicy": "IfNotPresent",
            "livenessProbe": Self.probe("/livez", periodSeconds: 20),
            "name": "operator",
            "ports": [["containerPort": Self.metricsPort, "name": "metrics", "protocol": "TCP"]],
            "readinessProbe": Self.probe("/readyz", periodSeconds: 10),
            "resources": ["limits": ["memory": "512Mi"], "requests": ["cpu": "100m", "memory": "128Mi"]],
            "securityContext": [
                "allowPrivilegeEscalation": false, "capabilities": ["drop": ["ALL"]], "readOnlyRootFilesystem": true,
            ],
            // So that `kubectl describe pod` shows the line that says why the operator ended.
            "terminationMessagePolicy": "FallbackToLogsOnError",
        ]
    }

    /// Its liveness asks the API server, and waits five seconds for it.
    private static func probe(_ path: String, periodSeconds: Int) -> JSON {
        [
            "failureThreshold": 3, "httpGet": ["path": .string(path), "port": "metrics"],
            "periodSeconds": JSON(periodSeconds), "timeoutSeconds": 7,
        ]
    }
}
