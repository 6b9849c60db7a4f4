/// A compiled expression of the Common Expression Language in Kubernetes' environment.
///
/// It is total: whatever it is given, it ends within its budget with a value or an error.
struct CELProgram: Sendable {
    let source: String
    let resultType: CELType
    /// The variables that it refers to.
    let used: Set<String>
    private let root: CELNode
    private let patterns: [String: RegularExpression]

    /// - Throws: with a message as cel-go prints it, when the expression is malformed, refers to what is not there or
    ///   calls functions that do not exist.
    init(_ source: String, variables: [(name: String, type: CELType)]) throws(CELError) {
        root = try CELParser.parse(source)
        var checker = CELChecker(variables: variables)
        resultType = try checker.type(of: root)
        used = checker.used
        patterns = checker.patterns
        self.source = source
    }

    /// The value and what it cost; the budget is lowered by the cost.
    func evaluate(_ variables: [(name: String, value: CELValue)], budget: inout Int) throws(CELError) -> CELValue {
        var evaluator = CELEvaluator(variables: variables, budget: budget, patterns: patterns)
        defer { budget = evaluator.budget }
        return try evaluator.evaluate(root)
    }
}
