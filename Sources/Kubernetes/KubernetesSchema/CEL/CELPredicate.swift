public import StructuredData

/// An expression in CEL over one value of no known type, which says yes or no: the rules of a Dapr subscription.
public struct CELPredicate: Sendable {
    /// Why an expression is none, or has no answer for a value; as cel-go says it.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// What one evaluation may cost.
    private static let budget = 100_000
    private let program: CELProgram
    private let variable: String

    /// - Parameter variable: the name of the value in `source`.
    public init(_ source: String, variable: String) throws(Failure) {
        self.variable = variable
        do throws(CELError) { program = try CELProgram(source, variables: [(variable, .dyn)]) } catch {
            throw Failure(description: error.message)
        }
    }

    /// - Throws: when the value lacks what the expression names, or the answer is neither true nor false.
    public func holds(for value: JSON) throws(Failure) -> Bool {
        var budget = Self.budget
        do throws(CELError) {
            let result = try program.evaluate([(variable, CELValue(value, nil))], budget: &budget)
            guard case .bool(let holds) = result else { throw CELError.noSuchOverload }
            return holds
        } catch { throw Failure(description: error.message) }
    }
}
