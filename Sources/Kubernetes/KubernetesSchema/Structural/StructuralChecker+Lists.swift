internal import StructuredData

extension StructuralChecker {
    /// `x-kubernetes-list-type`, `x-kubernetes-list-map-keys`, `x-kubernetes-map-type`.
    mutating func checkLists(_ schema: JSON, at path: String) {
        let typePath = Path.child(path, "type")
        if let mapType = schema["x-kubernetes-map-type"]?.string {
            require("object", of: schema, at: typePath, "must be object if x-kubernetes-map-type is specified")
            let supported = ["atomic", "granular"]
            if !supported.contains(mapType) {
                errors.append(.notSupported(Path.child(path, "x-kubernetes-map-type"), .string(mapType), supported))
            }
        }
        let listTypePath = Path.child(path, "x-kubernetes-list-type")
        let listType = schema["x-kubernetes-list-type"]?.string
        if let listType {
            require("array", of: schema, at: typePath, "must be array if x-kubernetes-list-type is specified")
            let supported = ["atomic", "set", "map"]
            if !supported.contains(listType) {
                errors.append(.notSupported(listTypePath, .string(listType), supported))
            }
            if listType == "set", let items = schema["items"] {
                checkSetItems(items, at: Path.child(path, "items"))
            }
        }
        let keys = schema["x-kubernetes-list-map-keys"]?.array?.compactMap(\.string) ?? []
        if !keys.isEmpty, listType != "map" {
            let detail = "must be map if x-kubernetes-list-map-keys is non-empty"
            errors.append(
                listType.map { .invalid(listTypePath, .string($0), detail) } ?? .required(listTypePath, detail))
        }
        if listType == "map" { checkMapItems(schema, keys: keys, at: path) }
    }

    private mutating func require(_ wanted: String, of schema: JSON, at path: String, _ detail: String) {
        let type = type(schema)
        if type.isEmpty { errors.append(.required(path, detail)) }
        if !type.isEmpty, type != wanted { errors.append(.invalid(path, .string(type), detail)) }
    }

    private mutating func checkSetItems(_ items: JSON, at path: String) {
        let detail = "must be atomic as item of a list with x-kubernetes-list-type=set"
        let listType = items["x-kubernetes-list-type"]
        if type(items) == "array", let listType, listType != "atomic" {
            errors.append(.invalid(Path.child(path, "x-kubernetes-list-type"), listType, detail))
        }
        if type(items) == "object", items["x-kubernetes-map-type"] != "atomic" {
            errors.append(.invalid(Path.child(path, "x-kubernetes-map-type"), listType ?? .null, detail))
        }
    }

    private mutating func checkMapItems(_ schema: JSON, keys: [String], at path: String) {
        let keysPath = Path.child(path, "x-kubernetes-list-map-keys")
        if keys.isEmpty {
            errors.append(.required(keysPath, "must not be empty if x-kubernetes-list-type is map"))
        }
        let itemsPath = Path.child(path, "items")
        guard let items = schema["items"] else {
            errors.append(.required(itemsPath, "must have a schema if x-kubernetes-list-type is map"))
            return
        }
        guard type(items) == "object" else {
            let detail = "must be object if parent array's x-kubernetes-list-type is map"
            errors.append(.invalid(Path.child(itemsPath, "type"), .string(type(items)), detail))
            return
        }
        let allKeys = JSON.array(keys.map(JSON.string))
        let required = items["required"]?.array ?? []
        for (index, key) in keys.enumerated() {
            let property = Path.key(Path.child(itemsPath, "properties"), key)
            guard let keySchema = items["properties"]?[key] else {
                errors.append(.invalid(keysPath, allKeys, "entries must all be names of item properties"))
                continue
            }
            if ["array", "object"].contains(type(keySchema)) {
                let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
                errors.append(.invalid(Path.child(property, "type"), .string(type(keySchema)), detail))
            }
            if keys[..<index].contains(key) {
                errors.append(.invalid(keysPath, allKeys, "must not contain duplicate entries"))
            }
            let hasDefault = keySchema["default"] != nil
            if !hasDefault, !required.contains(.string(key)) {
                let detail =
                    "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
                errors.append(.required(Path.child(property, "default"), detail))
            }
            if flag(keySchema, "nullable") {
                let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
                errors.append(.forbidden(Path.child(property, "nullable"), detail))
            }
        }
    }
}
