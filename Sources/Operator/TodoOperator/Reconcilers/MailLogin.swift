internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// The Secret with the login of the mail server.
struct MailLogin {
    let reference: ControllerRuntime.ObjectReference

    /// Nil when the app sends no mail, or needs no login for it.
    init?(of app: TodoApp) {
        guard let name = app.spec.notifications.email?.secretRef?.name else { return nil }
        reference = ControllerRuntime.ObjectReference(
            GeneratedSecret.type, namespace: app.metadata.namespace, name: name)
    }

    /// What of it the pods read. Throws `Hindrance` when a pod could not start with it.
    func read(in context: ReconcileContext) async throws -> [String] {
        let name = "Secret \(reference.key)"
        let found: KubernetesObject?
        do { found = try await context.read(reference) } catch let error as APIError where error.isForbidden {
            throw AppObservation.Hindrance.mailLogin(
                "the operator may not read \(name); let its ServiceAccount get secrets in that namespace")
        }
        guard let found else {
            throw AppObservation.Hindrance.mailLogin(
                "\(name) of spec.notifications.email does not exist; create it with the keys username and password")
        }
        return try ["username", "password"].map { key in
            guard let value = found.json.at("data", key)?.string, !value.isEmpty else {
                throw AppObservation.Hindrance.mailLogin(
                    "\(name) of spec.notifications.email has no key \(key); add it")
            }
            return value
        }
    }
}
