internal import KubernetesSchema
internal import StructuredData

/// Rules that ConfigMaps and Secrets share.
private enum DataRules {
    static let sizeLimit = 1_048_576

    static func checkKeys(_ data: JSON?, _ field: String, _ faults: inout Faults) {
        for (key, _) in data?.object ?? [:] {
            faults.invalid("\(field)[\(key)]", .string(key), Validators.configMapKey(key))
        }
    }

    /// An object with `immutable: true` keeps its data, and stays so.
    static func checkImmutable(_ object: JSON, _ old: JSON, fields: [String], _ faults: inout Faults) {
        guard old["immutable"]?.bool == true else { return }
        if object["immutable"]?.bool != true {
            faults.forbidden("immutable", "field is immutable when `immutable` is set")
        }
        for field in fields where (object[field] ?? [:]) != (old[field] ?? [:]) {
            faults.forbidden(field, "field is immutable when `immutable` is set")
        }
    }
}

struct ConfigMapStrategy: ResourceStrategy {
    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        DataRules.checkKeys(object["data"], "data", &faults)
        DataRules.checkKeys(object["binaryData"], "binaryData", &faults)
        var size = 0
        for (key, value) in object["data"]?.object ?? [:] {
            if object["binaryData"]?[key] != nil {
                faults.invalid("data[\(key)]", .string(key), "duplicate of key present in binaryData")
            }
            size += value.string?.utf8.count ?? 0
        }
        for (_, value) in object["binaryData"]?.object ?? [:] {
            size += Base64.decodedCount(value.string ?? "")
        }
        // The field as kube-apiserver names it: a path whose only step has no name.
        if size > DataRules.sizeLimit { faults.tooLong("[]", limit: DataRules.sizeLimit) }
        if let old { DataRules.checkImmutable(object, old, fields: ["data", "binaryData"], &faults) }
        return faults.errors
    }
}

struct SecretStrategy: ResourceStrategy {
    private static let requiredKeys: [String: [String]] = [
        "kubernetes.io/tls": ["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
        "kubernetes.io/dockercfg": [".dockercfg"],
        "kubernetes.io/ssh-auth": ["ssh-privatekey"],
    ]

    /// Also moves `stringData`, which is never stored, into `data`.
    func applyDefaults(_ object: inout JSON) {
        object.setDefault("type", "Opaque")
        guard let texts = object["stringData"]?.object else { return }
        object["stringData"] = nil
        guard !texts.isEmpty else { return }
        object.withObject("data") { data in
            for (key, text) in texts { data[key] = .string(Base64.encode(Array((text.string ?? "").utf8))) }
        }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        DataRules.checkKeys(object["data"], "data", &faults)
        var size = 0
        for (key, value) in object["data"]?.object ?? [:] {
            if let text = value.string, Base64.decode(text) == nil {
                faults.invalid("data[\(key)]", "<secret contents redacted>", "must be base64")
            }
            size += Base64.decodedCount(value.string ?? "")
        }
        if size > DataRules.sizeLimit { faults.tooLong("data", limit: DataRules.sizeLimit) }
        for key in Self.requiredKeys[object["type"].text] ?? [] where object["data"]?[key] == nil {
            faults.required("data[\(key)]")
        }
        checkType(object, &faults)
        if let old {
            faults.immutable("type", new: object["type"], old: old["type"])
            DataRules.checkImmutable(object, old, fields: ["data"], &faults)
        }
        return faults.errors
    }

    private func checkType(_ object: JSON, _ faults: inout Faults) {
        switch object["type"].text {
        case "kubernetes.io/service-account-token":
            if object.at("metadata", "annotations", "kubernetes.io/service-account.name").isEmptyValue {
                faults.required("metadata.annotations[kubernetes.io/service-account.name]")
            }
        case "kubernetes.io/basic-auth":
            if object["data"]?["username"] == nil, object["data"]?["password"] == nil {
                faults.required("data[username]")
                faults.required("data[password]")
            }
        default: break
        }
    }
}
