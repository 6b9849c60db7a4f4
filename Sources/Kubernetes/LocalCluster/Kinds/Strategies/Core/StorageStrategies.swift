internal import KubernetesSchema
internal import StructuredData

private let accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

struct PersistentVolumeStrategy: ResourceStrategy {
    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("persistentVolumeReclaimPolicy", "Retain")
            spec.setDefault("volumeMode", "Filesystem")
        }
        object.withObject("status") { $0.setDefault("phase", "Pending") }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        if spec["accessModes"].isEmptyValue { faults.required("spec.accessModes") }
        for mode in spec["accessModes"].elements { faults.oneOf("spec.accessModes", mode, accessModes) }
        if spec["capacity"].isEmptyValue { faults.required("spec.capacity") }
        faults.oneOf(
            "spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"],
            ["Delete", "Recycle", "Retain"])
        if let old { faults.immutable("spec.volumeMode", new: spec["volumeMode"], old: old.at("spec", "volumeMode")) }
        return faults.errors
    }
}

struct PersistentVolumeClaimStrategy: ResourceStrategy {
    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("volumeMode", "Filesystem")
            spec.setDefault("resources", [:])
        }
        object.withObject("status") { $0.setDefault("phase", "Pending") }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        if spec["accessModes"].isEmptyValue {
            faults.required("spec.accessModes", "at least 1 access mode is required")
        }
        for mode in spec["accessModes"].elements { faults.oneOf("spec.accessModes", mode, accessModes) }
        if spec.at("resources", "requests", "storage") == nil { faults.required("spec.resources[storage]") }
        if let old, let oldSpec = old["spec"] { checkUpdate(spec, oldSpec, old, &faults) }
        return faults.errors
    }

    private func checkUpdate(_ spec: JSON, _ oldSpec: JSON, _ old: JSON, _ faults: inout Faults) {
        let isBound = old.at("status", "phase").text == "Bound"
        func fixedPart(_ spec: JSON) -> JSON {
            var fixed = spec
            fixed["volumeAttributesClassName"] = nil
            if isBound { fixed["resources"]?["requests"] = nil }
            // The binder sets the volume once.
            if oldSpec["volumeName"].isEmptyValue { fixed["volumeName"] = nil }
            return fixed
        }
        if fixedPart(spec) != fixedPart(oldSpec) {
            faults.forbidden(
                "spec",
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
                    + "claims")
        } else if let new = spec.at("resources", "requests", "storage")?.string.flatMap(Quantity.init),
            let before = oldSpec.at("resources", "requests", "storage")?.string.flatMap(Quantity.init), new < before
        {
            faults.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
        }
    }
}
