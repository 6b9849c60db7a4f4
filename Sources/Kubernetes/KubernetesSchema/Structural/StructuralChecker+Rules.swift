internal import StructuredData

extension StructuralChecker {
    /// Each rule must compile: one that cannot be run must not be taken for one that holds.
    ///
    /// - Parameter uncorrelatable: the list above whose elements cannot be told apart, so that there is no `oldSelf`.
    mutating func checkRules(_ schema: JSON, isRoot: Bool, uncorrelatable: String?, at path: String) {
        guard let rules = schema["x-kubernetes-validations"]?.array, !rules.isEmpty else { return }
        let reader = SchemaReader(dropsZeroDefaults: false) { _ in nil }
        let fields = reader.fields(of: schema)
        let node = isRoot ? StructuralSchema.rootForRules(fields) : Schema(fields)
        for (index, json) in rules.enumerated() {
            let place = "\(Path.child(path, "x-kubernetes-validations"))[\(index)]"
            let before = errors.count
            checkForm(of: json, node: node, at: place)
            if errors.count == before {
                checkExpressions(of: ValidationRule(json, node: node), json, uncorrelatable: uncorrelatable, at: place)
            }
        }
    }

    private mutating func checkForm(of rule: JSON, node: Schema, at path: String) {
        func text(_ name: String) -> String { rule[name]?.string ?? "" }
        func isBlank(_ name: String) -> Bool { ValidationRule.trimmed(text(name)).isEmpty }
        func hasNewline(_ name: String) -> Bool { ValidationRule.trimmed(text(name)).contains(where: \.isNewline) }
        let messagePath = Path.child(path, "message")
        if isBlank("rule") {
            errors.append(.required(Path.child(path, "rule"), "rule is not specified"))
        } else if !text("message").isEmpty, isBlank("message") {
            errors.append(.invalid(messagePath, .string(text("message")), "must be non-empty if specified"))
        } else if hasNewline("message") {
            errors.append(.invalid(messagePath, .string(text("message")), "must not contain line breaks"))
        } else if hasNewline("rule"), isBlank("message") {
            errors.append(.required(messagePath, "message must be specified if rule contains line breaks"))
        }
        if !text("messageExpression").isEmpty, isBlank("messageExpression") {
            errors.append(
                .required(Path.child(path, "messageExpression"), "messageExpression must be non-empty if specified"))
        }
        let reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"]
        if let reason = rule["reason"]?.string, !reasons.contains(reason) {
            errors.append(.notSupported(Path.child(path, "reason"), .string(reason), reasons))
        }
        let fieldPath = text("fieldPath")
        if !fieldPath.isEmpty, !leads(fieldPath, to: node) {
            errors.append(.invalid(Path.child(path, "fieldPath"), .string(fieldPath), "must be a valid path"))
        }
    }

    /// Whether a path such as `.a['b']` names a field below the node.
    private func leads(_ path: String, to node: Schema) -> Bool {
        var rest = Substring(path)
        var schema = node
        while let first = rest.first {
            var name: Substring
            if first == "." {
                name = rest.dropFirst().prefix { $0 != "." && $0 != "[" }
                rest = rest.dropFirst(1 + name.count)
            } else if rest.hasPrefix("['"), let end = rest.firstRange(of: "']") {
                name = rest[..<end.lowerBound].dropFirst(2)
                rest = rest[end.upperBound...]
            } else {
                return false
            }
            guard let child = schema.property(String(name)) ?? schema.additionalProperties else { return false }
            schema = child
        }
        return true
    }

    private mutating func checkExpressions(
        of rule: ValidationRule, _ json: JSON, uncorrelatable: String?, at path: String
    ) {
        let rulePath = Path.child(path, "rule")
        let value = Self.goValue(of: json)
        switch rule.program {
        case .failure(let error):
            errors.append(.invalid(rulePath, value, "compilation failed: \(error.description(in: rule.rule))"))
            return
        case .success(let program):
            guard program.resultType.isBoolOrDyn else {
                errors.append(.invalid(rulePath, value, "cel expression must evaluate to a bool"))
                return
            }
        }
        if rule.usesOldSelf, let uncorrelatable {
            let detail = "oldSelf cannot be used on the uncorrelatable portion of the schema within \(uncorrelatable)"
            errors.append(.invalid(rulePath, .string(rule.rule), detail))
        }
        if !rule.usesOldSelf, let optional = json["optionalOldSelf"] {
            let detail = "may not be set if oldSelf is not used in rule"
            errors.append(.invalid(Path.child(path, "optionalOldSelf"), optional, detail))
        }
        let messagePath = Path.child(path, "messageExpression")
        switch rule.messageProgram {
        case .failure(let error)?:
            let text = error.description(in: rule.messageExpression)
            errors.append(.invalid(messagePath, value, "messageExpression compilation failed: \(text)"))
        case .success(let program)? where !program.resultType.isStringOrDyn:
            errors.append(.invalid(messagePath, value, "messageExpression must evaluate to a string"))
        default: break
        }
    }

    /// The rule as kube-apiserver shows it in errors: its internal form.
    private static func goValue(of rule: JSON) -> JSON {
        [
            "Rule": rule["rule"] ?? "", "Message": rule["message"] ?? "",
            "MessageExpression": rule["messageExpression"] ?? "", "Reason": rule["reason"] ?? .null,
            "FieldPath": rule["fieldPath"] ?? "", "OptionalOldSelf": rule["optionalOldSelf"] ?? .null,
        ]
    }
}

extension CELType {
    fileprivate var isBoolOrDyn: Bool { isNamedOrDyn("bool") }
    fileprivate var isStringOrDyn: Bool { isNamedOrDyn("string") }

    private func isNamedOrDyn(_ wanted: String) -> Bool {
        switch self {
        case .dyn: true
        case .named(let name): name == wanted
        default: false
        }
    }
}
