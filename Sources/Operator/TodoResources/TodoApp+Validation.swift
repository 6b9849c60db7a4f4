internal import KubernetesClient
internal import KubernetesSchema
public import StructuredData

/// Why an object is not a valid `TodoApp`.
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
        let schema: Schema
        do {
            schema = try Self.compiled.get()
        } catch {
            throw InvalidResource(problems: error.errors.map { "CRD: \($0)" })
        }
        if let version = object["apiVersion"]?.string, version != TodoGroup.todoApp.apiVersion {
            throw InvalidResource(problems: ["apiVersion: \(version) is not \(TodoGroup.todoApp.apiVersion)"])
        }
        let unknown = schema.unknownFields(in: object)
        guard unknown.isEmpty else {
            throw InvalidResource(problems: unknown.map { "\($0): no such field" })
        }
        let complete = schema.defaulted(object)
        let errors = schema.validate(complete, old: nil)
        guard errors.isEmpty else {
            throw InvalidResource(problems: errors.map { "\($0.field): \($0.message)" })
        }
        do {
            self = try complete.decode(TodoApp.self)
        } catch {
            throw InvalidResource(problems: ["\(error)"])
        }
    }

    private static let compiled: Result<Schema, StructuralSchemaErrors> = Result { () throws(StructuralSchemaErrors) in
        try StructuralSchema.compile(schema.json)
    }
}
