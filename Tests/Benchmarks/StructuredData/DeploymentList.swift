import StructuredData

/// A `DeploymentList` as kubectl gets it, about 4.4 KB per item, managed fields included.
enum DeploymentList {
    static func bytes(count: Int) -> [UInt8] {
        var bytes = Array(
            #"{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"1048576"},"items":["#.utf8)
        for index in 0..<count {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            deployment(index).write(into: &bytes)
        }
        bytes += Array("]}".utf8)
        return bytes
    }

    static func deployment(_ index: Int) -> JSON {
        let name = "service-\(index)"
        let labels: JSON = [
            "app.kubernetes.io/name": .string(name), "app.kubernetes.io/instance": "todo",
            "app.kubernetes.io/managed-by": "todo-operator", "app.kubernetes.io/part-of": "todo",
        ]
        let condition: (String, String, String) -> JSON = { type, reason, message in
            [
                "type": .string(type), "status": "True", "reason": .string(reason), "message": .string(message),
                "lastUpdateTime": "2026-01-02T03:04:05Z", "lastTransitionTime": "2026-01-02T03:04:05Z",
            ]
        }
        return [
            "metadata": [
                "name": .string(name), "namespace": .string("namespace-\(index % 100)"),
                "uid": .string("6f1c2b1e-8a5d-4c1b-9b0a-\(100_000_000_000 + index)"),
                "resourceVersion": .string(String(1000 + index)), "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z", "labels": labels,
                "annotations": [
                    "deployment.kubernetes.io/revision": "3",
                    "todo-operator.dev/checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "description": "line one\nsays \"hello\" to everyone",
                ],
                "managedFields": [managedFields("todo-operator"), managedFields("kube-controller-manager")],
            ],
            "spec": [
                "replicas": 3, "selector": ["matchLabels": labels],
                "template": ["metadata": ["creationTimestamp": nil, "labels": labels], "spec": podSpec(index)],
                "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxUnavailable": "25%", "maxSurge": "25%"]],
                "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            ],
            "status": [
                "observedGeneration": 3, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
                "availableReplicas": 3,
                "conditions": [
                    condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability."),
                    condition(
                        "Progressing", "NewReplicaSetAvailable",
                        "ReplicaSet \"\(name)-5d4f8c7b9\" has successfully progressed."),
                ],
            ],
        ]
    }

    private static func managedFields(_ manager: String) -> JSON {
        [
            "manager": .string(manager), "operation": "Apply", "apiVersion": "apps/v1",
            "time": "2026-01-02T03:04:05Z", "fieldsType": "FieldsV1",
            "fieldsV1": [
                "f:metadata": ["f:labels": ["f:app.kubernetes.io/name": [:], "f:app.kubernetes.io/instance": [:]]],
                "f:spec": [
                    "f:replicas": [:], "f:selector": [:],
                    "f:template": [
                        "f:spec": [
                            "f:containers": [
                                "k:{\"name\":\"main\"}": [
                                    ".": [:], "f:image": [:], "f:name": [:], "f:env": [:], "f:ports": [:],
                                    "f:resources": ["f:limits": ["f:memory": [:]], "f:requests": ["f:cpu": [:]]],
                                ]
                            ]
                        ]
                    ],
                ],
            ],
        ]
    }

    private static func podSpec(_ index: Int) -> JSON {
        let env: [JSON] = (0..<8).map { ["name": .string("SETTING_\($0)"), "value": .string("value-\(index)-\($0)")] }
        let probe: (String) -> JSON = { path in
            [
                "httpGet": ["path": .string(path), "port": 8080, "scheme": "HTTP"], "timeoutSeconds": 1,
                "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
            ]
        }
        return [
            "containers": [
                [
                    "name": "main", "image": "ghcr.io/todo-operator/todo:1.0.0", "args": ["serve", "api"],
                    "ports": [["name": "http", "containerPort": 8080, "protocol": "TCP"]], "env": .array(env),
                    "resources": [
                        "limits": ["memory": "256Mi"], "requests": ["cpu": "50m", "memory": "128Mi"],
                    ],
                    "livenessProbe": probe("/livez"), "readinessProbe": probe("/readyz"),
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": [
                        "capabilities": ["drop": ["ALL"]], "runAsNonRoot": true, "readOnlyRootFilesystem": true,
                        "allowPrivilegeEscalation": false, "seccompProfile": ["type": "RuntimeDefault"],
                    ],
                ]
            ],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "todo-api", "serviceAccount": "todo-api", "automountServiceAccountToken": false,
            "securityContext": ["runAsNonRoot": true], "schedulerName": "default-scheduler",
            "topologySpreadConstraints": [
                [
                    "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": ["matchLabels": ["app.kubernetes.io/name": "todo"]],
                ]
            ],
        ]
    }
}
