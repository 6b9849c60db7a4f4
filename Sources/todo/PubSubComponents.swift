import KubernetesClient
import StructuredData

/// The Dapr components that the services of an app publish and subscribe by. On one machine they stand for the embedded
/// topic log, which every component with the same brokers shares.
enum PubSubComponents {
    static let type = ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Component", plural: "components")

    /// One consumer group for each service: its replicas share the work, and begin with the first event there is.
    private static let shared: JSON = component(
        "todo-pubsub", [("initialOffset", "oldest")])

    /// One for each replica: every one sees every event from now on.
    private static let broadcast: JSON = component(
        "todo-broadcast", [("initialOffset", "newest"), ("consumerID", "{podName}")])

    static func all(in namespace: String) -> [KubernetesObject] {
        [shared, broadcast].map { component in
            var object = KubernetesObject(component)
            object.json.set(.string(namespace), at: "metadata", "namespace")
            return object
        }
    }

    private static func component(_ name: String, _ own: [(name: String, value: String)]) -> JSON {
        let values = [("brokers", "localhost:9092"), ("authType", "none")] + own
        return [
            "apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": ["name": .string(name)],
            "spec": [
                "type": "pubsub.kafka", "version": "v1",
                "metadata": .array(values.map { ["name": .string($0.0), "value": .string($0.1)] }),
            ],
        ]
    }
}
