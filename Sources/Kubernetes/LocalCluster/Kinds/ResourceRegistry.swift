internal import Concurrency
internal import KubernetesClient
public import StructuredData

/// All that is served: built-in resources, and custom ones as their definitions come and go. Safe to use from any
/// thread.
public final class ResourceRegistry: Sendable {
    private let current: Lock<ServedSet>
    private let handlers = Lock<[@Sendable () -> Void]>([])

    /// With all built-in resources.
    public init() {
        current = Lock(ServedSet(custom: [:]))
    }

    var served: ServedSet { current.withLock { $0 } }

    public func resource(group: String, version: String, plural: String) -> ServedResource? {
        served.byPlural[ServedSet.Key(group: group, version: version, name: plural)]
    }

    public func resource(group: String, version: String, kind: String) -> ServedResource? {
        served.byKind[ServedSet.Key(group: group, version: version, name: kind)]
    }

    /// Calls `handler` whenever other resources may be served than before; it must be quick.
    public func onChange(_ handler: @escaping @Sendable () -> Void) { handlers.withLock { $0.append(handler) } }

    /// Everything served, built-in first.
    public var resources: [ServedResource] { served.resources }

    /// Serves the versions of `crd`, in place of those that it had before.
    ///
    /// Call it after a CRD was stored or read from disk.
    /// - Returns: the CRD with `status.conditions` (NamesAccepted, Established), `acceptedNames` and `storedVersions`
    ///   brought up to date; equal to `crd` when there is nothing to write. It is not served when its names are taken.
    public func install(crd: JSON, now: String) -> JSON {
        let definition = CustomResourceDefinition(crd)
        // A write of the status changes nothing of what is served; and reading a large schema takes a while.
        if let installed = served.custom[definition.name], installed.definition.serves(sameAs: definition) {
            return definition.withStatus(conflicts: [], now: now)
        }
        let versions = definition.servedVersions()
        defer { tell() }
        return current.withLock { served in
            var custom = served.custom
            custom[definition.name] = nil
            let conflicts = definition.nameConflicts(with: custom.values.filter { $0.group == definition.group })
            if conflicts.isEmpty {
                custom[definition.name] = InstalledDefinition(definition: definition, resources: versions)
            }
            served = ServedSet(custom: custom)
            return definition.withStatus(conflicts: conflicts, now: now)
        }
    }

    /// The instances of a CRD in the version in which they are kept, served or not; nil when none is marked as that.
    public static func storedResource(of crd: JSON) -> ServedResource? { CustomResourceDefinition(crd).storedVersion }

    /// Stops serving a CRD's resources. Their objects are the caller's to delete first.
    public func remove(crdNamed name: String) {
        let wasServed = current.withLock { served in
            guard served.custom[name] != nil else { return false }
            var custom = served.custom
            custom[name] = nil
            served = ServedSet(custom: custom)
            return true
        }
        if wasServed { tell() }
    }

    private func tell() { for handler in handlers.withLock({ $0 }) { handler() } }

    /// Which definition of this name, and which generation of it, instances are served by; nil when they are not.
    public func generation(ofDefinitionNamed name: String) -> String? {
        served.custom[name].map { "\($0.definition.uid)/\($0.definition.generation)" }
    }

    /// Discovery (`/api`, `/apis`, `/api/v1`, `/apis/GROUP`, `/apis/GROUP/VERSION`), `/version` and OpenAPI documents
    /// (`/openapi/v2`, `/openapi/v3`, `/openapi/v3/…`), made when first asked for and kept until a CRD changes; and the
    /// list of these paths (`/`).
    ///
    /// - Parameters:
    ///   - path: without a query.
    ///   - accept: the request's Accept header, empty when absent.
    ///   - serverAddress: `host:port`, for `/api`.
    /// - Returns: nil when `path` is none of these or its group is not served.
    public func document(path: String, accept: String, serverAddress: String) -> ServedDocument? {
        served.document(path: path, accept: accept, serverAddress: serverAddress)
    }
}

/// A document that is served as it is.
public struct ServedDocument: Sendable, Hashable {
    public let bytes: [UInt8]
    public let contentType: String
    /// With quotes, for `ETag` and `If-None-Match`; nil where the real server has none.
    public let etag: String?
}
