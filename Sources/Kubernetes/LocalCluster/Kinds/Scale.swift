public import KubernetesSchema
public import StructuredData

/// The `scale` subresource: the few fields of an object that `autoscaling/v1` `Scale` shows and sets.
public enum Scale {
    /// The Scale of `object`, which must be of a resource with scale paths.
    public static func of(_ object: JSON, paths: ScalePaths) -> JSON {
        var metadata: JSON = [:]
        for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[key] = object.at("metadata", key)
        }
        let replicas = object.value(at: paths.specReplicas[...])?.int
        var spec: JSON = [:]
        if let replicas, replicas != 0 { spec["replicas"] = JSON(replicas) }
        var status: JSON = ["replicas": JSON(object.value(at: paths.statusReplicas[...])?.int ?? 0)]
        if let selector = paths.selector.flatMap({ selectorText(object.value(at: $0[...])) }), !selector.isEmpty {
            status["selector"] = .string(selector)
        }
        return ["kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status]
    }

    /// `object` with the replicas of `scale` set.
    /// - Throws: the faults of the Scale.
    public static func apply(_ scale: JSON, to object: JSON, paths: ScalePaths) throws(FieldErrors) -> JSON {
        var faults = Faults()
        let name = object.at("metadata", "name")
        if !scale.at("metadata", "name").isEmptyValue {
            faults.immutable("metadata.name", new: scale.at("metadata", "name"), old: name)
        }
        let value = scale.at("spec", "replicas")
        if let value, !value.isNull, value.int == nil {
            faults.invalid("spec.replicas", value, "must be an integer")
        }
        let replicas = value?.int ?? 0
        faults.notNegative("spec.replicas", JSON(replicas))
        guard faults.isEmpty else { throw FieldErrors(errors: faults.errors) }
        var changed = object
        changed.setValue(JSON(replicas), at: paths.specReplicas[...])
        if let version = scale.at("metadata", "resourceVersion"), !version.isEmptyValue {
            changed["metadata"]?["resourceVersion"] = version
        }
        return changed
    }

    private static func selectorText(_ value: JSON?) -> String? {
        switch value {
        case .string(let text)?: text
        case let value? where value["matchLabels"] != nil || value["matchExpressions"] != nil:
            LabelSelector(labelSelector: value)?.text
        case .object?: value.map { LabelSelector(map: $0).text }
        default: nil
        }
    }
}

/// Why an object is refused with 422 `Invalid`.
public struct FieldErrors: Error, Hashable {
    public let errors: [FieldError]
}
