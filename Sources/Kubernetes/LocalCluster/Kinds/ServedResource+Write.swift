internal import KubernetesClient
public import KubernetesSchema
public import StructuredData

/// A body as the server understood it.
public struct DecodedBody: Sendable {
    public let object: JSON
    /// Paths of fields that the kind does not have, in the order found; they are no longer in `object`.
    public let unknownFields: [String]
}

/// A body that cannot be an object of its kind; answered with 400 `BadRequest`.
public struct BodyError: Error, Hashable {
    public let message: String
}

extension ServedResource {
    /// Reads a body (or the result of a patch) as an object of this resource: checks apiVersion and kind, drops unknown
    /// fields and reports them, fills in defaults.
    ///
    /// Field types are checked here for built-in kinds, whose Go types refuse others; for custom resources validation
    /// does it.
    public func decode(_ body: JSON) throws(BodyError) -> DecodedBody {
        guard body.object != nil else {
            throw BodyError(message: "couldn't get version/kind; json parse error: the body is not an object")
        }
        var object = body
        try checkKind(&object)
        if isBuiltin, let mismatch = schema?.firstTypeMismatch(in: object) {
            throw BodyError(message: cannotHandle(mismatch))
        }
        if isCustom, let mismatch = Self.metadataMismatch(object) { throw BodyError(message: cannotHandle(mismatch)) }
        var unknownFields: [String] = []
        if let schema {
            unknownFields = schema.unknownFields(in: object)
            if !unknownFields.isEmpty { object = schema.pruned(object) }
        }
        if isCustom { unknownFields += pruneMetadata(&object) }
        applyDefaults(&object)
        return DecodedBody(object: object, unknownFields: unknownFields)
    }

    /// Fills in the defaults of the kind. Idempotent.
    public func applyDefaults(_ object: inout JSON) {
        if isBuiltin {
            if let schema { object = GoForm.of(object, schema: schema) }
            strategy.applyDefaults(&object)
        } else {
            if let schema { object = schema.defaulted(object) }
            object.with("metadata") { metadata in
                if let schema = Self.metadataSchema { metadata = GoForm.of(metadata, schema: schema) }
            }
        }
    }

    /// Ties a decoded object to the address it was sent to: fills in what the body leaves out.
    ///
    /// - Parameter name: nil for a POST, where the body names the object.
    /// - Throws: when the body contradicts the URL.
    public func bind(_ object: inout JSON, namespace: String?, name: String?) throws(BodyError) {
        object.withObject("metadata") { _ in }
        let bodyNamespace = object.at("metadata", "namespace").text
        if type.namespaced, let namespace {
            if !bodyNamespace.isEmpty, bodyNamespace != namespace {
                throw BodyError(
                    message: "the namespace of the provided object does not match the namespace sent on the request")
            }
            object["metadata"]?["namespace"] = .string(namespace)
        } else if !type.namespaced {
            object["metadata"]?["namespace"] = nil
        }
        guard let name else { return }
        let bodyName = object.at("metadata", "name").text
        if !bodyName.isEmpty, bodyName != name {
            throw BodyError(
                message: "the name of the object (\(bodyName)) does not match the name on the URL (\(name))")
        }
        object["metadata"]?["name"] = .string(name)
    }

    /// Makes a decoded object ready to be stored: name, uid, creationTimestamp, generation, an empty status, what the
    /// kind's strategy adds; then validates it.
    ///
    /// `managedFields`, `resourceVersion` and admission are the caller's.
    /// - Returns: why it is refused; empty when it may be stored.
    public func prepareForCreate(_ object: inout JSON, namespace: String?, context: WriteContext) -> [FieldError] {
        if type.namespaced, let namespace { object.withObject("metadata") { $0["namespace"] = .string(namespace) } }
        if hasStatus {
            object["status"] = nil
            // Kubernetes fills in the default of a status when it reads what it stored.
            if isCustom, let schema { object = schema.defaulted(object) }
        }
        ObjectMetadata.prepareForCreate(&object, rule: strategy.generation, context: context)
        var errors = strategy.prepareForCreate(&object, context: context)
        if isBuiltin { strategy.applyDefaults(&object) }
        errors += ObjectMetadata.faults(of: object, namespaced: type.namespaced, nameRule: strategy.nameRule)
        if requiresQualifiedFinalizers { errors += ObjectMetadata.finalizerFaults(object) }
        if isCustom, let schema { errors += schema.validate(object, old: nil) }
        errors += strategy.validate(object, old: nil, subresource: nil)
        return errors
    }

    /// Makes the new state of an object ready to be stored: what the subresource may not touch is taken from `old`,
    /// server-set metadata stays, generation rises when it must; then validates it.
    ///
    /// - Parameter subresource: `status`, `scale`, …; nil for the object itself.
    /// - Returns: why it is refused; empty when it may be stored.
    public func prepareForUpdate(
        _ object: inout JSON, old: JSON, subresource: String? = nil, context: WriteContext
    ) -> [FieldError] {
        keepWhatMayNotChange(&object, old: old, subresource: subresource)
        var errors = strategy.prepareForUpdate(&object, old: old, subresource: subresource, context: context)
        // A status, and what comes with it in the metadata, begins no new generation.
        ObjectMetadata.prepareForUpdate(&object, old: old, rule: subresource == "status" ? .none : strategy.generation)
        errors += ObjectMetadata.updateFaults(of: object, old: old, namespaced: type.namespaced)
        if requiresQualifiedFinalizers { errors += ObjectMetadata.finalizerFaults(object) }
        if isCustom, let schema { errors += schema.validate(object, old: old) }
        errors += strategy.validate(object, old: old, subresource: subresource)
        return errors
    }

    /// Texts for `Warning` headers about an object that is accepted.
    public func warnings(_ object: JSON, old: JSON?) -> [String] {
        ObjectMetadata.warnings(object) + strategy.warnings(object, old: old)
    }

    private func keepWhatMayNotChange(_ object: inout JSON, old: JSON, subresource: String?) {
        switch subresource {
        case "status":
            let new = object
            object = old
            object["status"] = new["status"]
            if isBuiltin { object["metadata"] = new["metadata"] }
            object["metadata"]?["managedFields"] = new.at("metadata", "managedFields")
            object["metadata"]?["resourceVersion"] = new.at("metadata", "resourceVersion")
        case nil:
            if hasStatus { object["status"] = old["status"] }
        default: break
        }
    }

    private var requiresQualifiedFinalizers: Bool {
        isBuiltin && !["admissionregistration.k8s.io", "apiextensions.k8s.io"].contains(type.group)
    }

    private func checkKind(_ object: inout JSON) throws(BodyError) {
        let apiVersion = object["apiVersion"].text
        let kind = object["kind"].text
        if !apiVersion.isEmpty, apiVersion != type.apiVersion {
            throw BodyError(
                message: "the API version in the data (\(apiVersion)) does not match the expected API version "
                    + "(\(type.apiVersion))")
        }
        if !kind.isEmpty, kind != type.kind {
            throw BodyError(
                message: "\(kind) in version \(quoted(type.version)) cannot be handled as a \(type.kind): "
                    + "the kind in the data (\(kind)) does not match the expected kind (\(type.kind))")
        }
        object["apiVersion"] = .string(type.apiVersion)
        object["kind"] = .string(type.kind)
    }

    private func cannotHandle(_ reason: String) -> String {
        "\(type.kind) in version \(quoted(type.version)) cannot be handled as a \(type.kind): \(reason)"
    }

    static let metadataSchema = BuiltinDefinitions.shared.schema(
        definition: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")

    private static func metadataMismatch(_ object: JSON) -> String? {
        guard let metadata = object["metadata"], !metadata.isNull else { return nil }
        return metadataSchema?.firstTypeMismatch(in: metadata)
    }

    private func pruneMetadata(_ object: inout JSON) -> [String] {
        guard let schema = Self.metadataSchema, let metadata = object["metadata"] else { return [] }
        let unknown = schema.unknownFields(in: metadata)
        if !unknown.isEmpty { object["metadata"] = schema.pruned(metadata) }
        return unknown.map { "metadata.\($0)" }
    }
}
