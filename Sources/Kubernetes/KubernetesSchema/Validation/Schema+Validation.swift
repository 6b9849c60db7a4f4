public import StructuredData

extension Schema {
    /// Everything that is wrong with `new`, in kube-apiserver's order: schema, embedded resources, list types, rules.
    ///
    /// - Parameter old: the object that `new` replaces; nil on create. Parts that did not change are not held against
    ///   `new` (KEP-4008), and transition rules compare with it.
    public func validate(_ new: JSON, old: JSON?) -> [FieldError] {
        var errors = SchemaValidator(isRatcheting: true).validate(new, old: old, by: self, at: "").errors
        EmbeddedResources.check(new, by: self, at: "", errors: &errors)
        ListTypes.check(new, old: old, by: self, at: "", errors: &errors)
        guard fields.hasRulesWithin else { return errors }
        if errors.contains(where: \.blocksRules) {
            let detail =
                "some validation rules were not checked because the object was invalid; correct the existing errors "
                + "to complete validation"
            return errors + [.invalid("", .null, detail)]
        }
        var rules = RuleValidator()
        rules.validate(new, old: old, by: self, at: "", isUnchanged: old == new)
        return errors + rules.errors
    }
}

extension FieldError {
    /// Whether an object with this error cannot be given to rules, which rely on types and sizes.
    fileprivate var blocksRules: Bool {
        switch reason {
        case .notSupported, .required, .tooLong, .tooMany, .typeInvalid: true
        default: false
        }
    }
}

/// What `x-kubernetes-embedded-resource` demands: an object with a kind.
enum EmbeddedResources {
    static func check(_ value: JSON, by schema: Schema, at path: String, errors: inout [FieldError]) {
        guard !schema.isLeaf || schema.isEmbeddedResource else { return }
        if schema.isEmbeddedResource, let object = value.object {
            for name in ["apiVersion", "kind"] where object[name]?.string?.isEmpty ?? true {
                errors.append(.required(Path.child(path, name), "must not be empty"))
            }
        }
        Path.forEachChild(of: value, by: schema, at: path) { child, schema, path in
            check(child, by: schema, at: path, errors: &errors)
        }
    }
}

/// What `x-kubernetes-list-type` demands: no element twice.
enum ListTypes {
    static func check(_ value: JSON, old: JSON?, by schema: Schema, at path: String, errors: inout [FieldError]) {
        guard !schema.isLeaf else { return }
        if let elements = value.array {
            switch schema.fields.listType {
            case .set?: checkSet(elements, at: path, errors: &errors)
            case .map?: checkMap(elements, keys: schema.listMapKeys, at: path, errors: &errors)
            default: break
            }
        }
        Path.forEachChild(of: value, by: schema, at: path) { child, schema, path in
            check(child, old: nil, by: schema, at: path, errors: &errors)
        }
    }

    private static func checkSet(_ elements: [JSON], at path: String, errors: inout [FieldError]) {
        for (index, element) in repeated(elements) {
            errors.append(.duplicate("\(path)[\(index)]", element))
        }
    }

    private static func checkMap(_ elements: [JSON], keys: [String], at path: String, errors: inout [FieldError]) {
        for (index, element) in elements.enumerated() where element.object == nil && !element.isNull {
            let detail = "must be an object for an array of list-type map"
            errors.append(.invalid("\(path)[\(index)]", element, detail))
            return
        }
        let identities = elements.map { element in
            JSON.object(JSONObject(keys.compactMap { key in element[key].map { (key, $0) } }))
        }
        for (index, identity) in repeated(identities) {
            errors.append(.duplicate("\(path)[\(index)]", identity))
        }
    }

    /// The second occurrence of each value that occurs more than once.
    private static func repeated(_ values: [JSON]) -> [(Int, JSON)] {
        guard values.count > 1 else { return [] }
        var counts: [JSON: Int] = [:]
        return values.enumerated().filter { _, value in
            counts[value, default: 0] += 1
            return counts[value] == 2
        }
    }
}

/// Paths as Kubernetes prints them: `spec.parts[0].name`.
enum Path {
    static func child(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    static func key(_ path: String, _ name: String) -> String {
        "\(path)[\(name)]"
    }

    /// Visits the parts of a value that the schema describes, except a resource's own metadata.
    static func forEachChild(
        of value: JSON, by schema: Schema, at path: String, _ visit: (JSON, Schema, String) -> Void
    ) {
        switch value {
        case .object(let object):
            let values = schema.additionalProperties
            for (name, member) in object where !(schema.fields.isResourceRoot && name == "metadata") {
                if let child = schema.property(name) {
                    visit(member, child, Path.child(path, name))
                } else if let values {
                    visit(member, values, Path.key(path, name))
                }
            }
        case .array(let elements):
            guard let items = schema.items else { return }
            for (index, element) in elements.enumerated() { visit(element, items, "\(path)[\(index)]") }
        default: return
        }
    }
}
