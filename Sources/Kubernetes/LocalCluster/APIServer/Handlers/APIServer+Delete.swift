internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

/// How a delete ended.
enum Deletion: Sendable {
    /// The object is gone; this is what it was.
    case gone(JSON)
    /// The object stays until its finalizers, its grace period or its content are done with.
    case pending(JSON)

    var object: JSON {
        switch self {
        case .gone(let object), .pending(let object): object
        }
    }
}

extension APIServer {
    func delete(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let options = try DeleteOptions(request)
        let deletion = try await delete(request, options)
        switch deletion {
        case .pending(let object):
            return try respond(with: object, to: request, status: options.answersAccepted ? 202 : 200)
        case .gone(let object):
            if request.resource.returnsDeletedObject { return try respond(with: object, to: request) }
            return .json(200, request.resource.deletedStatus(of: object))
        }
    }

    func deleteCollection(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let options = try DeleteOptions(request)
        let page = try page(request, try ListOptions(request, isWatch: false))
        var items: [JSON] = []
        for stored in page.objects {
            var one = options
            one.uid = nil
            do throws(StatusError) {
                items.append(try await delete(request.about(stored), one).object)
            } catch {
                // Somebody else was faster.
                guard error.code == 404 else { throw error }
            }
        }
        return .json(
            200,
            [
                "kind": .string("\(request.resource.type.kind)List"),
                "apiVersion": .string(request.resource.type.apiVersion), "metadata": page.metadata,
                "items": .array(items),
            ])
    }

    /// Deletes the object that the path names, or starts to; again when another write comes between.
    func delete(_ request: ResourceRequest, _ options: DeleteOptions) async throws(StatusError) -> Deletion {
        let resource = request.resource
        let name = request.name ?? ""
        while true {
            guard let stored = store.object(request.key, in: request.table) else { throw .notFound(resource, name) }
            let object = try resource.object(from: stored)
            try admitDelete(object, request)
            try checkPreconditions(options, object, resource)
            if let deletion = try await step(object, stored, request, options) { return deletion }
        }
    }

    func checkPreconditions(
        _ options: DeleteOptions, _ object: JSON, _ resource: ServedResource
    ) throws(StatusError) {
        let name = object.at("metadata", "name")?.string ?? ""
        let uid = object.at("metadata", "uid")?.string ?? ""
        let version = object.at("metadata", "resourceVersion")?.string ?? ""
        if let wanted = options.uid, wanted != uid {
            throw .conflict(
                resource, name,
                "the UID in the precondition (\(wanted)) does not match the UID in record (\(uid)). "
                    + "The object might have been deleted and then recreated")
        }
        if let wanted = options.resourceVersion, wanted != version {
            throw .conflict(
                resource, name,
                "the ResourceVersion in the precondition (\(wanted)) does not match the ResourceVersion in record "
                    + "(\(version)). The object might have been modified")
        }
    }

    /// Nil when another write came between.
    private func step(
        _ object: JSON, _ stored: StoredObject, _ request: ResourceRequest, _ options: DeleteOptions
    ) async throws(StatusError) -> Deletion? {
        let resource = request.resource
        let marked = DeletionMark.marked(object, resource, options, now: configuration.now())
        if marked == object, !resource.isFinished(marked) { return .pending(object) }
        do throws(StoreError) {
            if resource.isFinished(marked) {
                guard !options.isDryRun else { return .gone(object) }
                let (_, revision) = try await store.commit(.delete(stored), to: request.table) {
                    didDelete(object, resource)
                }
                await quotasChanged(in: request.namespace, by: resource)
                var gone = object
                gone.set(.string(String(revision)), at: "metadata", "resourceVersion")
                return .gone(gone)
            }
            guard !options.isDryRun else { return .pending(marked) }
            let encoded = resource.encode(marked, key: stored.key)
            let (_, revision) = try await store.commit(.update(encoded, replacing: stored), to: request.table) {
                didWrite(stored.key, resource)
            }
            var pending = marked
            pending.set(.string(String(revision)), at: "metadata", "resourceVersion")
            return .pending(pending)
        } catch {
            guard case .changed = error else { throw StatusError(error) }
            return nil
        }
    }
}

extension ResourceRequest {
    /// The same request about one object of a list.
    func about(_ stored: StoredObject) -> ResourceRequest {
        ResourceRequest(
            request: request, query: query, user: user, resource: resource,
            path: path.about(namespace: stored.namespace.map(String.init), name: String(stored.name)), verb: "delete")
    }
}

extension ServedResource {
    /// Kinds whose DELETE answers with the object instead of a Status.
    var returnsDeletedObject: Bool {
        let plurals: Set = [
            "pods", "services", "serviceaccounts", "persistentvolumes", "persistentvolumeclaims", "podtemplates",
            "resourcequotas", "replicationcontrollers", "nodes",
        ]
        return isBuiltin && type.group.isEmpty && plurals.contains(type.plural)
    }

    /// `Status` Success, as a finished delete answers.
    func deletedStatus(of object: JSON) -> JSON {
        var details: JSON = ["name": object.at("metadata", "name") ?? ""]
        if !type.group.isEmpty { details["group"] = .string(type.group) }
        details["kind"] = .string(type.plural)
        details["uid"] = object.at("metadata", "uid")
        return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details]
    }
}
