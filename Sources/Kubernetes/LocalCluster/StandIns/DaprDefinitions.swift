internal import StructuredData

/// The kinds of the group dapr.io that the stand-in honours, as CustomResourceDefinitions. Their fields are those of
/// Dapr 1.18; what is kept but not looked at is not spelled out.
enum DaprDefinitions {
    static func all() throws -> [JSON] { try YAML.parse(text) }

    private static let text = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: components.dapr.io, labels: {app.kubernetes.io/part-of: dapr}}
        spec:
          group: dapr.io
          scope: Namespaced
          names: {kind: Component, listKind: ComponentList, plural: components, singular: component}
          versions:
            - name: v1alpha1
              served: true
              storage: true
              schema:
                openAPIV3Schema:
                  type: object
                  properties:
                    apiVersion: {type: string}
                    kind: {type: string}
                    metadata: {type: object}
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
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: subscriptions.dapr.io, labels: {app.kubernetes.io/part-of: dapr}}
        spec:
          group: dapr.io
          scope: Namespaced
          names: {kind: Subscription, listKind: SubscriptionList, plural: subscriptions, singular: subscription}
          versions:
            - name: v2alpha1
              served: true
              storage: true
              schema:
                openAPIV3Schema:
                  type: object
                  properties:
                    apiVersion: {type: string}
                    kind: {type: string}
                    metadata: {type: object}
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
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: resiliencies.dapr.io, labels: {app.kubernetes.io/part-of: dapr}}
        spec:
          group: dapr.io
          scope: Namespaced
          names: {kind: Resiliency, listKind: ResiliencyList, plural: resiliencies, singular: resiliency}
          versions:
            - name: v1alpha1
              served: true
              storage: true
              schema:
                openAPIV3Schema:
                  type: object
                  properties:
                    apiVersion: {type: string}
                    kind: {type: string}
                    metadata: {type: object}
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
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: configurations.dapr.io, labels: {app.kubernetes.io/part-of: dapr}}
        spec:
          group: dapr.io
          scope: Namespaced
          names: {kind: Configuration, listKind: ConfigurationList, plural: configurations, singular: configuration}
          versions:
            - name: v1alpha1
              served: true
              storage: true
              schema:
                openAPIV3Schema:
                  type: object
                  properties:
                    apiVersion: {type: string}
                    kind: {type: string}
                    metadata: {type: object}
                    spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
        """
}
