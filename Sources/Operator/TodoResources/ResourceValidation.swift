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
    /// Reads what a person wrote: fills in the defaults of the CRD, and checks it by the CRD's schema and rules, as the API
    /// server does.
    ///
    /// - Throws: `InvalidResource` naming every problem.
    public init(validating object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.todoApp, Self.compiled, isStored: false)
    }

    /// Reads what the API server has. A spec that got past an older CRD is judged alike; what this release does not know,
    /// a later one wrote, and that is passed over.
    ///
    /// - Throws: `InvalidResource` naming every problem.
    public init(stored object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.todoApp, Self.compiled, isStored: true)
    }

    private static let compiled = ResourceValidation.compile(schema)
}

extension ReminderSchedule {
    /// Like `TodoApp.init(validating:)`. What only the platform can judge, the selector and the rule, is checked by the
    /// reconciler.
    public init(validating object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.reminderSchedule, Self.compiled, isStored: false)
    }

    /// Like `TodoApp.init(stored:)`.
    public init(stored object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.reminderSchedule, Self.compiled, isStored: true)
    }

    private static let compiled = ResourceValidation.compile(schema)
}

extension KafkaTopicBinding {
    /// Like `TodoApp.init(validating:)`.
    public init(validating object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.kafkaTopicBinding, Self.compiled, isStored: false)
    }

    /// Like `TodoApp.init(stored:)`.
    public init(stored object: JSON) throws(InvalidResource) {
        self = try ResourceValidation.read(object, as: TodoGroup.kafkaTopicBinding, Self.compiled, isStored: true)
    }

    private static let compiled = ResourceValidation.compile(schema)
}

/// Names that a person gives elsewhere than in a resource, by the rules that our kinds have for such.
public enum NameRule: Sendable {
    case namespace
    case image

    /// Says what is wrong with the name and what it must be; nil when nothing is.
    public func fault(in name: String) -> String? {
        let text: SchemaBuilder =
            switch self {
            case .namespace: .string("A namespace.", form: .namespace, length: 1...63)
            case .image: .string("An image.", form: .image, length: 1...512)
            }
        switch ResourceValidation.compile(.object("What is named.", ["name": text])) {
        case .success(let schema): return schema.validate(["name": .string(name)], old: nil).first?.message
        case .failure(let error): return "\(error)"
        }
    }
}

private enum ResourceValidation {
    typealias CompiledSchema = Result<Schema, StructuralSchemaErrors>

    static func compile(_ schema: SchemaBuilder) -> CompiledSchema {
        Result { () throws(StructuralSchemaErrors) in try StructuralSchema.compile(schema.json) }
    }

    static func read<Resource: Decodable>(
        _ object: JSON, as type: ResourceType, _ schema: CompiledSchema, isStored: Bool
    ) throws(InvalidResource) -> Resource {
        let compiled: Schema
        do { compiled = try schema.get() } catch {
            throw InvalidResource(problems: error.errors.map { "CRD: \($0)" })
        }
        if let version = object["apiVersion"]?.string, version != type.apiVersion {
            throw InvalidResource(problems: ["apiVersion: \(version) is not \(type.apiVersion)"])
        }
        let unknown = isStored ? [] : compiled.unknownFields(in: object)
        guard unknown.isEmpty else { throw InvalidResource(problems: unknown.map { "\($0): no such field" }) }
        let complete = compiled.defaulted(isStored ? compiled.pruned(object) : object)
        let errors = compiled.validate(complete, old: nil)
        guard errors.isEmpty else {
            throw InvalidResource(problems: errors.map { "\($0.field): \($0.message)" })
        }
        do { return try complete.decode(Resource.self) } catch { throw InvalidResource(problems: ["\(error)"]) }
    }
}
