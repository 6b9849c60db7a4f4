internal import StructuredData

/// Checks that a custom resource's schema is structural (KEP-1693) and that its Kubernetes extensions make sense.
struct StructuralChecker {
    enum Level {
        case root, item, field
    }

    var errors: [FieldError] = []

    mutating func check(_ schema: JSON, at path: String) {
        checkNode(schema, level: .root, uncorrelatable: nil, at: path, depth: 0)
    }

    static let maximumDepth = 200

    private mutating func checkNode(
        _ schema: JSON, level: Level, uncorrelatable: String?, at path: String, depth: Int
    ) {
        guard depth < Self.maximumDepth else {
            errors.append(.forbidden(path, "schema nests too deeply"))
            return
        }
        guard schema.object != nil else {
            errors.append(.invalid(path, schema, "must be a schema object"))
            return
        }
        let before = errors.count
        checkKeywords(schema, at: path)
        checkType(schema, level: level, at: path)
        checkExtensions(schema, at: path)
        checkLists(schema, at: path)
        checkMetadata(schema, level: level, at: path)
        checkChildren(schema, level: level, uncorrelatable: uncorrelatable, at: path, depth: depth)
        checkValueValidation(schema, at: path, isIntOrString: flag(schema, "x-kubernetes-int-or-string"), depth: depth)
        checkCompleteness(schema, at: path)
        if errors.count == before {
            checkDefault(schema, at: path)
            checkRules(schema, isRoot: level == .root, uncorrelatable: uncorrelatable, at: path)
        }
    }

    func flag(_ schema: JSON, _ name: String) -> Bool { schema[name]?.bool ?? false }

    func type(_ schema: JSON) -> String { schema["type"]?.string ?? "" }

    private mutating func checkKeywords(_ schema: JSON, at path: String) {
        for name in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"]
        where schema[name].map({ !$0.isNull && $0 != "" }) == true {
            errors.append(.forbidden(Path.child(path, name), "\(name) is not supported"))
        }
        if flag(schema, "uniqueItems") {
            let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            errors.append(.forbidden(Path.child(path, "uniqueItems"), detail))
        }
        if schema["items"]?.array != nil {
            errors.append(.forbidden(Path.child(path, "items"), "items must be a schema object and not an array"))
        }
        let types = ["array", "boolean", "integer", "number", "object", "string"]
        if !type(schema).isEmpty, !types.contains(type(schema)) {
            errors.append(.notSupported(Path.child(path, "type"), .string(type(schema)), types))
        }
        if let additional = schema["additionalProperties"], schema["properties"]?.object?.isEmpty == false,
            additional != true
        {
            let detail = "additionalProperties and properties are mutual exclusive"
            errors.append(.forbidden(Path.child(path, "additionalProperties"), detail))
        }
    }

    private mutating func checkType(_ schema: JSON, level: Level, at path: String) {
        let typePath = Path.child(path, "type")
        let type = type(schema)
        if flag(schema, "x-kubernetes-embedded-resource") {
            let detail = "must be object if x-kubernetes-embedded-resource is true"
            if type.isEmpty { errors.append(.required(typePath, detail)) }
            if !type.isEmpty, type != "object" { errors.append(.invalid(typePath, .string(type), detail)) }
        } else if type.isEmpty, !flag(schema, "x-kubernetes-int-or-string"),
            !flag(schema, "x-kubernetes-preserve-unknown-fields")
        {
            let detail =
                switch level {
                case .root: "must not be empty at the root"
                case .item: "must not be empty for specified array items"
                case .field: "must not be empty for specified object fields"
                }
            errors.append(.required(typePath, detail))
        }
        if level == .root, !type.isEmpty, type != "object" {
            errors.append(.invalid(typePath, .string(type), "must be object at the root"))
        }
        if type == "array", schema["items"] == nil {
            errors.append(.required(Path.child(path, "items"), "must be specified"))
        }
    }

    private mutating func checkExtensions(_ schema: JSON, at path: String) {
        let preserve = "x-kubernetes-preserve-unknown-fields"
        let embedded = "x-kubernetes-embedded-resource"
        if schema[preserve] == false {
            errors.append(.invalid(Path.child(path, preserve), false, "must be true or undefined"))
        }
        if flag(schema, "x-kubernetes-int-or-string") {
            let detail = "must be false if x-kubernetes-int-or-string is true"
            if flag(schema, preserve) { errors.append(.invalid(Path.child(path, preserve), true, detail)) }
            if flag(schema, embedded) { errors.append(.invalid(Path.child(path, embedded), true, detail)) }
        }
        if flag(schema, embedded) {
            if schema["additionalProperties"] != nil {
                let detail = "must not be used if x-kubernetes-embedded-resource is set"
                errors.append(.forbidden(Path.child(path, "additionalProperties"), detail))
            }
            if !flag(schema, preserve), schema["properties"]?.object?.isEmpty ?? true {
                let detail =
                    "must not be empty if x-kubernetes-embedded-resource is true without "
                    + "x-kubernetes-preserve-unknown-fields"
                errors.append(.required(Path.child(path, "properties"), detail))
            }
        }
    }

    private mutating func checkChildren(
        _ schema: JSON, level: Level, uncorrelatable: String?, at path: String, depth: Int
    ) {
        if let items = schema["items"], items.array == nil {
            let isMap = schema["x-kubernetes-list-type"] == "map"
            checkNode(
                items, level: .item, uncorrelatable: uncorrelatable ?? (isMap ? nil : path),
                at: Path.child(path, "items"), depth: depth + 1)
        }
        for (name, property) in schema["properties"]?.object ?? JSONObject() {
            let place = Path.key(Path.child(path, "properties"), name)
            if level == .root, name == "metadata" { continue }
            checkNode(property, level: .field, uncorrelatable: uncorrelatable, at: place, depth: depth + 1)
        }
        if let additional = schema["additionalProperties"] {
            let place = Path.child(path, "additionalProperties")
            if level == .root { errors.append(.forbidden(place, "must not be used at the root")) }
            if additional.object != nil {
                checkNode(additional, level: .field, uncorrelatable: uncorrelatable, at: place, depth: depth + 1)
            }
        }
    }

    private mutating func checkMetadata(_ schema: JSON, level: Level, at path: String) {
        guard level == .root || flag(schema, "x-kubernetes-embedded-resource") else { return }
        for name in ["kind", "apiVersion"] {
            guard let property = schema["properties"]?[name], type(property) != "string" else { continue }
            let place = Path.child(Path.key(Path.child(path, "properties"), name), "type")
            errors.append(.invalid(place, .string(type(property)), "must be string"))
        }
        guard let metadata = schema["properties"]?["metadata"] else { return }
        let place = Path.key(Path.child(path, "properties"), "metadata")
        if type(metadata) != "object" {
            errors.append(.invalid(Path.child(place, "type"), .string(type(metadata)), "must be object"))
        }
        let allowed: Set<String> = ["name", "generateName"]
        let names = metadata["properties"]?.object?.keys ?? []
        let others = metadata.object?.keys.filter { !["type", "properties", "description", "default"].contains($0) }
        if level == .root, !names.allSatisfy(allowed.contains) || others?.isEmpty == false {
            let detail =
                "must not specify anything other than name and generateName, but metadata is implicitly specified"
            errors.append(.forbidden(place, detail))
        }
    }
}
