internal import KubernetesSchema
internal import StructuredData

struct NamespaceStrategy: ResourceStrategy {
    var nameRule: NameRule { .label }

    func applyDefaults(_ object: inout JSON) {
        let name = object.at("metadata", "name").text
        if !name.isEmpty {
            object.withObject("metadata") { metadata in
                metadata.withObject("labels") { $0["kubernetes.io/metadata.name"] = .string(name) }
            }
        }
        object.withObject("spec") { _ in }
        object.withObject("status") { $0.setDefault("phase", "Active") }
    }

    func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError] {
        object["status"] = ["phase": "Active"]
        object.withObject("spec") { spec in
            var finalizers = spec["finalizers"].elements
            if !finalizers.contains("kubernetes") { finalizers.append("kubernetes") }
            spec["finalizers"] = .array(finalizers)
        }
        return []
    }

    func prepareForUpdate(
        _ object: inout JSON, old: JSON, subresource: String?, context: WriteContext
    ) -> [FieldError] {
        if subresource == "finalize" {
            object["status"] = old["status"]
        } else {
            object["spec"] = old["spec"]
        }
        return []
    }
}

struct NodeStrategy: ResourceStrategy {
    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { _ in }
        object.withObject("status") { status in
            if status["allocatable"] == nil, let capacity = status["capacity"] { status["allocatable"] = capacity }
        }
    }
}

struct EndpointsStrategy: ResourceStrategy {
    var allowsCreateOnUpdate: Bool { true }

    func applyDefaults(_ object: inout JSON) {
        object.forEach("subsets") { subset in subset.forEach("ports") { $0.setDefault("protocol", "TCP") } }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        for (index, subset) in object["subsets"].elements.enumerated() {
            let field = "subsets[\(index)]"
            if subset["addresses"].isEmptyValue, subset["notReadyAddresses"].isEmptyValue {
                faults.required(field, "must specify `addresses` or `notReadyAddresses`")
            }
            let ports = subset["ports"].elements
            for (place, port) in ports.enumerated() {
                if ports.count > 1, port["name"].isEmptyValue { faults.required("\(field).ports[\(place)].name") }
                let number = port["port"]?.int ?? 0
                faults.invalid("\(field).ports[\(place)].port", JSON(number), Validators.portNumber(number))
            }
        }
        return faults.errors
    }
}

struct EndpointSliceStrategy: ResourceStrategy {
    var generation: GenerationRule { .everythingButStatus }
    var allowsCreateOnUpdate: Bool { true }

    func applyDefaults(_ object: inout JSON) {
        object.forEach("ports") { port in
            if port["name"] == nil { port["name"] = "" }
            port.setDefault("protocol", "TCP")
        }
        if object["endpoints"] == nil { object["endpoints"] = .null }
        if object["ports"] == nil { object["ports"] = .null }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        faults.oneOf("addressType", object["addressType"], ["FQDN", "IPv4", "IPv6"])
        for (index, endpoint) in object["endpoints"].elements.enumerated() where endpoint["addresses"].isEmptyValue {
            faults.required("endpoints[\(index)].addresses", "must contain at least 1 address")
        }
        if let old { faults.immutable("addressType", new: object["addressType"], old: old["addressType"]) }
        return faults.errors
    }
}

struct LimitRangeStrategy: ResourceStrategy {
    var allowsCreateOnUpdate: Bool { true }

    func applyDefaults(_ object: inout JSON) {
        object.with("spec") { spec in
            spec.forEach("limits") { item in
                guard item["type"].text == "Container" else { return }
                let max = item["max"]?.object ?? [:]
                let min = item["min"]?.object ?? [:]
                item.withObject("default") { values in for (name, value) in max { values.setDefault(name, value) } }
                let defaults = item["default"]?.object ?? [:]
                item.withObject("defaultRequest") { values in
                    for (name, value) in defaults { values.setDefault(name, value) }
                    for (name, value) in min { values.setDefault(name, value) }
                }
                for key in ["default", "defaultRequest"] where item[key].isEmptyValue { item[key] = nil }
            }
        }
    }
}

struct ResourceQuotaStrategy: ResourceStrategy {
    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { _ in }
        object.setDefault("status", [:])
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        for (name, value) in object.at("spec", "hard")?.object ?? [:] {
            guard let quantity = Quantity(value.string ?? value.text), let zero = Quantity("0") else { continue }
            if quantity < zero { faults.invalid("spec.hard[\(name)]", value, "must be greater than or equal to 0") }
        }
        if let old, subresource == nil {
            faults.immutable("spec.scopes", new: object.at("spec", "scopes"), old: old.at("spec", "scopes"))
        }
        return faults.errors
    }
}
