internal import ControllerRuntime
internal import KubernetesClient
internal import TodoResources

/// The TodoApp that another object names.
enum FoundApp {
    case none
    /// It is there, or may be, and what it says is not known.
    case unreadable
    case some(TodoApp)
}

extension ReconcileContext {
    /// The TodoApp of this name in the namespace of the object.
    func app(_ name: String) -> FoundApp {
        guard let found = store(TodoGroup.todoApp)?.get(namespace: key.namespace, name: name) else {
            return knows(TodoGroup.todoApp) ? .none : .unreadable
        }
        guard let app = try? TodoApp(stored: found.json) else { return .unreadable }
        return .some(app)
    }
}

extension TodoApp {
    var isBeingDeleted: Bool { metadata.deletionTimestamp != nil }
}
