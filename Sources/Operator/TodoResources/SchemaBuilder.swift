internal import StructuredData

/// Builds the structural schemas of our CRDs beside the types that they describe. Every field has a description, because
/// `kubectl explain` shows it; a field enters the schema together with the code that honours it.
struct SchemaBuilder: Sendable {
    private(set) var json: JSON

    private init(type: String, _ description: String) {
        json = ["description": .string(description), "type": .string(type)]
    }

    static func object(
        _ description: String, required: [String] = [], _ properties: KeyValuePairs<String, SchemaBuilder>
    )
        -> SchemaBuilder
    {
        var schema = SchemaBuilder(type: "object", description)
        if !required.isEmpty { schema.json["required"] = .array(required.map(JSON.string)) }
        for (name, property) in properties { schema.json.set(property.json, at: "properties", name) }
        return schema
    }

    /// - Parameter count: how many entries it may have; a rule over them needs an upper bound.
    static func map(_ description: String, of value: SchemaBuilder, count: ClosedRange<Int>? = nil) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "object", description)
        schema.json["additionalProperties"] = value.json
        schema.json["maxProperties"] = count.map { JSON($0.upperBound) }
        return schema
    }

    /// An object that is passed on as it is.
    static func anything(_ description: String) -> SchemaBuilder {
        SchemaBuilder(type: "object", description).with("x-kubernetes-preserve-unknown-fields", true)
    }

    /// A list whose entries are told apart by `key`, so that server-side apply merges them one by one.
    static func list(
        _ description: String, key: String, of item: SchemaBuilder, count: ClosedRange<Int>? = nil
    ) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "array", description)
        schema.json["items"] = item.json
        schema.json["maxItems"] = count.map { JSON($0.upperBound) }
        schema.json["x-kubernetes-list-type"] = "map"
        schema.json["x-kubernetes-list-map-keys"] = [.string(key)]
        return schema
    }

    /// A list without order in which each value occurs once, so that server-side apply merges the entries of several
    /// owners.
    static func set(_ description: String, of item: SchemaBuilder, count: ClosedRange<Int>) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "array", description)
        schema.json["items"] = item.json
        schema.json["minItems"] = JSON(count.lowerBound)
        schema.json["maxItems"] = JSON(count.upperBound)
        schema.json["x-kubernetes-list-type"] = "set"
        return schema
    }

    /// A list whose order counts: who applies it owns all of it.
    static func atomicList(_ description: String, of item: SchemaBuilder, count: ClosedRange<Int>) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "array", description)
        schema.json["items"] = item.json
        schema.json["minItems"] = JSON(count.lowerBound)
        schema.json["maxItems"] = JSON(count.upperBound)
        schema.json["x-kubernetes-list-type"] = "atomic"
        return schema
    }

    static func string(_ description: String, length: ClosedRange<Int>? = nil) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "string", description)
        schema.json["minLength"] = length.map { JSON($0.lowerBound) }
        schema.json["maxLength"] = length.map { JSON($0.upperBound) }
        return schema
    }

    /// - Parameter length: a rule over a text needs an upper bound.
    static func string(_ description: String, form: TextForm, length: ClosedRange<Int>) -> SchemaBuilder {
        string(description, length: length).rule(form.rule, form.words)
    }

    static func choice<Choice: CaseIterable & RawRepresentable<String>>(_ description: String, _: Choice.Type)
        -> SchemaBuilder
    { choice(description, of: Choice.allCases.map(\.rawValue)) }

    static func choice(_ description: String, of choices: [String]) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "string", description)
        schema.json["enum"] = .array(choices.map(JSON.string))
        return schema
    }

    static func integer(_ description: String, in range: ClosedRange<Int>? = nil, format: String = "int32")
        -> SchemaBuilder
    {
        var schema = SchemaBuilder(type: "integer", description)
        schema.json["format"] = .string(format)
        schema.json["minimum"] = range.map { JSON($0.lowerBound) }
        schema.json["maximum"] = range.map { JSON($0.upperBound) }
        return schema
    }

    static func boolean(_ description: String) -> SchemaBuilder { SchemaBuilder(type: "boolean", description) }

    static func dateTime(_ description: String) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "string", description)
        schema.json["format"] = "date-time"
        return schema
    }

    /// A Kubernetes quantity: `100m`, `256Mi`, `1`.
    static func quantity(_ description: String) -> SchemaBuilder {
        var schema = SchemaBuilder(type: "string", description)
        schema.json["type"] = nil
        schema.json["anyOf"] = [["type": "integer"], ["type": "string"]]
        schema.json["pattern"] =
            #"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"#
        schema.json["x-kubernetes-int-or-string"] = true
        return schema
    }

    static let secretName = string(
        "The name of the Secret.", form: .objectName, length: 1...253)

    func defaulting(to value: JSON) -> SchemaBuilder { with("default", value) }

    /// Of a status: until the operator writes one it is about a generation that never was. By the rules of kstatus, which
    /// Flux goes by, an object without a status is as it should be.
    var unseen: SchemaBuilder { defaulting(to: ["observedGeneration": -1]) }

    /// With one more property.
    func property(_ name: String, _ schema: SchemaBuilder) -> SchemaBuilder {
        var copy = self
        copy.json.set(schema.json, at: "properties", name)
        return copy
    }

    /// A CEL rule that must hold at this node.
    func rule(_ expression: String, _ message: String, fieldPath: String? = nil) -> SchemaBuilder {
        var rule: JSON = ["message": .string(message), "rule": .string(expression)]
        rule["fieldPath"] = fieldPath.map(JSON.string)
        return with("x-kubernetes-validations", .array((json["x-kubernetes-validations"]?.array ?? []) + [rule]))
    }

    private func with(_ key: String, _ value: JSON) -> SchemaBuilder {
        var copy = self
        copy.json[key] = value
        return copy
    }
}
