internal import StructuredData

/// Runs the validation rules of a schema over an object, within the budget that Kubernetes grants one request.
struct RuleValidator {
    static let budgetPerRequest = 10_000_000
    static let budgetPerCall = 1_000_000
    static let maximumMessageLength = 5120

    private(set) var errors: [FieldError] = []
    private var budget = budgetPerRequest

    init() {}

    /// - Parameter isUnchanged: whether `new` equals `old` here; failures of rules that do not compare are let through
    ///   then (KEP-4008).
    mutating func validate(_ new: JSON, old: JSON?, by schema: Schema, at path: String, isUnchanged: Bool) {
        guard schema.fields.hasRulesWithin, budget >= 0, !new.isNull else { return }
        if !schema.fields.rules.isEmpty {
            runRules(of: schema, new, old: old, at: path, isUnchanged: isUnchanged)
        }
        switch new {
        case .object(let object):
            let values = schema.additionalProperties
            for (name, member) in object {
                let isProperty = schema.fields.properties[name] != nil
                guard let child = isProperty ? schema.property(name) : values, child.fields.hasRulesWithin else {
                    continue
                }
                let before = old?[name]
                validate(
                    member, old: before, by: child, at: isProperty ? Path.child(path, name) : Path.key(path, name),
                    isUnchanged: before == member)
            }
        case .array(let elements):
            guard let items = schema.items, items.fields.hasRulesWithin else { return }
            let correlation = old?.array.map { ListCorrelation($0, by: schema) }
            for (index, element) in elements.enumerated() {
                let before = correlation?.counterpart(of: element)
                // Elements of a list that did not change did not either, though they have no counterpart.
                let isSame = before.map { $0 == element } ?? isUnchanged
                validate(element, old: before, by: items, at: "\(path)[\(index)]", isUnchanged: isSame)
            }
        default: return
        }
    }

    private mutating func runRules(
        of schema: Schema, _ new: JSON, old: JSON?, at path: String, isUnchanged: Bool
    ) {
        let type = JSON.string(schema.type?.rawValue ?? "")
        let value = CELValue(new, schema)
        let oldValue = old.flatMap { $0.isNull ? nil : CELValue($0, schema) }
        for rule in schema.fields.rules {
            guard case .success(let program) = rule.program else {
                if case .failure(let error) = rule.program {
                    let text = error.description(in: rule.rule)
                    errors.append(.invalid(path, type, "rule compile error: compilation failed: \(text)"))
                }
                continue
            }
            // Transition rules hold where there is nothing to compare with, unless they ask for it.
            if rule.usesOldSelf, oldValue == nil, !rule.isOldSelfOptional { continue }
            if isUnchanged, !rule.usesOldSelf, old != nil { continue }
            var variables = [(name: "self", value: value)]
            if rule.isOldSelfOptional {
                variables.append(("oldSelf", .optional(oldValue)))
            } else if let oldValue {
                variables.append(("oldSelf", oldValue))
            }
            run(rule, program, variables, at: path, type: type)
            if budget < 0 { return }
        }
    }

    private mutating func run(
        _ rule: ValidationRule, _ program: CELProgram, _ variables: [(name: String, value: CELValue)], at path: String,
        type: JSON
    ) {
        do throws(CELError) {
            guard case .bool(let holds) = try evaluate(program, variables) else { throw CELError.noSuchOverload }
            if !holds { errors.append(failure(of: rule, variables, at: path, type: type)) }
        } catch {
            errors.append(.invalid(path, type, detail(of: error, in: rule)))
            // The first rule that is too dear ends the checks: the object is refused anyway.
            if error.kind == .budget { budget = -1 }
        }
    }

    private func detail(of error: CELError, in rule: ValidationRule) -> String {
        if error.kind == .budget {
            if budget < 0 {
                return "validation failed due to running out of cost budget, no further validation rules will be run"
            }
            return "'\(error.message)': no further validation rules will be run due to call cost exceeds limit for "
                + "rule: \(rule.label)"
        }
        if error.message.hasPrefix("no such overload") {
            return "'\(error.message)': call arguments did not match a supported operator, function or macro "
                + "signature for rule: \(rule.label)"
        }
        return "\(error.message) evaluating rule: \(rule.label)"
    }

    private mutating func evaluate(
        _ program: CELProgram, _ variables: [(name: String, value: CELValue)]
    ) throws(CELError) -> CELValue {
        let limit = min(budget, Self.budgetPerCall)
        var left = limit
        defer { budget -= limit - left }
        return try program.evaluate(variables, budget: &left)
    }

    private mutating func failure(
        of rule: ValidationRule, _ variables: [(name: String, value: CELValue)], at path: String, type: JSON
    ) -> FieldError {
        let field = rule.fieldPath.isEmpty ? path : Path.child(path, rule.fieldPath)
        let detail = computedMessage(of: rule, variables) ?? rule.plainMessage
        switch rule.reason {
        case .forbidden: return .forbidden(field, detail)
        case .required: return .required(field, detail)
        case .duplicate: return .duplicate(field, type)
        default: return .invalid(field, type, detail)
        }
    }

    /// Nil when the rule has no message expression, or one that gives no usable message.
    private mutating func computedMessage(
        of rule: ValidationRule, _ variables: [(name: String, value: CELValue)]
    ) -> String? {
        guard case .success(let program)? = rule.messageProgram,
            case .string(let text)? = try? evaluate(program, variables)
        else { return nil }
        let message = ValidationRule.trimmed(text)
        let isUsable = !message.isEmpty && message.utf8.count <= Self.maximumMessageLength && !message.contains("\n")
        return isUsable ? message : nil
    }
}
