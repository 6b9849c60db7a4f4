internal import APIServerKinds
internal import Concurrency
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// What the server does by itself about custom resource definitions: serves them, writes their conditions, and deletes
/// their instances before they go.
extension APIServer {
    static let definitions = TableID(group: "apiextensions.k8s.io", plural: "customresourcedefinitions")

    /// How soon a definition is looked at again whose instances are on their way out.
    private static let deletionInterval: Duration = .seconds(1)

    /// Follows a write of the definition of this name.
    func definitionChanged(_ name: String) {
        guard let (stored, wanted) = serve(name) else { return }
        if wanted["status"] != stored["status"] { Task { await self.writeStatus(ofDefinitionNamed: name) } }
        guard Self.isHeld(stored), finalizing.withLock({ $0.insert(name).inserted }) else { return }
        Task { [weak self] in
            var asked: String?
            while await self?.deleteInstances(ofDefinitionNamed: name, asked: &asked) == false {
                try? await Task.sleep(for: Self.deletionInterval)  // nobody tells of a write that failed
            }
            self?.finalizing.withLock { _ = $0.remove(name) }
            // Another one of this name may have begun to go meanwhile.
            self?.definitionChanged(name)
        }
    }

    /// Brings what is served in line with the definition as it is stored now, so that of writes at once the last one counts,
    /// in whichever order they get here. Gives it as it is and as its status should be; nil when it is gone.
    private func serve(_ name: String) -> (stored: JSON, wanted: JSON)? {
        serving.withLock { _ in
            guard let definition = definition(name) else {
                registry.remove(crdNamed: name)
                // Whoever were told before could begin anew, and would then hear of nothing.
                if let table = instances(of: name) { store.stopWatches(of: table) }
                return nil
            }
            guard definition.at("metadata", "deletionTimestamp")?.string == nil else { return (definition, definition) }
            let former = registry.generation(ofDefinitionNamed: name)
            let wanted = registry.install(crd: definition, now: nowText)
            // Open watches show instances as the definition had them: clients begin new ones.
            if let former, former != registry.generation(ofDefinitionNamed: name), let table = instances(of: name) {
                store.stopWatches(of: table)
            }
            return (definition, wanted)
        }
    }

    private func definition(_ name: String) -> JSON? {
        store.object(name, in: Self.definitions).flatMap { try? JSON(parsing: $0.bytes) }
    }

    /// Whether it is being deleted and waits for its instances.
    private static func isHeld(_ definition: JSON) -> Bool {
        definition.at("metadata", "deletionTimestamp")?.string != nil
            && definition.at("metadata", "finalizers")?.array?.contains(.string(DeletionMark.instanceFinalizer))
                ?? false
    }

    /// Looks again at the definitions that are not served: the names that they wait for may be free now.
    func serveWaitingDefinitions() {
        for stored in store.objects(in: Self.definitions).objects
        where registry.generation(ofDefinitionNamed: stored.key) == nil { definitionChanged(stored.key) }
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
            // Of a newer one its own write sees to the status.
            guard let (stored, wanted) = self.serve(name),
                stored.at("metadata", "resourceVersion") == definition.at("metadata", "resourceVersion")
            else { return definition }
            return wanted
        }
    }

    /// Deletes the instances, and lets the definition go once the last one is gone. False when it is still held: by the
    /// finalizers of an instance, or since a write failed.
    ///
    /// - Parameter asked: the uid of the definition whose instances are all on their way out. No others come: these are not
    ///   read again each time, however many wait for somebody who is away.
    private func deleteInstances(ofDefinitionNamed name: String, asked: inout String?) async -> Bool {
        guard let held = definition(name), Self.isHeld(held), let table = instances(of: name),
            let request = definitionRequest(name)
        else { return true }
        if let resource = ResourceRegistry.storedResource(of: held) {
            let uid = held.at("metadata", "uid")?.string ?? ""
            if asked != uid, await deleteAll(resource, in: table) { asked = uid }
            guard store.objects(in: table).objects.count == 0 else { return false }
        }
        await changeQuietly(request) { definition in
            var released = definition
            let kept = definition.at("metadata", "finalizers")?.array?.filter {
                $0 != .string(DeletionMark.instanceFinalizer)
            }
            released.set(kept.flatMap { $0.isEmpty ? nil : .array($0) }, at: "metadata", "finalizers")
            return released
        }
        return definition(name).map { !Self.isHeld($0) } ?? true
    }

    /// False when one cannot be deleted.
    private func deleteAll(_ resource: ServedResource, in table: TableID) async -> Bool {
        var failures: [String] = []
        for stored in store.objects(in: table).objects {
            let instance = ResourceRequest(
                resource: resource, namespace: stored.namespace.map(String.init), name: String(stored.name),
                user: .system("apiserver"))
            do throws(StatusError) { _ = try await delete(instance, DeleteOptions()) } catch {
                guard error.code != 404 else { continue }
                failures.append("\(stored.key): \(error.message)")
            }
        }
        // What stands against one stands against all, as a rule: a full disk.
        if let first = failures.first {
            logger.warning("cannot delete \(failures.count) of \(resource.qualifiedPlural), such as \(first)")
        }
        return failures.isEmpty
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
