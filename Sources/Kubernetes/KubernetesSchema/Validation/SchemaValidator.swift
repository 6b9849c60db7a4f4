internal import StructuredData

/// Checks a value against a schema; messages are those of kube-openapi, as kube-apiserver passes them on.
struct SchemaValidator {
    struct Result {
        var errors: [FieldError] = []
        /// How many checks the value passed: of several alternatives that fail, the nearest is reported.
        var matches = 0

        var isValid: Bool { errors.isEmpty }

        mutating func add(_ other: Result) {
            errors += other.errors
            matches += other.matches
        }
    }

    /// Whether parts that did not change are let through. Not so inside `anyOf` and the like: these are judged whole.
    let isRatcheting: Bool

    func validate(_ value: JSON, old: JSON?, by schema: Schema, at path: String) -> Result {
        var result = Result()
        if isRatcheting, let old, old == value { return result }
        let typeErrors = typeErrors(value, schema, path)
        result.errors += typeErrors
        result.matches += typeErrors.isEmpty ? 1 : 0
        if !value.isNull { checkJunctors(value, schema, path, into: &result) }
        if let limits = schema.fields.limits { check(value, limits, path, into: &result) }
        switch value {
        case .object(let object): checkObject(object, old: old?.object, schema, path, into: &result)
        case .array(let elements): checkArray(elements, old: old?.array, schema, path, into: &result)
        case .string(let text):
            if let format = schema.format, schema.type == .string || schema.type == nil,
                !StringFormat.isValid(text, format: format)
            {
                result.errors.append(.typeInvalid(path, value, mustBe(format, path, value: text)))
            }
        default: break
        }
        if result.isValid { result.matches += 1 }
        return result
    }

    private func typeErrors(_ value: JSON, _ schema: Schema, _ path: String) -> [FieldError] {
        if value.isNull {
            let wanted = schema.isIntOrString ? "integer,string" : schema.type?.rawValue
            guard let wanted, !schema.isNullable else { return [] }
            return [.typeInvalid(path, "null", mustBe(wanted, path, value: "null"))]
        }
        if schema.isIntOrString {
            let fits = value.string != nil || value.number.map(Self.isIntegral) == true
            return fits
                ? [] : [.typeInvalid(path, .string(name(value)), mustBe("integer,string", path, value: name(value)))]
        }
        guard let type = schema.type else { return [] }
        let fits =
            switch type {
            case .object: value.object != nil
            case .array: value.array != nil
            case .string: value.string != nil
            case .boolean: value.bool != nil
            case .number: value.number != nil
            case .integer: value.number.map(Self.isIntegral) == true
            }
        if !fits { return [.typeInvalid(path, .string(name(value)), mustBe(type.rawValue, path, value: name(value)))] }
        if type == .integer, let number = value.number, !integer(number, fits: schema.format) {
            let format = schema.format ?? "int64"
            return [.invalid(path, value, "Checked value must be of type integer with format \(format)")]
        }
        return []
    }

    /// `1.0` is an integer too.
    static func isIntegral(_ number: JSONNumber) -> Bool {
        number.int != nil || number.double == number.double.rounded() && number.double.isFinite
    }

    private func integer(_ number: JSONNumber, fits format: String?) -> Bool {
        switch format {
        case "int32": number.int.flatMap { Int32(exactly: $0) } != nil
        case "int64": number.int != nil
        default: true
        }
    }

    private func name(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .number(let number): Int(number.text) == nil ? "number" : "integer"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private func mustBe(_ type: String, _ path: String, value: String) -> String {
        "\(path) in body must be of type \(type): \(FieldError.quoted(value))"
    }

    private func checkObject(
        _ object: JSONObject, old: JSONObject?, _ schema: Schema, _ path: String, into result: inout Result
    ) {
        let values = schema.additionalProperties
        for (name, member) in object {
            var child = schema.property(name)
            if schema.fields.isResourceRoot, name == "metadata" { child = schema.fields.metadataRestrictions }
            guard let child = child ?? values else { continue }
            result.add(validate(member, old: old?[name], by: child, at: Path.child(path, name)))
        }
        for name in schema.required {
            if object[name] == nil {
                result.errors.append(.required(Path.child(path, name)))
            } else {
                result.matches += 1
            }
        }
    }

    private func checkArray(
        _ elements: [JSON], old: [JSON]?, _ schema: Schema, _ path: String, into result: inout Result
    ) {
        guard let items = schema.items else { return }
        let correlation = old.map { ListCorrelation($0, by: schema) }
        for (index, element) in elements.enumerated() {
            let place = "\(path)[\(index)]"
            result.add(validate(element, old: correlation?.counterpart(of: element), by: items, at: place))
        }
    }

    private func checkJunctors(_ value: JSON, _ schema: Schema, _ path: String, into result: inout Result) {
        let judge = SchemaValidator(isRatcheting: false)
        func fail(_ text: String) { result.errors.append(.invalid("", "", "\(FieldError.quoted(path)) \(text)")) }
        func nearest(_ results: [Result]) -> Result {
            results.reduce(Result(errors: [], matches: -1)) { $1.matches > $0.matches ? $1 : $0 }
        }

        if !schema.fields.anyOf.isEmpty {
            let results = schema.fields.anyOf.map { judge.validate(value, old: nil, by: $0, at: path) }
            if !results.contains(where: \.isValid) {
                fail("must validate at least one schema (anyOf)")
                result.add(nearest(results))
            }
        }
        if !schema.fields.oneOf.isEmpty {
            let results = schema.fields.oneOf.map { judge.validate(value, old: nil, by: $0, at: path) }
            let count = results.count(where: \.isValid)
            if count != 1 {
                let found = count == 0 ? "Found none valid" : "Found \(count) valid alternatives"
                fail("must validate one and only one schema (oneOf). \(found)")
                if count == 0 { result.add(nearest(results)) }
            }
        }
        if !schema.fields.allOf.isEmpty {
            let results = schema.fields.allOf.map { judge.validate(value, old: nil, by: $0, at: path) }
            for part in results { result.add(part) }
            if let suffix = results.contains(where: \.isValid) ? "" : ". None validated",
                results.contains(where: { !$0.isValid })
            {
                fail("must validate all the schemas (allOf)\(suffix)")
            }
        }
        if let not = schema.fields.not, judge.validate(value, old: nil, by: not, at: path).isValid {
            fail("must not validate the schema (not)")
        }
    }
}

/// Finds the element that an element of the new list replaces: in lists of type map the one with the same keys.
struct ListCorrelation {
    private let keys: [String]
    private var elements: [[JSON?]: JSON] = [:]

    init(_ old: [JSON], by schema: Schema) {
        keys = schema.fields.listType == .map ? schema.listMapKeys : []
        guard !keys.isEmpty else { return }
        for element in old { elements[identity(of: element)] = element }
    }

    func counterpart(of element: JSON) -> JSON? {
        keys.isEmpty ? nil : elements[identity(of: element)]
    }

    private func identity(of element: JSON) -> [JSON?] { keys.map { element[$0] } }
}
