import KubernetesClient
import StructuredData
import TodoResources

/// The TodoApp of `todo up` without a file: that of `manifests/samples/todoapp.yaml`.
enum Sample {
    static let todoApp: JSON = [
        "apiVersion": .string(TodoGroup.todoApp.apiVersion), "kind": .string(TodoGroup.todoApp.kind),
        "metadata": ["name": "todo", "namespace": "todo"],
        "spec": ["database": ["secretRef": ["name": "todo-db"]]],
    ]
}
