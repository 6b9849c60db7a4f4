internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

extension APIServer {
    func writeContext(_ user: UserInfo, addresses: AddressTransaction) -> WriteContext {
        WriteContext(
            now: nowText, user: user.name, makeUID: { UUID.make() }, makeNameSuffix: { UUID.nameSuffix() },
            addresses: addresses)
    }

    /// Notes in managedFields what this write changes.
    func recordManagers(_ object: inout JSON, old: JSON?, _ request: ResourceRequest, options: WriteOptions) {
        guard let schema = request.resource.schema else { return }
        object = ManagedFields.recordUpdate(
            old: old, new: object, manager: options.fieldManager, subresource: request.subresource,
            apiVersion: request.resource.type.apiVersion, schema: schema,
            resetFields: request.resetFields, time: nowText)
    }

    /// What follows from a stored write.
    func didWrite(_ key: String, _ resource: ServedResource) {
        if resource.table == Self.definitions { definitionChanged(key) }
    }

    /// What follows from a removal.
    func didDelete(_ object: JSON, _ resource: ServedResource) {
        if resource.table == TableID(group: "", plural: "services") { serviceAddresses.release(object) }
        if resource.table == Self.definitions, let name = object.at("metadata", "name")?.string {
            definitionChanged(name)
            serveWaitingDefinitions()
        }
    }
}

extension ResourceRequest {
    /// What this request cannot change, and so never owns.
    var resetFields: [[String]] {
        switch subresource {
        case "status": [["spec"]]
        case nil where resource.hasStatus: [["status"]]
        default: []
        }
    }

    /// A request of the server itself.
    init(resource: ServedResource, namespace: String?, name: String, user: UserInfo, subresource: String? = nil) {
        let target = resource.type.path(namespace: namespace, name: name, subresource: subresource)
        let headers: HTTPFields = [.userAgent: "kube-apiserver"]
        self.init(
            request: APIRequest(method: .put, target: target, headers: headers, credentials: .user(user)),
            query: Query(""), user: user, resource: resource,
            path: ResourcePath(resource.type, namespace: namespace, name: name, subresource: subresource),
            verb: "update")
    }
}
