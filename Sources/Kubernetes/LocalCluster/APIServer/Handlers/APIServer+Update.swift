internal import APIServerKinds
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// How a change treats managedFields and stale versions.
struct UpdateRules: Sendable {
    /// managedFields are already what an apply made them.
    var isApplied = false
    var subresource: String?
    /// The client named the version that it saw; a change in between is a conflict, not a reason to try again.
    var mayRetry = true
}

/// What an update came to.
struct UpdateResult: Sendable {
    var object: JSON
    var old: JSON
}

extension APIServer {
    /// PUT.
    func update(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let options = try WriteOptions(request, kind: "UpdateOptions")
        var warnings: [String] = []
        var object = try request.decodedBody(options: options, warnings: &warnings)
        try request.bind(&object)
        let name = request.name ?? ""
        if store.object(request.key, in: request.table) == nil, request.subresource == nil,
            request.resource.strategy.allowsCreateOnUpdate
        {
            let created = try await create(object, request, options: options)
            return try respond(with: created, to: request, status: 201, warnings: warnings)
        }
        let revision = object.at("metadata", "resourceVersion")?.string ?? ""
        guard !revision.isEmpty || request.resource.strategy.allowsUnconditionalUpdate else {
            throw .invalid(
                request.resource, name,
                [
                    FieldError(
                        field: "metadata.resourceVersion", reason: .invalid,
                        message: "Invalid value: 0x0: must be specified for an update")
                ])
        }
        let wanted = object
        let rules = UpdateRules(subresource: request.subresource, mayRetry: revision.isEmpty)
        let result = try await change(request, options: options, rules: rules) { _ in wanted }
        warnings += request.resource.warnings(result.object, old: result.old)
        return try respond(with: result.object, to: request, warnings: warnings)
    }

    /// Replaces the object that the path names by what `transform` makes of it; again when another write comes between.
    ///
    /// An update that changes nothing is not written. One that takes the last finalizer of an object that is being
    /// deleted removes the object.
    func change(
        _ request: ResourceRequest, options: WriteOptions, rules: UpdateRules,
        transform: (JSON) throws(StatusError) -> JSON
    ) async throws(StatusError) -> UpdateResult {
        let resource = request.resource
        let name = request.name ?? ""
        for _ in 0..<100 {
            guard let stored = store.object(request.key, in: request.table) else { throw .notFound(resource, name) }
            let old = try resource.object(from: stored)
            let object = try transform(old)
            try checkPreconditions(of: object, against: old, stored, resource)
            if let result = try await commit(object, old: old, stored, request, options: options, rules: rules) {
                return result
            }
            guard rules.mayRetry else { break }
        }
        throw .conflict(resource, name)
    }

    /// Nil when another write came between.
    private func commit(
        _ wanted: JSON, old: JSON, _ stored: StoredObject, _ request: ResourceRequest, options: WriteOptions,
        rules: UpdateRules
    ) async throws(StatusError) -> UpdateResult? {
        var object = wanted
        let resource = request.resource
        let addresses = AddressTransaction(serviceAddresses)
        do throws(StatusError) {
            // Before anything is added: a manager owns what it sent and its defaults, not what the server fills in.
            if !rules.isApplied { recordManagers(&object, old: old, request, options: options) }
            try admitUpdate(&object, old: old, request)
            let context = writeContext(request.user, addresses: addresses)
            let errors = resource.prepareForUpdate(
                &object, old: old, subresource: rules.subresource, context: context)
            guard errors.isEmpty else { throw .invalid(resource, request.name ?? "", errors) }
            try checkEscalation(object, old: old, request)
            try checkQuota(object, old: old, request)
            object.set(old.at("metadata", "resourceVersion"), at: "metadata", "resourceVersion")
            let isFinished = resource.isFinished(object)
            if !isFinished, object.isSame(as: old) {
                addresses.rollBack()
                return UpdateResult(object: old, old: old)
            }
            if options.isDryRun {
                addresses.rollBack()
                return UpdateResult(object: object, old: old)
            }
            guard let revision = try await write(object, isFinished: isFinished, stored, request, addresses) else {
                addresses.rollBack()
                return nil
            }
            object.set(.string(String(revision)), at: "metadata", "resourceVersion")
            return UpdateResult(object: object, old: old)
        } catch {
            addresses.rollBack()
            throw error
        }
    }

    /// The revision of the write; nil when another came between.
    private func write(
        _ object: JSON, isFinished: Bool, _ stored: StoredObject, _ request: ResourceRequest,
        _ addresses: AddressTransaction
    ) async throws(StatusError) -> UInt64? {
        let resource = request.resource
        do throws(StoreError) {
            if isFinished {
                let (_, revision) = try await store.commit(.delete(stored), to: request.table) {
                    addresses.commit()
                    didDelete(object, resource)
                }
                await quotasChanged(in: request.namespace, by: resource)
                return revision
            }
            let encoded = resource.encode(object, key: request.key)
            let (_, revision) = try await store.commit(.update(encoded, replacing: stored), to: request.table) {
                addresses.commit()
                didWrite(stored.key, resource)
            }
            await quotasChanged(in: request.namespace, by: resource, subresource: request.subresource)
            return revision
        } catch {
            guard case .changed(let current) = error else { throw StatusError(error) }
            guard current != nil else { throw .notFound(resource, request.name ?? "") }
            return nil
        }
    }

    /// The version and the identity that the new state names must be those of the present one.
    private func checkPreconditions(
        of object: JSON, against old: JSON, _ stored: StoredObject, _ resource: ServedResource
    ) throws(StatusError) {
        let name = String(stored.name)
        if let revision = object.at("metadata", "resourceVersion")?.string, !revision.isEmpty {
            guard UInt64(revision) != nil else {
                throw .badRequest("invalid resourceVersion \(quoted(revision))")
            }
            guard revision == String(stored.revision) else { throw .conflict(resource, name) }
        }
        let uid = object.at("metadata", "uid")?.string ?? ""
        let present = old.at("metadata", "uid")?.string ?? ""
        guard uid.isEmpty || uid == present else {
            throw .conflict(
                resource, name, "Precondition failed: UID in precondition: \(uid), UID in object meta: \(present)")
        }
    }
}

extension ServedResource {
    /// Whether nothing holds an object any more that is being deleted.
    func isFinished(_ object: JSON) -> Bool {
        guard object.at("metadata", "deletionTimestamp")?.string != nil,
            object.at("metadata", "finalizers")?.array?.isEmpty ?? true,
            object.at("metadata", "deletionGracePeriodSeconds")?.int ?? 0 == 0
        else { return false }
        guard type.group.isEmpty, type.plural == "namespaces" else { return true }
        return object.at("spec", "finalizers")?.array?.isEmpty ?? true
    }
}

extension JSON {
    /// Equal but for the times in managedFields, which alone are no reason to write.
    func isSame(as other: JSON) -> Bool { self == other || withoutManagerTimes == other.withoutManagerTimes }

    private var withoutManagerTimes: JSON {
        guard let entries = at("metadata", "managedFields")?.array else { return self }
        var result = self
        let timeless = entries.map { entry in
            var entry = entry
            entry["time"] = nil
            return entry
        }
        result.set(.array(timeless), at: "metadata", "managedFields")
        return result
    }
}
