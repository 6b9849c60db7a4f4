internal import StructuredData
internal import TodoResources

extension DesiredState {
    /// The pods of the HTTP API, hardened as the "restricted" Pod Security Standard asks.
    static func deployment(of app: TodoApp, inputs: DesiredStateInputs) -> JSON {
        let names = AppNames(app)
        let selector: JSON = ["matchLabels": JSON(names.selector("api"))]
        return [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("api", of: app),
            "spec": [
                "progressDeadlineSeconds": 600,
                "replicas": JSON(app.spec.services.api.replicas),
                "revisionHistoryLimit": 3,
                "selector": selector,
                // A pod more while rolling, none less: the service keeps its capacity.
                "strategy": ["rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0], "type": "RollingUpdate"],
                "template": [
                    "metadata": [
                        "annotations": [Label.secretChecksum: .string(inputs.secretChecksum)],
                        "labels": JSON(names.labels("api")),
                    ],
                    "spec": podSpec(of: app, selector: selector, inputs: inputs),
                ],
            ],
        ]
    }

    private static func podSpec(of app: TodoApp, selector: JSON, inputs: DesiredStateInputs) -> JSON {
        [
            "automountServiceAccountToken": false,
            "containers": [container(of: app, inputs: inputs)],
            "enableServiceLinks": false,
            "securityContext": [
                "fsGroup": 65532, "runAsGroup": 65532, "runAsNonRoot": true, "runAsUser": 65532,
                "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "serviceAccountName": .string(AppNames(app).service("api")),
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

    private static func container(of app: TodoApp, inputs: DesiredStateInputs) -> JSON {
        [
            "args": ["serve", "api"],
            "env": .array(environment(of: app, inputs: inputs)),
            "image": .string(app.spec.image),
            "imagePullPolicy": "IfNotPresent",
            "livenessProbe": probe("/livez", periodSeconds: 10, failureThreshold: 3),
            "name": "api",
            "ports": [["containerPort": JSON(apiPort), "name": "http", "protocol": "TCP"]],
            "readinessProbe": probe("/readyz", periodSeconds: 5, failureThreshold: 2),
            "resources": resources(app.spec.services.api.resources),
            "securityContext": [
                "allowPrivilegeEscalation": false, "capabilities": ["drop": ["ALL"]], "readOnlyRootFilesystem": true,
            ],
            "startupProbe": probe("/livez", periodSeconds: 1, failureThreshold: 60),
            // So that `kubectl describe pod` shows the line that says why a service ended.
            "terminationMessagePolicy": "FallbackToLogsOnError",
        ]
    }

    private static func environment(of app: TodoApp, inputs: DesiredStateInputs) -> [JSON] {
        let database = app.spec.database
        var variables = [secret("DATABASE_URI", database.secretRef.name, "uri")]
        if inputs.hasDirectURI { variables.append(secret("DATABASE_DIRECT_URI", database.secretRef.name, "directUri")) }
        variables += [
            value("DATABASE_TLS_MODE", database.tlsMode.sslMode),
            value("POOL_SIZE", "\(database.poolSize)"),
            value("PORT", "\(apiPort)"),
            secret("TODO_API_TOKEN", AppNames(app).apiTokenSecret, "token"),
        ]
        return variables
    }

    private static func value(_ name: String, _ value: String) -> JSON {
        ["name": .string(name), "value": .string(value)]
    }

    private static func secret(_ name: String, _ secret: String, _ key: String) -> JSON {
        ["name": .string(name), "valueFrom": ["secretKeyRef": ["key": .string(key), "name": .string(secret)]]]
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
