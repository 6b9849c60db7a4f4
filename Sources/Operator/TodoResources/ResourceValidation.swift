internal import KubernetesClient
internal import KubernetesSchema
public import StructuredData

/// Why an object is not a valid resource of ours.
public struct InvalidResource: Error, Sendable, CustomStringConvertible {
    /// One line for each problem: `spec.database.secretRef: Required value`.
    public let problems: [String]

    public var description: String { problems.joined(separator: "; ") }
}

extension TodoApp {
    /// Reads an object: fills in the defaults of the CRD, and checks it by the CRD's schema and rules, as the API server
    /// does. So a spec that got past an older CRD, or was never applied, is judged alike.
    ///
    /// - Throws: `InvalidResource` naming every problem.
    public init(validating object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.todoApp, Self.compiled)
    }

    private static let compiled = ResourceValidation.compile(schema)
}

extension ReminderSchedule {
    /// Like `TodoApp.init(validating:)`. What only the platform can judge, the selector and the rule, is checked by the
    /// reconciler.
    public init(validating object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.reminderSchedule, Self.compiled)
    }

    private static let compiled = ResourceValidation.compile(schema)
}

extension KafkaTopicBinding {
    /// Like `TodoApp.init(validating:)`.
    public init(validating object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.kafkaTopicBinding, Self.compiled)
    }

    private static let compiled = ResourceValidation.compile(schema)
}

private enum ResourceValidation {
    typealias CompiledSchema = Result<Schema, StructuralSchemaErrors>

    static func compile(_ schema: SchemaBuilder) -> CompiledSchema {
        Result { () throws(StructuralSchemaErrors) in try StructuralSchema.compile(schema.json) }
    }

    static func read<Resource: Decodable>(
        _ object: JSON, as type: ResourceType, _ schema: CompiledSchema
    ) throws(InvalidResource) -> Resource {
        let compiled: Schema
        do { compiled = try schema.get() } catch {
            throw InvalidResource(problems: error.errors.map { "CRD: \($0)" })
        }
        if let version = object["apiVersion"]?.string, version != type.apiVersion {
            throw InvalidResource(problems: ["apiVersion: \(version) is not \(type.apiVersion)"])
        }
        let unknown = compiled.unknownFields(in: object)
        guard unknown.isEmpty else { throw InvalidResource(problems: unknown.map { "\($0): no such field" }) }
        let complete = compiled.defaulted(object)
        let errors = compiled.validate(complete, old: nil)
        guard errors.isEmpty else {
            throw InvalidResource(problems: errors.map { "\($0.field): \($0.message)" })
        }
        do { return try complete.decode(Resource.self) } catch { throw InvalidResource(problems: ["\(error)"]) }
    }
}
