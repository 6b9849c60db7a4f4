internal import APIServerKinds
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// What stands between a valid request and the store, as the admission plug-ins that kube-apiserver has on by default.
extension APIServer {
    private static let namespaces = TableID(group: "", plural: "namespaces")
    static let priorities = TableID(group: "scheduling.k8s.io", plural: "priorityclasses")
    private static let immortalNamespaces: Set = ["default", "kube-system", "kube-public"]

    /// - Returns: what the object is in, which must still be so when it is stored: else it could come after that was emptied.
    func admitCreate(_ object: inout JSON, _ request: ResourceRequest) throws(StatusError) -> [StorePremise] {
        let namespace = try livingNamespace(of: request, name: object.at("metadata", "name")?.string)
        let definition = try livingDefinition(of: request)
        if request.resource.table == TableID(group: "", plural: "pods") {
            try setPriority(&object, request)
            try setServiceAccount(&object, request)
        }
        try applyLimitRanges(&object, request)
        return [namespace, definition].compactMap(\.self)
    }

    func admitUpdate(_ object: inout JSON, old: JSON, _ request: ResourceRequest) throws(StatusError) {
        guard request.resource.table == Self.namespaces, request.subresource == nil else { return }
        // Only `finalize` may change what keeps a namespace.
        object.set(old.at("spec", "finalizers"), at: "spec", "finalizers")
    }

    func admitDelete(_ object: JSON, _ request: ResourceRequest) throws(StatusError) {
        guard request.resource.table == Self.namespaces, let name = request.name,
            Self.immortalNamespaces.contains(name)
        else { return }
        throw .forbidden(request.resource, name, "this namespace may not be deleted")
    }

    private func livingNamespace(of request: ResourceRequest, name: String?) throws(StatusError) -> StorePremise? {
        guard request.resource.type.namespaced, let namespace = request.namespace else { return nil }
        guard let stored = store.object(namespace, in: Self.namespaces) else {
            var error = StatusError(404, "NotFound", "namespaces \(quoted(namespace)) not found")
            error.name = namespace
            error.kind = "namespaces"
            throw error
        }
        guard stored.isBeingDeleted else { return StorePremise(table: Self.namespaces, object: stored) }
        var error = StatusError.forbidden(
            request.resource, name,
            "unable to create new content in namespace \(namespace) because it is being terminated")
        error.causes = [
            .init(
                reason: "NamespaceTerminating", message: "namespace \(namespace) is being terminated",
                field: "metadata.namespace")
        ]
        throw error
    }

    private func livingDefinition(of request: ResourceRequest) throws(StatusError) -> StorePremise? {
        guard request.resource.isCustom else { return nil }
        let name = "\(request.resource.type.plural).\(request.resource.type.group)"
        guard let stored = store.object(name, in: Self.definitions) else { throw .noSuchResource() }
        guard stored.isBeingDeleted else {
            return StorePremise(table: Self.definitions, object: stored)
        }
        throw StatusError(
            405, "MethodNotAllowed", "create not allowed while custom resource definition is terminating")
    }

    /// Gives a pod the amounts that the namespace's limit ranges default; refuses what is out of their bounds.
    private func applyLimitRanges(_ object: inout JSON, _ request: ResourceRequest) throws(StatusError) {
        let table = request.resource.table
        guard table.group.isEmpty, ["pods", "persistentvolumeclaims"].contains(table.plural) else { return }
        let isPod = table.plural == "pods"
        let prefix = "\(request.namespace ?? "")/"
        var iterator = store.objects(in: TableID(group: "", plural: "limitranges")).objects.iterator(from: prefix)
        while let stored = iterator.next(), stored.key.hasPrefix(prefix) {
            guard let json = try? JSON(parsing: stored.bytes) else { continue }
            let range = LimitRange(json)
            if isPod { range.applyDefaults(to: &object) }
            let faults = isPod ? range.faults(ofPod: object) : range.faults(ofClaim: object)
            guard !faults.isEmpty else { continue }
            let name = object.at("metadata", "name")?.string ?? object.at("metadata", "generateName")?.string
            throw .forbidden(
                request.resource, name, faults.count == 1 ? faults[0] : "[\(faults.joined(separator: ", "))]")
        }
    }

    /// Gives a pod the priority of its class, or of the class that is everybody's.
    private func setPriority(_ pod: inout JSON, _ request: ResourceRequest) throws(StatusError) {
        let classes = store.objects(in: Self.priorities).objects.compactMap { try? JSON(parsing: $0.bytes) }
        let wanted = pod.at("spec", "priorityClassName")?.string ?? ""
        let found = classes.first {
            wanted.isEmpty ? $0["globalDefault"]?.bool == true : $0.at("metadata", "name")?.string == wanted
        }
        guard let found else {
            guard !wanted.isEmpty else { return }
            throw .forbidden(
                request.resource, pod.at("metadata", "name")?.string ?? pod.at("metadata", "generateName")?.string,
                "no PriorityClass with name \(wanted) was found")
        }
        pod.set(found.at("metadata", "name"), at: "spec", "priorityClassName")
        pod.set(found["value"], at: "spec", "priority")
        pod.set(found["preemptionPolicy"], at: "spec", "preemptionPolicy")
    }

    private func setServiceAccount(_ pod: inout JSON, _ request: ResourceRequest) throws(StatusError) {
        guard pod.at("metadata", "annotations", "kubernetes.io/config.mirror") == nil else { return }
        let given = pod.at("spec", "serviceAccountName")?.string ?? pod.at("spec", "serviceAccount")?.string ?? ""
        let account = given.isEmpty ? "default" : given
        let namespace = request.namespace ?? ""
        guard store.object("\(namespace)/\(account)", in: TableID(group: "", plural: "serviceaccounts")) != nil else {
            throw .forbidden(
                request.resource, pod.at("metadata", "name")?.string ?? pod.at("metadata", "generateName")?.string,
                "error looking up service account \(namespace)/\(account): serviceaccount \(quoted(account)) not found")
        }
        pod.set(.string(account), at: "spec", "serviceAccountName")
        pod.set(.string(account), at: "spec", "serviceAccount")
    }
}
