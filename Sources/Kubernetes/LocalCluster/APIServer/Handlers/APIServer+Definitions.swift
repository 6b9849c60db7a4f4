internal import APIServerKinds
internal import Concurrency
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// What the server does by itself about custom resource definitions: serves them, writes their conditions, and deletes
/// their instances before they go.
extension APIServer {
    static let definitions = TableID(group: "apiextensions.k8s.io", plural: "customresourcedefinitions")

    /// Follows a stored write of a definition.
    func definitionChanged(_ definition: JSON) {
        guard let name = definition.at("metadata", "name")?.string else { return }
        if definition.at("metadata", "deletionTimestamp")?.string != nil {
            let finalizers = definition.at("metadata", "finalizers")?.array ?? []
            guard finalizers.contains(.string(DeletionMark.instanceFinalizer)),
                finalizing.withLock({ $0.insert(name).inserted })
            else { return }
            Task {
                await self.deleteInstances(of: definition, named: name)
                self.finalizing.withLock { _ = $0.remove(name) }
            }
            return
        }
        let former = registry.generation(ofDefinitionNamed: name)
        let installed = registry.install(crd: definition, now: nowText)
        // Open watches show instances as the definition had them: clients begin new ones.
        if let former, former != registry.generation(ofDefinitionNamed: name), let table = instances(of: name) {
            store.stopWatches(of: table)
        }
        guard installed["status"] != definition["status"] else { return }
        Task { await self.writeStatus(ofDefinitionNamed: name) }
    }

    /// Looks again at the definitions that are not served: the names that they wait for may be free now.
    func serveWaitingDefinitions() {
        for stored in store.objects(in: Self.definitions).objects
        where registry.generation(ofDefinitionNamed: String(stored.name)) == nil {
            if let definition = try? JSON(parsing: stored.bytes) { definitionChanged(definition) }
        }
    }

    private func definitionRequest(_ name: String, subresource: String? = nil) -> ResourceRequest? {
        guard
            let resource = registry.resource(
                group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions")
        else { return nil }
        return ResourceRequest(
            resource: resource, namespace: nil, name: name, user: .system("apiserver"), subresource: subresource)
    }

    /// Where the instances of the definition with this name are kept.
    private func instances(of name: String) -> TableID? {
        let parts = name.split(separator: ".", maxSplits: 1)
        return parts.count == 2 ? TableID(group: String(parts[1]), plural: String(parts[0])) : nil
    }

    private func writeStatus(ofDefinitionNamed name: String) async {
        guard let request = definitionRequest(name, subresource: "status") else { return }
        await changeQuietly(request) { definition in
            guard definition.at("metadata", "deletionTimestamp")?.string == nil else { return definition }
            return self.registry.install(crd: definition, now: self.nowText)
        }
    }

    /// Deletes the instances, waits until the last one is gone, and lets the definition go.
    private func deleteInstances(of definition: JSON, named name: String) async {
        guard let table = instances(of: name), let request = definitionRequest(name) else { return }
        if let resource = ResourceRegistry.storedResource(of: definition) { await deleteAll(resource, in: table) }
        store.stopWatches(of: table)
        await changeQuietly(request) { definition in
            var released = definition
            let kept = definition.at("metadata", "finalizers")?.array?.filter {
                $0 != .string(DeletionMark.instanceFinalizer)
            }
            released.set(kept.flatMap { $0.isEmpty ? nil : .array($0) }, at: "metadata", "finalizers")
            return released
        }
    }

    /// Returns when the table is empty, however long the finalizers of its objects take.
    private func deleteAll(_ resource: ServedResource, in table: TableID) async {
        while store.objects(in: table).objects.count > 0,
            let (watcher, objects, _) = try? store.watch(table, scope: .all, from: .currentState)
        {
            for stored in objects {
                let instance = ResourceRequest(
                    resource: resource, namespace: stored.namespace.map(String.init), name: String(stored.name),
                    user: .system("apiserver"))
                do throws(StatusError) { _ = try await delete(instance, DeleteOptions()) } catch {
                    guard error.code != 404 else { continue }
                    logger.warning("cannot delete \(resource.qualifiedPlural) \(stored.key): \(error.message)")
                }
            }
            while store.objects(in: table).objects.count > 0, await watcher.next() != nil {}
            store.remove(watcher, from: table)
        }
    }

    /// A change that the server makes by itself: one that fails is logged.
    func changeQuietly(_ request: ResourceRequest, _ transform: (JSON) -> JSON) async {
        do throws(StatusError) {
            let options = try WriteOptions(request, kind: "UpdateOptions")
            _ = try await change(request, options: options, rules: UpdateRules(subresource: request.subresource)) {
                old throws(StatusError) in transform(old)
            }
        } catch {
            guard error.code != 404 else { return }
            logger.error("cannot update \(request.resource.qualifiedPlural) \(request.name ?? ""): \(error.message)")
        }
    }
}
