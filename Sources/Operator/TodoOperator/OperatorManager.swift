public import ControllerRuntime
internal import KubernetesClient
public import Logging
internal import StructuredData
internal import TodoResources

/// The operator: a `Manager` with the informers and controllers of our kinds.
public enum OperatorManager {
    public struct Options: Sendable {
        /// Nil watches all namespaces.
        public var namespace: String?
        public var workers = 8
        public var manager: Manager.Options

        public init(manager: Manager.Options) { self.manager = manager }
    }

    /// - Parameter database: how databases are migrated.
    public static func make(
        client: any ObjectClient, database: any DatabasePreparing, options: Options,
        time: any TimeSource = SystemTime(), logger: Logger
    ) -> Manager {
        let manager = Manager(client: client, options: options.manager, time: time, logger: logger)
        let apps = manager.informer(TodoGroup.todoApp, Informer.Options(namespace: options.namespace))
        let reconciler = TodoAppReconciler(database: database)
        var controllerOptions = Controller.Options()
        controllerOptions.workers = options.workers
        let controller = manager.controller("todoapp", for: apps, options: controllerOptions) { context in
            try await reconciler.reconcile(context)
        }
        // Only what carries our label is watched, so that other people's objects take no memory here.
        let ours = "\(Label.managedBy)=\(Label.operatorName)"
        for type in DesiredState.childTypes {
            // Of what we applied the digest is kept, and of a Deployment the status is read.
            let informer = manager.informer(
                type,
                Informer.Options(namespace: options.namespace, labelSelector: ours) { $0.json["spec"] = nil })
            let isDeployment = type == DesiredState.deploymentType
            controller.owns(
                informer, when: isDeployment ? .ownedFieldsChanged || .rolloutMoved : .ownedFieldsChanged)
        }
        // The Secrets that the operator makes, by our label; absent where it may not list Secrets. What users own is
        // followed by name.
        controller.owns(
            manager.informer(
                GeneratedSecret.type,
                Informer.Options(namespace: options.namespace, labelSelector: ours, isOptional: true)))
        return manager
    }
}
