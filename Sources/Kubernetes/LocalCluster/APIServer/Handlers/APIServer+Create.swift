internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

extension APIServer {
    func create(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let options = try WriteOptions(request, kind: "CreateOptions")
        var warnings: [String] = []
        let object = try request.decodedBody(options: options, warnings: &warnings)
        let created = try await create(object, request, options: options)
        warnings += request.resource.warnings(created, old: nil)
        return try respond(with: created, to: request, status: 201, warnings: warnings)
    }

    /// Makes `object`, which is decoded, and returns it as stored. A generated name that is taken is drawn again; where its
    /// namespace or definition has changed meanwhile, what these allow is asked again.
    ///
    /// - Parameter isApplied: managedFields are already what an apply made them.
    func create(
        _ object: JSON, _ request: ResourceRequest, options: WriteOptions, isApplied: Bool = false
    ) async throws(StatusError) -> JSON {
        var object = object
        if request.resource.type.namespaced, request.namespace == nil {
            throw .badRequest("an empty namespace may not be set during creation")
        }
        try request.bind(&object)
        guard object.at("metadata", "resourceVersion")?.string?.isEmpty ?? true else {
            throw StatusError(500, "", "resourceVersion should not be set on objects to be created")
        }
        let isGenerated = object.at("metadata", "name")?.string?.isEmpty ?? true
        var attempt = 0
        while true {
            do throws(StatusError) {
                return try await createOnce(object, request, options: options, isApplied: isApplied)
            } catch {
                attempt += 1
                let isPassing = error.reason == "Conflict" || error.reason == "AlreadyExists" && isGenerated
                guard isPassing, attempt < 8 else { throw error }
            }
        }
    }

    private func createOnce(
        _ wanted: JSON, _ request: ResourceRequest, options: WriteOptions, isApplied: Bool
    ) async throws(StatusError) -> JSON {
        var object = wanted
        let resource = request.resource
        // Before anything is added: a manager owns what it sent and its defaults, not what the server allocates.
        if !isApplied { recordManagers(&object, old: nil, request, options: options) }
        let premises = try admitCreate(&object, request)
        let addresses = AddressTransaction(serviceAddresses)
        do throws(StatusError) {
            let context = writeContext(request.user, addresses: addresses)
            let errors = resource.prepareForCreate(&object, namespace: request.namespace, context: context)
            let name = object.at("metadata", "name")?.string ?? ""
            guard errors.isEmpty else { throw .invalid(resource, name, errors) }
            try checkEscalation(object, old: nil, request)
            try fillTokenSecret(&object, request)
            let key = resource.key(namespace: request.namespace, name: name)
            guard options.isDryRun else {
                let created = try await withinQuota(object, key: key, request) { () throws(StatusError) in
                    try await commitCreate(object, key: key, request, given: premises, addresses)
                }
                await quotasChanged(in: request.namespace, by: resource)
                return created
            }
            guard store.object(key, in: request.table) == nil else { throw .alreadyExists(resource, name) }
            let result = try await withinQuota(object, key: key, request) { () throws(StatusError) in object }
            addresses.rollBack()
            return result
        } catch {
            addresses.rollBack()
            throw error
        }
    }

    private func commitCreate(
        _ object: JSON, key: String, _ request: ResourceRequest, given premises: [StorePremise],
        _ addresses: AddressTransaction
    ) async throws(StatusError) -> JSON {
        let resource = request.resource
        do throws(StoreError) {
            let new = StoreWrite.create(resource.encode(object, key: key))
            let (_, revision) = try await store.commit(new, to: request.table, given: premises) {
                addresses.commit()
                didWrite(key, resource)
            }
            var result = object
            result.set(.string(String(revision)), at: "metadata", "resourceVersion")
            return result
        } catch {
            let name = object.at("metadata", "name")?.string ?? ""
            switch error {
            case .alreadyExists: throw .alreadyExists(resource, name)
            case .changed: throw .conflict(resource, name)
            default: throw StatusError(error)
            }
        }
    }
}

extension ResourceRequest {
    /// Ties a body to the address that it was sent to.
    func bind(_ object: inout JSON) throws(StatusError) {
        do throws(BodyError) {
            try resource.bind(&object, namespace: namespace, name: name)
        } catch {
            throw .badRequest(error.message)
        }
    }
}
