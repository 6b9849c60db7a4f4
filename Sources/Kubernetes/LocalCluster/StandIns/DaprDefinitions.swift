internal import StructuredData

/// The kinds of the group dapr.io that the stand-in honours, as CustomResourceDefinitions. Their fields are those of
/// Dapr 1.18; what is kept but not looked at is not spelled out.
enum DaprDefinitions {
    static func all() throws -> [JSON] {
        try [
            definition("Component", "components", "v1alpha1", component),
            definition("Subscription", "subscriptions", "v2alpha1", subscription),
            definition("Resiliency", "resiliencies", "v1alpha1", resiliency),
            definition("Configuration", "configurations", "v1alpha1", configuration),
        ]
    }

    /// - Parameter properties: of the kind, besides what every kind has, in YAML.
    private static func definition(
        _ kind: String, _ plural: String, _ version: String, _ properties: String
    ) throws -> JSON {
        var schema: JSON = [
            "apiVersion": ["type": "string"], "kind": ["type": "string"], "metadata": ["type": "object"],
        ]
        for (name, property) in try YAML.parse(properties).first?.object ?? [:] { schema[name] = property }
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(plural).dapr.io"), "labels": ["app.kubernetes.io/part-of": "dapr"]],
            "spec": [
                "group": "dapr.io", "scope": "Namespaced",
                "names": [
                    "kind": .string(kind), "listKind": .string("\(kind)List"), "plural": .string(plural),
                    "singular": .string(kind.lowercased()),
                ],
                "versions": [
                    [
                        "name": .string(version), "served": true, "storage": true,
                        "schema": ["openAPIV3Schema": ["type": "object", "properties": schema]],
                    ]
                ],
            ],
        ]
    }

    private static let component = """
        auth: {type: object, required: [secretStore], properties: {secretStore: {type: string}}}
        scopes: {type: array, items: {type: string}}
        spec:
          type: object
          required: [type, version, metadata]
          properties:
            type: {type: string}
            version: {type: string}
            ignoreErrors: {type: boolean}
            initTimeout: {type: string}
            metadata:
              type: array
              items:
                type: object
                required: [name]
                properties:
                  name: {type: string}
                  envRef: {type: string}
                  value: {x-kubernetes-preserve-unknown-fields: true}
                  secretKeyRef:
                    type: object
                    required: [name]
                    properties: {name: {type: string}, key: {type: string}}
        """

    private static let subscription = """
        scopes: {type: array, items: {type: string}}
        spec:
          type: object
          required: [pubsubname, topic, routes]
          properties:
            pubsubname: {type: string}
            topic: {type: string}
            deadLetterTopic: {type: string}
            metadata: {type: object, additionalProperties: {type: string}}
            bulkSubscribe:
              type: object
              required: [enabled]
              properties:
                enabled: {type: boolean}
                maxMessagesCount: {type: integer, format: int32}
                maxAwaitDurationMs: {type: integer, format: int32}
            routes:
              type: object
              properties:
                default: {type: string}
                rules:
                  type: array
                  items:
                    type: object
                    required: [match, path]
                    properties: {match: {type: string}, path: {type: string}}
        """

    private static let resiliency = """
        scopes: {type: array, items: {type: string}}
        spec:
          type: object
          required: [policies, targets]
          properties:
            policies:
              type: object
              properties:
                timeouts: {type: object, additionalProperties: {type: string}}
                retries:
                  type: object
                  additionalProperties:
                    type: object
                    properties:
                      policy: {type: string}
                      duration: {type: string}
                      maxInterval: {type: string}
                      maxRetries: {type: integer}
                      matching:
                        type: object
                        properties: {httpStatusCodes: {type: string}, gRPCStatusCodes: {type: string}}
                circuitBreakers:
                  type: object
                  additionalProperties:
                    type: object
                    properties:
                      maxRequests: {type: integer}
                      interval: {type: string}
                      timeout: {type: string}
                      trip: {type: string}
            targets: {type: object, x-kubernetes-preserve-unknown-fields: true}
        """

    private static let configuration = """
        spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
        """
}
