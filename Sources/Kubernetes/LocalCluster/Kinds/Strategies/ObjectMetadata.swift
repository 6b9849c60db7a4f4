internal import KubernetesSchema
internal import StructuredData

/// The rules of `metadata`, the same for every kind (apimachinery's `validation/objectmeta.go`, apiserver's `rest`).
enum ObjectMetadata {
    private static let annotationLimit = 256 * 1024
    private static let longestGeneratedBase = 58

    static func prepareForCreate(_ object: inout JSON, rule: GenerationRule, context: WriteContext) {
        object.withObject("metadata") { metadata in
            for key in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
                metadata[key] = nil
            }
            metadata["uid"] = .string(context.makeUID())
            metadata["creationTimestamp"] = .string(context.now)
            let base = metadata["generateName"].text
            if metadata["name"].isEmptyValue, !base.isEmpty {
                metadata["name"] = .string(base.prefix(longestGeneratedBase) + context.makeNameSuffix())
            }
            if case .none = rule { return }
            metadata["generation"] = 1
        }
    }

    static func prepareForUpdate(_ object: inout JSON, old: JSON, rule: GenerationRule) {
        let isChanged = generationRises(object, old: old, rule: rule)
        object.withObject("metadata") { metadata in
            let oldMetadata = old["metadata"] ?? .object([:])
            if metadata["uid"].isEmptyValue { metadata["uid"] = oldMetadata["uid"] }
            for key in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
                metadata[key] = oldMetadata[key]
            }
            let generation = oldMetadata["generation"]?.int
            metadata["generation"] = isChanged ? JSON((generation ?? 0) + 1) : generation.map { JSON($0) }
        }
    }

    private static func generationRises(_ object: JSON, old: JSON, rule: GenerationRule) -> Bool {
        switch rule {
        case .none: return false
        case .spec: return object["spec"] != old["spec"]
        case .specAndAnnotations:
            return object["spec"] != old["spec"]
                || (object.at("metadata", "annotations") ?? .object([:]))
                    != (old.at("metadata", "annotations") ?? .object([:]))
        case .everythingButStatus:
            func content(_ object: JSON) -> JSON {
                var content = object
                for key in ["metadata", "status", "apiVersion", "kind"] { content[key] = nil }
                return content
            }
            return content(object) != content(old)
        }
    }

    static func faults(of object: JSON, namespaced: Bool, nameRule: NameRule) -> [FieldError] {
        var faults = Faults()
        let metadata = object["metadata"] ?? .object([:])
        let base = metadata["generateName"].text
        if !base.isEmpty {
            let filled = base.hasSuffix("-") ? base.dropLast() + "a" : base
            faults.invalid("metadata.generateName", .string(base), nameRule.faults(filled))
        }
        if metadata["name"].isEmptyValue {
            faults.required("metadata.name", "name or generateName is required")
        } else {
            faults.invalid("metadata.name", metadata["name"], nameRule.faults(metadata["name"].text))
        }
        let namespace = metadata["namespace"].text
        if namespaced {
            if namespace.isEmpty {
                faults.required("metadata.namespace")
            } else {
                faults.invalid("metadata.namespace", metadata["namespace"], Validators.dnsLabel(namespace))
            }
        } else if !namespace.isEmpty {
            faults.forbidden("metadata.namespace", "not allowed on this type")
        }
        checkCommon(metadata, &faults)
        return faults.errors
    }

    static func updateFaults(of object: JSON, old: JSON, namespaced: Bool) -> [FieldError] {
        var faults = Faults()
        let metadata = object["metadata"] ?? .object([:])
        let oldMetadata = old["metadata"] ?? .object([:])
        for key in ["name", "namespace", "uid"] {
            faults.immutable("metadata.\(key)", new: metadata[key], old: oldMetadata[key])
        }
        if oldMetadata["deletionTimestamp"] != nil {
            let known = Set(oldMetadata["finalizers"].elements.compactMap(\.string))
            let added = metadata["finalizers"].elements.compactMap(\.string).filter { !known.contains($0) }
            if !added.isEmpty {
                faults.forbidden(
                    "metadata.finalizers",
                    "no new finalizers can be added if the object is being deleted, found new finalizers "
                        + "[]string{\(added.map(quoted).joined(separator: ", "))}")
            }
        }
        checkCommon(metadata, &faults)
        return faults.errors
    }

    private static let standardFinalizers: Set<String> = ["orphan", "foregroundDeletion", "kubernetes"]

    private static func isStandardOrQualified(_ finalizer: String) -> Bool {
        finalizer.contains("/") || standardFinalizers.contains(finalizer)
    }

    /// What most built-in kinds refuse and others only warn about (`ValidateObjectMeta` of the core group).
    static func finalizerFaults(_ object: JSON) -> [FieldError] {
        var faults = Faults()
        for (index, finalizer) in object.at("metadata", "finalizers").elements.enumerated()
        where !isStandardOrQualified(finalizer.string ?? "") {
            faults.invalid(
                "metadata.finalizers[\(index)]", finalizer,
                "name is neither a standard finalizer name nor is it fully qualified")
        }
        return faults.errors
    }

    static func warnings(_ object: JSON) -> [String] {
        object.at("metadata", "finalizers").elements.compactMap(\.string)
            .filter { !isStandardOrQualified($0) }
            .map {
                "metadata.finalizers: \(quoted($0)): prefer a domain-qualified finalizer name including a path (/) "
                    + "to avoid accidental conflicts with other finalizer writers"
            }
    }

    private static func checkCommon(_ metadata: JSON, _ faults: inout Faults) {
        checkLabels(metadata["labels"], "metadata.labels", &faults)
        var size = 0
        for (key, value) in metadata["annotations"]?.object ?? [:] {
            faults.invalid("metadata.annotations", .string(key), Validators.qualifiedName(key.lowercased()))
            size += key.utf8.count + (value.string?.utf8.count ?? 0)
        }
        if size > annotationLimit { faults.tooLong("metadata.annotations", limit: annotationLimit) }
        for finalizer in metadata["finalizers"].elements {
            faults.invalid("metadata.finalizers", finalizer, Validators.qualifiedName(finalizer.string ?? ""))
        }
        if ["orphan", "foregroundDeletion"].allSatisfy({ metadata["finalizers"].elements.contains(.string($0)) }) {
            faults.invalid(
                "metadata.finalizers", metadata["finalizers"],
                "finalizer orphan and foregroundDeletion cannot be both set")
        }
        checkOwners(metadata["ownerReferences"].elements, &faults)
    }

    static func checkLabels(_ labels: JSON?, _ field: String, _ faults: inout Faults) {
        for (key, value) in labels?.object ?? [:] {
            faults.invalid(field, .string(key), Validators.qualifiedName(key))
            faults.invalid(field, value, Validators.labelValue(value.string ?? ""))
        }
    }

    private static func checkOwners(_ owners: [JSON], _ faults: inout Faults) {
        let controllers = owners.filter { $0["controller"]?.bool == true }.map { $0["name"].text }
        if controllers.count > 1 {
            faults.invalid(
                "metadata.ownerReferences", .array(owners),
                "Only one reference can have Controller set to true. Found \"true\" in references for "
                    + "\(controllers[0]) and \(controllers[1])")
        }
        for owner in owners {
            for key in ["kind", "name", "uid"] where owner[key].isEmptyValue {
                faults.invalid("metadata.ownerReferences.\(key)", owner[key] ?? "", "must not be empty")
            }
            if owner["apiVersion"].isEmptyValue {
                faults.invalid("metadata.ownerReferences.apiVersion", "", "version must not be empty")
            }
            if owner["apiVersion"].text == "v1", owner["kind"].text == "Event" {
                faults.invalid(
                    "metadata.ownerReferences", owner, "/v1, Kind=Event is disallowed from being an owner")
            }
        }
    }
}
