internal import StructuredData

extension StructuralChecker {
    private static let forbiddenInside: [(keyword: String, detail: String)] = [
        ("type", "must be empty to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"),
        ("nullable", "must be false to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
        ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"),
        ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"),
        ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
    ]

    /// `pattern`, and what stands inside `allOf`, `anyOf`, `oneOf` and `not`: constraints only, no structure.
    mutating func checkValueValidation(_ schema: JSON, at path: String, isIntOrString: Bool, depth: Int) {
        if let pattern = schema["pattern"]?.string {
            do {
                _ = try RegularExpression(pattern)
            } catch {
                let detail = "must be a valid regular expression, but isn't: error parsing regexp: \(error.message)"
                errors.append(.invalid(Path.child(path, "pattern"), .string(pattern), detail))
            }
        }
        for junctor in ["allOf", "anyOf", "oneOf"] {
            for (index, nested) in (schema[junctor]?.array ?? []).enumerated() {
                let place = "\(Path.child(path, junctor))[\(index)]"
                // The one place where types may stand inside: `anyOf: [{type: integer}, {type: string}]`.
                if isIntOrString, junctor == "anyOf", Self.isIntOrStringAnyOf(schema) { continue }
                let keepsAnyOf = isIntOrString && junctor == "allOf" && index == 0 && Self.isIntOrStringAnyOf(nested)
                checkNested(nested, at: place, isIntOrString: keepsAnyOf, depth: depth + 1)
            }
        }
        if let not = schema["not"] {
            checkNested(not, at: Path.child(path, "not"), isIntOrString: false, depth: depth + 1)
        }
    }

    private static func isIntOrStringAnyOf(_ schema: JSON) -> Bool {
        schema["anyOf"] == [["type": "integer"], ["type": "string"]]
    }

    private mutating func checkNested(_ schema: JSON, at path: String, isIntOrString: Bool, depth: Int) {
        guard depth < Self.maximumDepth else {
            errors.append(.forbidden(path, "schema nests too deeply"))
            return
        }
        for (keyword, detail) in Self.forbiddenInside {
            guard let value = schema[keyword], value != false, value != "", value != [] else { continue }
            errors.append(.forbidden(Path.child(path, keyword), detail))
        }
        checkValueValidation(schema, at: path, isIntOrString: isIntOrString, depth: depth)
        if let items = schema["items"] {
            checkNested(items, at: Path.child(path, "items"), isIntOrString: false, depth: depth + 1)
        }
        let properties = Path.child(path, "properties")
        for (name, property) in schema["properties"]?.object ?? JSONObject() {
            if name == "metadata" {
                errors.append(.forbidden(Path.key(properties, name), "must not be specified in a nested context"))
            }
            checkNested(property, at: Path.key(properties, name), isIntOrString: false, depth: depth + 1)
        }
    }

    /// Whatever is constrained inside a junctor must be specified outside too.
    mutating func checkCompleteness(_ schema: JSON, at path: String) {
        for junctor in ["allOf", "anyOf", "oneOf"] {
            for (index, nested) in (schema[junctor]?.array ?? []).enumerated() {
                checkSpecified(nested, by: schema, nestedPath: "\(Path.child(path, junctor))[\(index)]", at: path)
            }
        }
        if let not = schema["not"] {
            checkSpecified(not, by: schema, nestedPath: Path.child(path, "not"), at: path)
        }
    }

    private mutating func checkSpecified(_ nested: JSON, by schema: JSON, nestedPath: String, at path: String) {
        if let items = nested["items"] {
            let place = Path.child(path, "items")
            let inner = Path.child(nestedPath, "items")
            if let outer = schema["items"] {
                checkSpecified(items, by: outer, nestedPath: inner, at: place)
            } else {
                errors.append(.required(place, "because it is defined in \(inner)"))
            }
        }
        for (name, property) in nested["properties"]?.object ?? JSONObject() {
            let place = Path.key(Path.child(path, "properties"), name)
            let inner = Path.key(Path.child(nestedPath, "properties"), name)
            if let outer = schema["properties"]?[name] {
                checkSpecified(property, by: outer, nestedPath: inner, at: place)
            } else if !schema["additionalProperties"].isSchema {
                errors.append(.required(place, "because it is defined in \(inner)"))
            }
        }
        for junctor in ["allOf", "anyOf", "oneOf"] {
            for (index, inner) in (nested[junctor]?.array ?? []).enumerated() {
                let place = "\(Path.child(nestedPath, junctor))[\(index)]"
                checkSpecified(inner, by: schema, nestedPath: place, at: path)
            }
        }
    }

    /// A default must be what the schema itself demands.
    mutating func checkDefault(_ schema: JSON, at path: String) {
        guard let value = schema["default"], !value.isNull else { return }
        let reader = SchemaReader(dropsZeroDefaults: false) { _ in nil }
        let node = Schema(reader.fields(of: schema))
        let place = Path.child(path, "default")
        if node.pruned(value) != value {
            errors.append(.invalid(place, value, "must not have unknown fields"))
        }
        errors += SchemaValidator(isRatcheting: false).validate(value, old: nil, by: node, at: place).errors
    }
}

extension JSON? {
    /// Whether `additionalProperties` has this value that describes values.
    fileprivate var isSchema: Bool { self?.object != nil }
}
