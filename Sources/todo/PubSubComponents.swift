import KubernetesClient
import StructuredData

/// The Dapr objects that the services of an app publish and subscribe by. On one machine they stand for the embedded
/// topic log, which every component with the same brokers shares.
enum PubSubComponents {
    private static let componentType = ResourceType(
        group: "dapr.io", version: "v1alpha1", kind: "Component", plural: "components")
    private static let resiliencyType = ResourceType(
        group: "dapr.io", version: "v1alpha1", kind: "Resiliency", plural: "resiliencies")

    /// One consumer group for each service: its replicas share the work, and begin with the first event there is.
    private static let shared: JSON = component(
        "todo-pubsub", [("initialOffset", "oldest")])

    /// One for each replica: every one sees every event from now on.
    private static let broadcast: JSON = component(
        "todo-broadcast", [("initialOffset", "newest"), ("consumerID", "{podName}")])

    /// What a service did not take comes again until it does. Without this, Dapr hands the events that come while the audit
    /// service is down to its dead letters, and the log would lack them.
    private static let resiliency: JSON = [
        "apiVersion": .string(resiliencyType.apiVersion), "kind": .string(resiliencyType.kind),
        "metadata": ["name": "todo-delivery"],
        "spec": [
            "policies": ["retries": ["untilTaken": ["policy": "exponential", "maxInterval": "5s", "maxRetries": -1]]],
            "targets": [
                "components": [
                    "todo-pubsub": ["inbound": ["retry": "untilTaken"]],
                    "todo-broadcast": ["inbound": ["retry": "untilTaken"]],
                ]
            ],
        ],
    ]

    static func all(in namespace: String) -> [(type: ResourceType, object: KubernetesObject)] {
        [(componentType, shared), (componentType, broadcast), (resiliencyType, resiliency)].map { type, json in
            var object = KubernetesObject(json)
            object.json.set(.string(namespace), at: "metadata", "namespace")
            return (type, object)
        }
    }

    private static func component(_ name: String, _ own: [(name: String, value: String)]) -> JSON {
        let values = [("brokers", "localhost:9092"), ("authType", "none")] + own
        return [
            "apiVersion": .string(componentType.apiVersion), "kind": .string(componentType.kind),
            "metadata": ["name": .string(name)],
            "spec": [
                "type": "pubsub.kafka", "version": "v1",
                "metadata": .array(values.map { ["name": .string($0.0), "value": .string($0.1)] }),
            ],
        ]
    }
}
