import KubernetesClient
import StructuredData
import TodoResources

/// The TodoApp of `todo up` without a file: that of `manifests/samples/todoapp.yaml`.
enum Sample {
    static let todoApp: JSON = [
        "apiVersion": .string(TodoGroup.todoApp.apiVersion), "kind": .string(TodoGroup.todoApp.kind),
        "metadata": ["name": "todo", "namespace": "todo"],
        "spec": [
            "auth": ["signUp": "Open"],
            "database": ["secretRef": ["name": "todo-db"]],
            "services": [
                "api": ["replicas": 2], "audit": ["replicas": 1], "notification": ["replicas": 1],
                "realtime": ["replicas": 2],
            ],
        ],
    ]
}
